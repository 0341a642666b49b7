"""What ``facestream run`` says at its end: totals, cameras, tracks."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from engine.archive.reader import track_lines
from engine.cli.run_table import end_table, failed_table
from engine.cli.run_words import count, drops_words, errors_words, removed_words
from engine.config import Config
from engine.contracts.messages import Track
from engine.pipeline.run import RunResult

_MOST_ROWS = 30


def print_result(console: Console, result: RunResult, config: Config, *, live: bool) -> None:
    """Print totals, with cameras what each gave, else the tracks, and where to look."""
    counters = result.counters
    frames = counters.get("frames", 0)
    console.print(
        f"{result.outcome}: {frames} frames in {result.seconds:.1f} s ({frames / max(result.seconds, 1e-3):.1f} frames/s), "
        f"{counters.get('tracks', 0)} tracks, {counters.get('faces', 0)} faces enhanced and scored"
        + (f", {count(rejected, 'track')} of no face rejected" if (rejected := counters.get("rejected", 0)) else ""),
        highlight=False,
    )
    if live:
        console.print(end_table(result.streams))
        console.print(drops_words(result.status.totals), highlight=False)
        if result.status.restarts:
            console.print(f"{count(result.status.restarts, 'restart')} of workers that died or hung", highlight=False)
    if words := errors_words(result.status.totals):
        console.print(words, highlight=False)
    if words := removed_words(counters):
        console.print(words, highlight=False)
    directory = Path(config.output.directory) if config.output.directory else None
    if directory is not None:
        # Days of cameras have more tracks than anybody reads here.
        table = None if live else tracks_table(directory)
        if table is not None:
            console.print(table)
    if result.failed_streams and not live:
        console.print(failed_table(result.failed_streams))
    if directory is not None:
        console.print(f"faces and scores: {directory}", highlight=False, soft_wrap=True)
    if result.report is not None:
        console.print(f"report: {result.report.resolve()}", highlight=False, soft_wrap=True)


def tracks_table(directory: Path) -> Table | None:
    """Return the ended tracks of an output directory as a table, the first ones of many; None if there is none."""
    total, streams = 0, set[str]()

    def ended() -> Iterator[Track]:
        nonlocal total
        for line in track_lines(directory):
            if (track := line.track).ended:
                total += 1
                streams.add(track.stream)
                yield track

    tracks = heapq.nsmallest(_MOST_ROWS, ended(), key=lambda track: (track.stream, track.first_pts_seconds))
    if not tracks:
        return None
    several = len(streams) > 1
    table = Table(caption=f"the first {_MOST_ROWS} of {total} tracks" if total > _MOST_ROWS else None)
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
    for track in tracks:
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
