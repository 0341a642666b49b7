"""Progress of a training run on the terminal."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


class RunProgress:
    """A bar for each thing that is prepared, then one for the budget; a line for each validation."""

    def __init__(self, console: Console) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"), TimeRemainingColumn())
        self._progress = Progress(*columns, TextColumn("{task.fields[note]}"), console=console)
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> RunProgress:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._progress.stop()

    def on_prepare(self, what: str, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` are done; a total of 0 is not known yet."""
        self._show(what, done / total if total else 0.0, f"{done} of {total}" if total else f"{done}")

    def on_step(self, step: int, fraction: float, loss: float, parts: dict[str, float], rate: float) -> None:
        """A training step."""
        detail = ", ".join(f"{name} {value:.3f}" for name, value in parts.items())
        self._show("training", fraction, f"step {step}, loss {loss:.3f} ({detail}), rate {rate:.1e}")

    def on_validation(self, row: dict[str, float]) -> None:
        """A validation."""
        shown = ", ".join(f"{name} {value:.3f}" for name, value in row.items() if name not in ("step", "merit"))
        self._progress.console.print(f"step {int(row['step'])}: {shown}", soft_wrap=True)

    def _show(self, what: str, fraction: float, note: str) -> None:
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(what, total=1.0, note="")
        self._progress.update(self._tasks[what], completed=fraction, note=note)
