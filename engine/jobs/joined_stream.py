"""One recording out of its segments: its states, and what was counted, as a reader of all of it tells them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace

from engine.contracts.counts import Calls, Counting, Counts
from engine.contracts.streams import StreamChanged
from engine.decode.recording_end import check_pictures, looks_damaged, notes_of
from engine.delivery.verdict import judged
from engine.errors import SourceError
from engine.jobs.joined_lines import Lines
from engine.jobs.joins import Chain, Link
from engine.jobs.pieces import Piece
from engine.jobs.plan import Plan
from engine.jobs.segments import Segment

_AT_THE_BEGIN = ("connecting", "live")


class JoinedStream:
    """Writes the lines of one recording.

    Args:
        plan: of the recording.
        lines: where to.
        counts: of the run, to add to.
    """

    def __init__(self, plan: Plan, lines: Lines, counts: Counting) -> None:
        self._plan, self._lines, self._counts = plan, lines, counts
        self._decoded: Counter[str] = Counter()
        """What one reader would have counted up to here."""
        self._calls: dict[str, Calls] = {}
        self._rejected = 0
        self._was_followed = False
        """Perception has heard of the stream."""

    def fail(self, why: str) -> None:
        """It has been set aside; nothing of it counts."""
        self._lines.say(StreamChanged(self._plan.stream, "failed", "worker_died", why))

    def write(self, chain: Chain, pieces: Mapping[Segment, tuple[Path, Piece]]) -> StreamChanged:
        """Write all of it; return its last state.

        Args:
            chain: whole.
            pieces: of all its links: directory, and what is in it.

        Raises:
            PublishError, OutputError: see ``Lines.take``.
        """
        last: Piece | None = None
        for number, link in enumerate(chain.links):
            directory, piece = pieces[link.segment]
            before = link.after.decoded if link.after is not None else {}
            shift = {name: self._decoded[name] - before.get(name, 0) for name in piece.decoded}
            self._say_states(link, piece, shift, is_first=number == 0)
            self._count(link, piece, self._lines.take(directory, 1 if link.after is None else link.after.next_track_id))
            self._decoded = Counter({name: total + shift.get(name, 0) for name, total in piece.decoded.items()})
            last = piece
        assert last is not None, "the chain is whole"
        end = self._last(last)
        self._lines.say(end)
        return end

    def _say_states(self, link: Link, piece: Piece, shift: Mapping[str, int], *, is_first: bool) -> None:
        self._was_followed |= any(state.event.frame_rate for state in piece.states)
        for state in piece.states:
            if state.before_frame < link.first_frame or (not is_first and state.event.state in _AT_THE_BEGIN):
                continue
            self._lines.say(replace(state.event, counters=_shifted(state.event.counters, shift)))

    def _count(self, link: Link, piece: Piece, lines: Counter[str]) -> None:
        """Add what was counted in a link; of what was enhanced its lines alone tell which of it counts."""
        stream, after = self._plan.stream, link.after
        self._counts.add(piece.counts if after is None else piece.counts.since(after.counts))
        self._counts.add(Counts(errors=piece.enhanced.errors, drops=piece.enhanced.drops))
        if errored := piece.enhanced.streams.get(stream, {}).get("errored", 0):
            self._counts.of_stream(stream, "errored", errored)
        if self._was_followed:
            self._counts.everywhere(stream, "faces", lines["faces"])
            self._counts.of_stream(stream, "enhanced", lines["enhanced"])
            self._counts.of_stream(stream, "passed_through", lines["faces"] - lines["enhanced"])
        self._counts.run["track_pictures"] += lines["track_pictures"]
        self._rejected += piece.rejected - (0 if after is None else after.rejected)
        for stage, calls in piece.calls.items():
            self._calls[stage] = self._calls.get(stage, Calls()) + calls

    def _last(self, piece: Piece) -> StreamChanged:
        """Return the last state, judged by all that was counted."""
        counters, end = dict(self._decoded), piece.end
        assert end is not None, "the chain is whole"
        if piece.segment.start is not None and end.state == "ended":  # else its reader has read the whole recording
            path = self._plan.path
            detail = piece.detail_if_damaged if looks_damaged(counters) else end.detail
            try:
                check_pictures(path, counters)
                notes = notes_of(path, counters, self._plan.scan.missing)
                end = replace(end, detail="; ".join(filter(None, [detail, *notes])))
            except SourceError as error:
                end = replace(end, state="failed", reason=error.reason, detail=str(error))
        rejected = {"rejected": self._rejected} if self._was_followed else {}
        return judged(replace(end, counters=counters | rejected, calls=self._calls))


def _shifted(counters: Mapping[str, int], shift: Mapping[str, int]) -> dict[str, int]:
    return {name: count + shift.get(name, 0) for name, count in counters.items()}
