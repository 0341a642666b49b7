"""Numbers results, puts them on the socket, and writes the output directory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from engine.archive.writer import DirectorySink
from engine.contracts.counts import Counting, Counts
from engine.contracts.envelope import Body
from engine.contracts.faces import FaceResult
from engine.contracts.frames import Uint8
from engine.contracts.messages import Face, Outcome
from engine.contracts.orders import Settled, Warned
from engine.contracts.rejected import Rejected
from engine.contracts.streams import Checkpoint, InputFile, RunEnd, StreamChanged
from engine.delivery.barrier import Barrier
from engine.delivery.record import Record
from engine.delivery.repeats import Repeats
from engine.delivery.traces import Traces
from engine.delivery.unwritten import Unwritten
from engine.delivery.verdict import judged
from engine.publish.publisher import Publisher
from engine.runtime.telemetry import Telemetry


class Delivery:
    """The core: give it what the enhance workers say, with who said it.

    Args:
        publisher: the socket; closed by the caller.
        telemetry: counts and measures.
        lanes: names of the enhance workers.
        should_stop: asked now and then while a message waits for its reader; True: it is given up.
        tell: is told of each last state that the account of the models' calls has made another one, of each stream that has
            been said to its end, of how far recordings have that may be read again, and of what cannot be written.
        record: what is to be written.
        traces: of some faces; None: none.
    """

    def __init__(
        self,
        publisher: Publisher,
        telemetry: Telemetry,
        lanes: Iterable[str],
        should_stop: Callable[[], bool],
        tell: Callable[[StreamChanged | Settled | Warned], None],
        record: Record,
        traces: Traces | None = None,
    ) -> None:
        self._publisher, self._telemetry, self._should_stop, self._tell = publisher, telemetry, should_stop, tell
        self._barrier, self._record, self._traces = Barrier(lanes), record, traces
        self._repeats = Repeats(record.read_again, record.newest)
        self._inputs: set[str] = set()
        self._unwritten = Unwritten(record.survives, telemetry.counters, lambda sentence: tell(Warned("", sentence)))
        self._facts: dict[str, Any] = {}
        self.sink: DirectorySink | None = None
        """The output directory, from when all workers are ready; None where none is written."""

    def open(self, facts: dict[str, Any]) -> None:
        """All workers are ready: begin to write; see ``Record.open``."""
        self._facts = facts
        self.sink = self._record.open(facts)

    def pass_on(self, event: StreamChanged | Checkpoint | InputFile, lane: str) -> None:
        """Take one worker's copy of an event, and send it if it was the one that was waited for."""
        if isinstance(event, InputFile):
            self._note_input(event)
        else:
            self._pass(self._barrier.take(event, lane))

    def take(self, body: Body | Rejected, arrays: Sequence[Uint8]) -> None:
        """Send what an enhance worker says of a face or a track, unless that was said before; args as for ``send``. Of a track
        that was rejected nothing is sent: it is only written."""
        if isinstance(body, Rejected):
            if (sink := self.sink) is not None:
                payloads = [array.data for array in arrays]
                self._unwritten.guard(sink, lambda: sink.write_rejected(body, payloads))
        elif (fresh := self._repeats.fresh(body)) is not None:
            self.send(fresh, arrays)

    def give_up(self, last: StreamChanged) -> None:
        """Send the last state of a stream that no worker says, unless one has said it; nothing of a recording follows it."""
        if self._repeats.passes(last):
            self.send(last, [])

    def _note_input(self, link: InputFile) -> None:
        """Write down, once, what was read."""
        if (sink := self.sink) is not None and link.stream not in self._inputs:
            self._inputs.add(link.stream)
            about = link.stream, link.path, link.size_bytes, link.sha256, link.mtime_ns
            self._unwritten.guard(sink, lambda: sink.record_input(*about))

    def miss(self) -> None:
        """A worker took something along when it died."""
        if self.sink is not None:
            self.sink.stop_vouching()

    def leave(self, lane: str, *, has_said_all: bool) -> None:
        """A worker will send no more: send what waited for it alone. ``has_said_all``: False where it died, or did not get
        everything itself: nothing that is sent now vouches for what came before it."""
        if not has_said_all:
            self.miss()
        self._pass(self._barrier.leave(lane))

    def send(self, body: Body, arrays: Sequence[Uint8]) -> None:
        """Give a message its number, send it, and write it.

        Args:
            body: of the message.
            arrays: its payloads, each bytes, (length,).
        """
        payloads = [array.data for array in arrays]
        with self._telemetry.stage("publish"):
            sent = self._publisher.send(body, payloads, self._should_stop)
        if isinstance(sent, Face):
            self._telemetry.record_latency(sent.stream, (sent.sent_ns - sent.captured_ns) / 1e9)
            if self._traces is not None and isinstance(body, FaceResult):
                self._traces.take(body.face, sent.run_id, sent.decision, sent.sent_ns)
        if (sink := self.sink) is not None:
            with self._telemetry.stage("write"):
                self._unwritten.guard(sink, lambda: sink.write(sent, payloads))
            for name, total in sink.counters.items():
                self._telemetry.counters[name] = total

    def end(self, outcome: Outcome, detail: str, *counted: Counts) -> Counting:
        """Say and write how the run ended, with the totals of all its workers; return them.

        They are not in the telemetry yet: while readers are waited for, it tells what this worker alone has counted.

        Args:
            outcome: of the run.
            detail: for a person.
            counted: by the others.
        """
        counts = Counting()
        for part in (self._telemetry.counts.now(), self._record.counted, *counted):
            counts.add(part)
        self.send(RunEnd(outcome, detail, counts.now().flat()), [])
        counts.run.update(self._publisher.counters)
        if (sink := self.sink) is not None:
            totals: Counts = counts.now()
            about = {"workers": self._facts, "counters": totals.flat(), "streams": counts.streams}
            kept: Outcome = "failed" if self._unwritten.any else outcome
            self._unwritten.guard(sink, lambda: sink.close(kept, about))
        return counts

    def _pass(self, events: Iterable[StreamChanged | Checkpoint]) -> None:
        for event in filter(self._repeats.passes, events):
            if isinstance(event, StreamChanged):
                verdict = judged(event)
                self.send(verdict, [])
                if verdict is not event:
                    self._tell(verdict)
            elif (sink := self.sink) is not None:
                about = event.stream, event.frame_index, event.next_track_id, event.rejected
                with self._telemetry.stage("checkpoint"):
                    self._unwritten.guard(sink, partial(sink.checkpoint, *about))
            if isinstance(event, StreamChanged) and event.is_last:
                self._tell(Settled(event.stream))
            elif isinstance(event, Checkpoint) and event.stream in self._record.read_again:
                self._tell(Settled(event.stream, event.frame_index))
