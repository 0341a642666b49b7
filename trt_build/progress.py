"""Progress of a training run on the terminal."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from trt_build.train.loop import StepReport


class TrainProgress:
    """A bar for the H.264 bank, then one for the budget; a line for each validation."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=console,
        )
        self._bank: TaskID | None = None
        self._steps: TaskID | None = None

    def __enter__(self) -> TrainProgress:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def on_prepare(self, faces: int) -> None:
        """Faces to encode, unless a bank made before is found."""
        self._bank = self._progress.add_task("H.264 faces", total=faces, note="")

    def on_encoded(self, faces: int) -> None:
        assert self._bank is not None
        self._progress.advance(self._bank, faces)

    def on_step(self, report: StepReport) -> None:
        if self._steps is None:
            if self._bank is not None:
                self._progress.remove_task(self._bank)
            self._steps = self._progress.add_task("training", total=1.0, note="")
        rate = report.step / report.seconds if report.seconds else 0.0
        note = f"step {report.step}, {rate:.1f} steps/s, loss {report.loss:.4f}"
        self._progress.update(self._steps, completed=report.fraction, note=note)

    def on_validation(self, row: dict[str, float]) -> None:
        gains = ", ".join(
            f"{key.removesuffix('_psnr_gain')} {value:+.2f} dB" for key, value in row.items() if key.endswith("_psnr_gain")
        )
        self._progress.console.print(f"step {int(row['step'])}: {gains} over bicubic")
