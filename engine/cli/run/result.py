"""What ``facestream run`` prints at the end: totals, cameras, tracks."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from pathlib import Path

from rich.console import Console
from rich.text import Text

from engine.archive.reader import track_lines
from engine.cli.output.saying import say_on
from engine.cli.output.tables import Column, Rows
from engine.cli.run.news import is_stopped
from engine.cli.run.table import end_table, failed_table
from engine.cli.run.words import drops_words, errors_words, removed_words
from engine.config import Config
from engine.contracts.messages import Track
from engine.pipeline.run import RunResult
from engine.pipeline.stream_status import StreamStatus
from engine.words.enrolling import enrol_command
from engine.words.lists import first_of
from engine.words.numbers import count
from engine.words.times import clock

_MOST_ROWS, _MOST_NAMED = 30, 10


def print_result(console: Console, result: RunResult, config: Config, notes: Iterable[str], *, live: bool) -> None:
    """Print totals, with cameras what each gave, else the tracks, what is missing, and where to look."""
    counters = result.counters
    frames = counters.get("frames", 0)
    console.print(
        f"{result.outcome}: {count(frames, 'frame')} in {result.seconds:.1f} s "
        f"({frames / max(result.seconds, 1e-3):.1f} frames/s), {count(counters.get('tracks', 0), 'track')}, "
        f"{count(counters.get('faces', 0), 'face')} enhanced and scored"
        + (f", {count(rejected, 'track')} of no face rejected" if (rejected := counters.get("rejected", 0)) else ""),
        highlight=False,
        soft_wrap=not console.is_terminal,
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
    for sentence in notes:
        console.print(Text(sentence), style="yellow", highlight=False, soft_wrap=True)
    if directory is not None:
        say_on(console, f"faces and scores: {directory}")
    if result.report is not None:
        say_on(console, f"report: {result.report.resolve()}")


def shortcomings(result: RunResult, config: Config) -> Iterator[str]:
    """Say what a run did not do that it may seem to have done."""
    recordings = [stream for stream in result.streams if stream.name not in result.cameras]
    stopped = [_how_far(stream) for stream in recordings if is_stopped(stream)]
    waiting = [stream for stream in recordings if stream.state == "connecting"]
    if stopped or waiting:
        left = [first_of(stopped, _MOST_NAMED)] if stopped else []
        left += [f"{count(len(waiting), 'recording')} not begun"] if waiting else []
        goes_on = "; the same command with --resume instead of --overwrite continues" if config.output.directory else ""
        yield f"stopped before the end: {', and '.join(left)}{goes_on}"
    if dark := result.never_live:
        yield f"never gave a picture: {first_of([stream.name for stream in dark], _MOST_NAMED)}"
    if tiny := [stream for stream in result.streams if _is_tiny(stream, config.crop.min_size_px)]:
        sizes = first_of([f"{one.name} ({one.width_px}x{one.height_px} px)" for one in tiny], _MOST_NAMED)
        yield f"too small to hold a face of {config.crop.min_size_px:g} px (crop.min_size_px): {sizes}"
    from engine.verify.gallery.opening import is_empty  # which a run does not need to begin

    counters, endpoint, place = result.counters, config.publish.endpoint, config.verify.gallery_place
    if counters.get("tracks", 0) and config.verify.embedder != "none" and is_empty(place):
        command = enrol_command(place.where, place.key_file)
        yield f"nobody is enrolled, so no face was compared: `{command}`, then run again"
    if unheard := counters.get("unheard", 0):
        sent = counters.get("published", 0)
        yield (
            f"nobody listened at {endpoint}: all {count(sent, 'message')} were lost"
            if unheard >= sent
            else f"{unheard} of {count(sent, 'message')} were sent to {endpoint} while nobody listened"
        ) + "; start the reader first, and give --wait SECONDS"
    if given_up := counters.get("abandoned", 0):
        yield f"no reader took {count(given_up, 'message')} from {endpoint} before the run was stopped"
    if result.unwritten:
        yield f"{count(result.unwritten, 'message')} could not be written to {config.output.directory}, which is not complete"
    if result.problem:
        yield result.problem


def _is_tiny(stream: StreamStatus, face_px: float) -> bool:
    return 0 < min(stream.width_px, stream.height_px) < face_px and not stream.faces


def _how_far(stream: StreamStatus) -> str:
    of = f"{stream.frames} of " if stream.frames_expected else ""
    return f"{stream.name} ({of}{count(stream.frames_expected or stream.frames, 'frame')} read)"


def tracks_table(directory: Path) -> Rows | None:
    """Return the ended tracks of an output directory as a table, the first ones of many; None if there is none."""
    total, streams = 0, set[str]()

    def ended() -> Iterator[Track]:
        nonlocal total
        for line in track_lines(directory):
            if (track := line.track).ended:
                total += 1
                streams.add(track.stream)
                yield track

    # Of many those with a name: they are what one looks for, wherever they are.
    tracks = heapq.nsmallest(_MOST_ROWS, ended(), key=lambda track: (track.decision != "known", *_place(track)))
    tracks.sort(key=_place)
    if not tracks:
        return None
    several = len(streams) > 1
    figures = ("track", "from", "to", "faces")
    columns = [*([Column("stream")] if several else []), *(Column(title, "number") for title in figures)]
    columns += [Column("decision", "word"), Column("candidate"), Column("cosine", "number"), Column("after SR", "number")]
    caption = f"{_MOST_ROWS} of {count(total, 'track')}: those with a name, then the first" if total > _MOST_ROWS else ""
    return Rows(columns, [_track_row(track, several) for track in tracks], caption=caption)


def _place(track: Track) -> tuple[str, float]:
    return track.stream, track.first_pts_seconds


def _track_row(track: Track, several: bool) -> list[str]:
    best = track.candidates[0] if track.candidates else None
    enhanced = best.cosine_enhanced if best else None
    return [
        *([track.stream] if several else []),
        str(track.track_id),
        clock(track.first_pts_seconds),
        clock(track.last_pts_seconds),
        str(track.faces_enhanced),
        track.decision,
        best.identity if best else "",
        f"{best.cosine_original:.2f}" if best else "",
        f"{enhanced:.2f}" if enhanced is not None else "",
    ]
