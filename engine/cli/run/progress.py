"""The progress bars of a run over recordings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from engine.cli.run.news import News, is_stopped, was_read
from engine.cli.run.table import STATE_STYLES
from engine.cli.run.words import drops_of
from engine.pipeline.status import RunStatus
from engine.pipeline.stream_status import StreamStatus
from engine.words.numbers import count


class _FramesColumn(ProgressColumn):
    """Frames read, of how many."""

    def render(self, task: Task) -> Text:
        done = int(task.completed)
        return Text(f"{done}/{count(int(task.total), 'frame')}" if task.total else count(done, "frame"))


@contextmanager
def run_progress(console: Console) -> Iterator[Callable[[RunStatus], None]]:
    """Show one line for each recording and one for the run; yields what takes the status."""
    progress = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        _FramesColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
        console=console,
        transient=False,
        refresh_per_second=5,
    )
    bars: dict[str, TaskID] = {}
    news = News(console)
    with progress:
        whole = progress.add_task("all", total=None, note="loading models")

        def show(status: RunStatus) -> None:
            news.show(status)
            for name, stream in status.streams.items():
                _show_stream(progress, bars, name, stream, status)
            _show_whole(progress, whole, status)

        try:
            yield show
        except BaseException:
            if not news.has_begun:  # it was refused: nothing was loaded, and no bar says that something goes on
                progress.remove_task(whole)
            raise


def _show_stream(progress: Progress, bars: dict[str, TaskID], name: str, stream: StreamStatus, status: RunStatus) -> None:
    frames = status.frames_of(name)
    if stream.state == "connecting" and not frames:
        return
    if name not in bars:
        bars[name] = progress.add_task(name, total=stream.frames_expected or None, note="")
    total = frames if was_read(stream) else max(stream.frames_expected, frames) or None
    state = "stopped" if is_stopped(stream) else stream.state
    note = f"[{STATE_STYLES.get(stream.state, 'dim')}]{state}[/]" + (f" {stream.reason}" if stream.state == "failed" else "")
    progress.update(bars[name], completed=frames, total=total, note=note)


def _show_whole(progress: Progress, whole: TaskID, status: RunStatus) -> None:
    counts = status.totals
    frames = counts.run.get("frames", 0)
    expected = [stream.frames_expected for stream in status.streams.values()]
    over = all(was_read(stream) for stream in status.streams.values())
    total = frames if over else max(sum(expected), frames) if all(expected) else None
    drops = sum(drops_of(counts).values())
    faces = counts.run.get("faces", 0)
    note = f"{frames / max(status.seconds, 1e-3):.1f} frames/s  {count(faces, 'face')}  {count(drops, 'drop')}"
    progress.update(whole, completed=frames, total=total, note=note)
