"""One segment of a recording, from its file to a directory of its own: decode, find and follow, enhance, write.

All in the caller's thread: a machine is kept busy by several processes with a segment each, so that none waits for another.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec.structs import replace

from engine.archive.files import Appended
from engine.config import Config
from engine.contracts.recording import Recording
from engine.delivery.delivery import Delivery
from engine.delivery.record import Record
from engine.enhancement.enhancement import Said
from engine.errors import OutputError
from engine.jobs.looking import Looking
from engine.jobs.pieces import PIECE, POINTS, Piece, read_piece, write_piece
from engine.jobs.segments import Segment
from engine.jobs.warm import Warm
from engine.pipeline.description import describe_run
from engine.publish.opening import open_publisher
from engine.runtime.telemetry import Telemetry
from engine.workers.links import outgoing

_TELL_SECONDS = 0.2


@dataclass(frozen=True)
class Progress:
    """How far a segment has come."""

    done: int
    """Frames."""
    of: int
    """About how many there are; 0: not known. It may become more than that."""


def process_segment(
    recording: Recording,
    segment: Segment,
    directory: Path,
    warm: Warm,
    tell: Callable[[Progress], None] = lambda progress: None,
) -> Piece:
    """Process a segment into a directory; where that was done before, nothing is done again.

    Args:
        recording: of which it is one.
        segment: which part.
        directory: of this segment alone. What an attempt that was cut short has left there goes.
        warm: models and settings; endpoints among them are not opened.
        tell: is told about five times a second how far it is, also while it reads what is no video.

    Returns:
        What is in ``directory`` now, see ``Piece``. A recording that cannot be read is no error: ``Piece.end`` says so.

    Raises:
        PublishError: another process writes there, or it cannot be written.
        DeviceLostError: nothing can be computed any more.
    """
    facts = recording.facts()
    before = read_piece(directory)
    if before is not None and (before.stream, before.segment, before.input) == (recording.name, segment, facts):
        return before
    began, looked, wrote = time.monotonic(), Telemetry("perceive"), Telemetry("publish")
    looking = Looking(recording, segment, warm.config, warm.perception(looked), looked)
    enhancing, bell = warm.enhancing(recording.name), _Bell(looking, segment, tell)
    looking.meanwhile(bell.ring)
    with closing(enhancing), _writing(directory, warm, wrote) as (delivery, points):

        def deliver(said: list[Said]) -> None:
            for one in said:
                message = outgoing(one.body, one.payloads)
                delivery.take(message.body, message.payloads)

        for step in looking:
            enhancing.put(step.work)
            deliver(enhancing.take(all_of_it=step.state is not None))
            if step.state is not None:
                delivery.send(step.state, [])
            if step.point is not None:
                points.append(msgspec.json.encode(step.point) + b"\n")
            bell.ring()
        bell.ring(at_once=True)
        deliver(enhancing.take(all_of_it=True))
        calls, enhanced = enhancing.account()
        delivery.end("completed", "")
    piece = Piece(
        stream=recording.name,
        input=facts,
        segment=segment,
        ending=looking.ending,
        last_frame=looking.last_frame,
        states=looking.states,
        end=looking.end,
        detail_if_damaged=looking.detail_if_damaged,
        calls=looking.calls | calls,
        decoded=looking.decoded,
        counts=looked.counts.now(),
        rejected=looking.rejected,
        enhanced=enhanced,
        facts=warm.facts,
        seconds=time.monotonic() - began,
    )
    with _one_sentence(directory):
        write_piece(directory, piece)
    return piece


class _Bell:
    """Tells the caller now and then how far it is."""

    def __init__(self, looking: Looking, segment: Segment, tell: Callable[[Progress], None]) -> None:
        self._looking, self._first, self._tell = looking, segment.first_frame, tell
        self._due = 0.0

    def ring(self, *, at_once: bool = False) -> None:
        """Tell it, if it is time, or ``at_once``."""
        if (now := time.monotonic()) < self._due and not at_once:
            return
        self._due = now + _TELL_SECONDS
        self._tell(Progress(self._looking.last_frame + 1 - self._first, self._looking.frames_expected))


@contextlib.contextmanager
def _writing(directory: Path, warm: Warm, telemetry: Telemetry) -> Iterator[tuple[Delivery, Appended]]:
    """Open a directory, emptied; closes it, also where the work in it fails."""
    config = _of_a_piece(warm.config, directory)
    with _one_sentence(directory):
        (directory / PIECE).unlink(missing_ok=True)
        (directory / POINTS).unlink(missing_ok=True)
    run = describe_run(config)
    with open_publisher(config.publish, str(run["run_id"])) as publisher, contextlib.ExitStack() as undo:
        record = Record(config.output, run)
        delivery = Delivery(publisher, telemetry, (), lambda: False, lambda said: None, record)
        delivery.open(warm.facts)
        with _one_sentence(directory):
            points = Appended(directory / POINTS)
        undo.callback(points.close)
        try:
            yield delivery, points
        except BaseException:
            if delivery.sink is not None:
                with contextlib.suppress(OutputError):
                    delivery.sink.close("failed")
            raise


def _of_a_piece(config: Config, directory: Path) -> Config:
    """Return the settings with which a segment is written: to its directory, and nowhere else."""
    output = replace(config.output, directory=str(directory), resume=False, overwrite=True, sign="")
    return replace(config, output=output, publish=replace(config.publish, endpoint="", replay="", traces=""))


@contextlib.contextmanager
def _one_sentence(directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"cannot write to the directory of a segment, {directory}: {error.strerror}") from error
