"""What ``facestream run`` shows: progress while it works, a table of the tracks when it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from engine.config import Config
from engine.contracts.messages import Track
from engine.pipeline.run import RunResult
from engine.pipeline.status import RunStatus, StreamStatus

_MOST_ROWS = 30
_STATE_STYLE = {"live": "green", "failed": "red", "stalled": "yellow", "discontinuity": "yellow"}


class _FramesColumn(ProgressColumn):
    """Frames read, of how many."""

    def render(self, task: Task) -> Text:
        total = f"/{int(task.total)}" if task.total else ""
        return Text(f"{int(task.completed)}{total} frames")


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
    with progress:
        whole = progress.add_task("all", total=None, note="loading models")

        def show(status: RunStatus) -> None:
            for name, stream in status.streams.items():
                _show_stream(progress, bars, name, stream, status)
            _show_whole(progress, whole, status)

        yield show


def _show_stream(progress: Progress, bars: dict[str, TaskID], name: str, stream: StreamStatus, status: RunStatus) -> None:
    frames = status.frames_of(name)
    if stream.state == "connecting" and not frames:
        return
    if name not in bars:
        bars[name] = progress.add_task(name, total=stream.frames_expected or None, note="")
    total = frames if stream.state == "ended" else max(stream.frames_expected, frames) or None
    style = _STATE_STYLE.get(stream.state, "dim")
    note = f"[{style}]{stream.state}[/]" + (f" {stream.reason}" if stream.state == "failed" else "")
    progress.update(bars[name], completed=frames, total=total, note=note)


def _show_whole(progress: Progress, whole: TaskID, status: RunStatus) -> None:
    counters = status.counters
    frames = counters.get("frames", 0)
    expected = [stream.frames_expected for stream in status.streams.values()]
    over = all(stream.is_over for stream in status.streams.values())
    total = frames if over else max(sum(expected), frames) if all(expected) else None
    drops = sum(count for name, count in counters.items() if name.startswith("drops."))
    note = f"{frames / max(status.seconds, 1e-3):.1f} frames/s  {counters.get('faces', 0)} faces  {drops} drops"
    progress.update(whole, completed=frames, total=total, note=note)


def print_result(console: Console, result: RunResult, config: Config) -> None:
    """Print totals, the tracks, and where to look."""
    counters = result.counters
    frames = counters.get("frames", 0)
    console.print(
        f"{result.outcome}: {frames} frames in {result.seconds:.1f} s ({frames / max(result.seconds, 1e-3):.1f} frames/s), "
        f"{counters.get('tracks', 0)} tracks, {counters.get('faces', 0)} faces enhanced and scored",
        highlight=False,
    )
    directory = Path(config.output.directory) if config.output.directory else None
    if directory is not None:
        tracks = read_tracks(directory / "tracks.jsonl")
        if tracks:
            console.print(tracks_table(tracks))
        console.print(f"faces and scores: {directory}", highlight=False, soft_wrap=True)
    if result.report is not None:
        console.print(f"report: {result.report.resolve()}", highlight=False, soft_wrap=True)


def read_tracks(path: Path) -> list[Track]:
    """Return the ended tracks of ``tracks.jsonl``; a half-written last line is left out."""
    decoder = msgspec.json.Decoder(Track)
    tracks = []
    for line in path.read_bytes().splitlines():
        try:
            tracks.append(decoder.decode(line))
        except msgspec.DecodeError:
            continue
    return [track for track in tracks if track.ended]


def tracks_table(tracks: list[Track]) -> Table:
    """Return the tracks as a table, the first ones of many."""
    several = len({track.stream for track in tracks}) > 1
    table = Table(caption=f"the first {_MOST_ROWS} of {len(tracks)} tracks" if len(tracks) > _MOST_ROWS else None)
    for heading in (
        *(["stream"] if several else []),
        "track",
        "from",
        "to",
        "faces",
        "decision",
        "candidate",
        "cosine",
        "after SR",
    ):
        table.add_column(
            heading, justify="left" if heading in ("stream", "decision", "candidate") else "right", overflow="fold"
        )
    for track in sorted(tracks, key=lambda track: (track.stream, track.first_pts_seconds))[:_MOST_ROWS]:
        best = track.candidates[0] if track.candidates else None
        enhanced = best.cosine_enhanced if best else None
        table.add_row(
            *([track.stream] if several else []),
            str(track.track_id),
            f"{track.first_pts_seconds:.1f} s",
            f"{track.last_pts_seconds:.1f} s",
            str(track.faces_enhanced),
            track.decision,
            best.identity if best else "",
            f"{best.cosine_original:.2f}" if best else "",
            f"{enhanced:.2f}" if enhanced is not None else "",
        )
    return table
