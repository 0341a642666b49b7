"""Puts what the segments of recordings have left into one output directory, as one run over all of them writes it.

The directory is written beside its place and comes there whole, by a rename: a kill leaves what was there before, and what the
next attempt begins with anew. Memory does not grow with the archive: it holds a line at a time, and track ids of one segment.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from engine import __version__
from engine.archive.claim import check_free
from engine.archive.reader import recorded
from engine.archive.same_job import check_same_models
from engine.archive.writer import DirectorySink
from engine.config import Config
from engine.contracts.counts import Counting
from engine.errors import OutputError, PublishError
from engine.jobs.joined_lines import Lines
from engine.jobs.joined_stream import JoinedStream
from engine.jobs.joins import Chain
from engine.jobs.pieces import Piece
from engine.jobs.plan import Plan, read_chain
from engine.jobs.segments import Segment
from engine.pipeline.description import describe_run
from engine.private_file import make_private_folder
from engine.whole_file import sync_directory

OVERWRITE = "choose another one, or replace it with --overwrite"


@dataclass(frozen=True)
class Part:
    """One recording."""

    plan: Plan
    directories: Sequence[Path] = ()
    """Of its segments."""
    failed: str = ""
    """Why there are none that count, as a sentence: it was set aside."""


@dataclass(frozen=True)
class Joined:
    """What is in the directory."""

    run_id: str
    recordings: int
    failed: int
    """Recordings that have failed."""
    frames: int
    twice: int
    """Frames that were looked at in more than one segment, and count once."""
    faces: int
    tracks: int


def join(
    target: Path,
    config: Config,
    parts: Sequence[Part],
    progress: Callable[[int], None] = lambda recordings: None,
) -> Joined:
    """Make the output directory of a job; where that was done before, nothing is done again.

    Args:
        target: the directory. It is replaced where ``output.overwrite`` says so.
        config: of the job.
        parts: all recordings, in the order of the sources.
        progress: told how many recordings are in it.

    Raises:
        ConfigError: the directory holds another run, or segments were made with other models.
        PublishError: a recording is not finished, or what was left of a segment cannot be read.
        OutputError: the directory cannot be written.
    """
    content = _content_of(config, parts)
    if (before := recorded(target).get("archive")) and before.get("content") == content:
        return msgspec.convert(before["joined"], Joined)
    if not config.output.overwrite:
        check_free(target, OVERWRITE)
    beside = target.absolute().with_name(f".joining-{target.name}")
    run = describe_run(replace(config, output=replace(config.output, directory=str(target), overwrite=False)))
    run |= {"inputs": {part.plan.stream: _facts_before(part.plan) for part in parts}}
    with _one_sentence(target):
        make_private_folder(beside.parent)
        joined = _write(beside, target, config, run, parts, content, progress)
        _report(beside, config, target)
        take_place(beside, target)
    return joined


def _write(
    beside: Path,
    target: Path,
    config: Config,
    run: dict[str, Any],
    parts: Sequence[Part],
    content: str,
    progress: Callable[[int], None],
) -> Joined:
    """Write the directory; where that fails it stays as it is, and the next attempt empties it."""
    counts, workers, failed, twice = Counting(), dict[str, dict[str, str]](), 0, 0
    output = replace(config.output, directory=str(beside))
    with _left_as_failed(DirectorySink(output, run, overwrite=True)) as sink:
        lines = Lines(sink, str(run["run_id"]), output.rejected_pictures)
        for number, part in enumerate(parts, 1):
            _note_input(sink, part.plan)
            stream = JoinedStream(part.plan, lines, counts)
            if part.failed:
                stream.fail(part.failed)
                failed += 1
            else:
                chain, pieces = _finished(part)
                for _, piece in pieces.values():
                    check_same_models(target, workers, piece.facts)
                    workers |= piece.facts
                failed += stream.write(chain, pieces).state == "failed"
                twice += sum(piece.frames for _, piece in pieces.values()) - chain.frames
            progress(number)
        lines.finish()
        joined = Joined(str(run["run_id"]), len(parts), failed, counts.run["frames"], twice, lines.faces, lines.tracks)
        totals = counts.now()
        about: dict[str, Any] = {"workers": workers, "counters": totals.flat(), "streams": totals.streams}
        sink.close("completed", about | {"archive": {"content": content, "joined": asdict(joined)}})
    return joined


@contextmanager
def _left_as_failed(sink: DirectorySink) -> Iterator[DirectorySink]:
    try:
        yield sink
    except BaseException:
        with suppress(OutputError):
            sink.close("failed")
        raise


def _facts_before(plan: Plan) -> dict[str, Any]:
    return {name: fact for name, fact in plan.input.items() if name != "sha256"}


def _note_input(sink: DirectorySink, plan: Plan) -> None:
    facts = plan.input
    if "sha256" in facts:
        sink.record_input(plan.stream, facts["path"], facts["size_bytes"], facts["sha256"], facts["mtime_ns"])


def _finished(part: Part) -> tuple[Chain, dict[Segment, tuple[Path, Piece]]]:
    """Return the links of a recording, and all that was processed of it."""
    chain, pieces = read_chain(part.plan, part.directories)
    if not chain.is_whole:
        raise PublishError(f"{part.plan.path} (stream {part.plan.stream}) is not finished: process what is left of it first")
    return chain, pieces


def _content_of(config: Config, parts: Sequence[Part]) -> str:
    """Return what two jobs have in common whose results are the same."""
    about = [(part.plan.stream, part.plan.input, part.failed) for part in parts]
    return hashlib.sha256(msgspec.json.encode([msgspec.to_builtins(config), about, __version__])).hexdigest()


def _report(directory: Path, config: Config, place: Path) -> None:
    if config.output.report:
        from engine.report.page import write_report  # loads what looks at pictures

        write_report(directory, config.output.report_tracks, video=config.output.report_video, place=place)


def take_place(beside: Path, target: Path) -> None:
    """Put a directory where another one may be: at every moment one of them is whole."""
    old = target.absolute().with_name(f".replaced-{target.name}")
    if old.exists():
        shutil.rmtree(old)
    if target.exists():
        target.rename(old)
    beside.rename(target)
    sync_directory(target.absolute().parent)
    if old.exists():
        shutil.rmtree(old)


@contextmanager
def _one_sentence(target: Path) -> Iterator[None]:
    """Say of what cannot be written where the user finds it, not where it is made."""
    try:
        yield
    except (OSError, OutputError) as error:
        why = error.__cause__ if isinstance(error, OutputError) else error
        if not isinstance(why, OSError):
            raise
        raise OutputError(f"cannot write the output directory {target}: {why.strerror}") from error
