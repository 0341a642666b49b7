"""The half of the work that needs no frames: crops in, results out. One process may hold it for several decoders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count
from typing import Protocol

from msgspec.structs import replace

from engine.contracts.counts import Calls, Counts
from engine.contracts.faces import IDS_PER_PERCEIVE, FaceCrop, FaceResult, TrackClosed, TrackResult
from engine.contracts.rejected import Rejected, TrackRejected
from engine.contracts.streams import StreamChanged
from engine.enhancement.enhancement import Said
from engine.enhancement.models import OpenModels
from engine.runtime.telemetry import Telemetry

Work = FaceCrop | TrackClosed | TrackRejected


_SEATS = count(1)


class Seat:
    """Enhances what one segment finds. Several may share the models, in one thread, also for segments of one recording: to the
    models each calls its tracks by numbers that no other has.

    Args:
        models: open; closed by the caller.
        stream: of the recording.
    """

    def __init__(self, models: OpenModels, stream: str) -> None:
        self._telemetry = Telemetry("enhance")
        self._core, self._stream, self._batch = models.core(self._telemetry), stream, max(1, models.batch)
        self._first_id = next(_SEATS) * IDS_PER_PERCEIVE

    def enhance(self, work: Sequence[Work]) -> list[Said]:
        """Return what is said of faces and ends of tracks, in their order.

        Args:
            work: in the order in which perception gave it; a track's faces come before its end.

        Raises:
            DeviceLostError: nothing can be computed any more.
        """
        ours = (replace(one, track_id=one.track_id + self._first_id) for one in work)
        return [_renamed(one, -self._first_id) for one in self._enhanced(ours)]

    def _enhanced(self, work: Iterable[Work]) -> list[Said]:
        said: list[Said] = []
        crops: list[FaceCrop] = []
        for one in work:
            if isinstance(one, FaceCrop):
                crops.append(one)
                if len(crops) < self._batch:
                    continue
            if crops:
                said += self._core.finish(crops, self._core.enlarge(crops))
                crops = []
            if isinstance(one, TrackRejected):
                said += self._core.show_rejected(one)
            elif not isinstance(one, FaceCrop):
                said.append(self._core.close_track(one))
        if crops:
            said += self._core.finish(crops, self._core.enlarge(crops))
        return said

    def account(self) -> tuple[dict[str, Calls], Counts]:
        """Return, once, the calls of the models by stage, and all that was counted."""
        closed = self._core.close_stream(StreamChanged(self._stream, "ended"))
        return dict(closed.calls), self._telemetry.counts.now()

    def close(self) -> None:
        """Forget what is not over; nothing comes after this."""
        self._core.forget_recordings()


def _renamed(said: Said, by: int) -> Said:
    """Return what is said, of a track with another number."""
    match said.body:
        case FaceResult(face=face) as body:
            return Said(replace(body, face=replace(face, track_id=face.track_id + by)), said.payloads)
        case TrackResult(track=track) as body:
            return Said(replace(body, track=replace(track, track_id=track.track_id + by)), said.payloads)
        case Rejected() as body:
            return Said(replace(body, track_id=body.track_id + by), said.payloads)


class Enhancing(Protocol):
    """The way to a ``Seat``, which may be in another process. What is given comes back in the same order."""

    def put(self, work: Sequence[Work]) -> None:
        """Give work; may wait while too much of it is on its way."""
        ...

    def take(self, *, all_of_it: bool) -> list[Said]:
        """Return what has come back; ``all_of_it``: wait for all that was given."""
        ...

    def account(self) -> tuple[dict[str, Calls], Counts]:
        """See ``Seat.account``; called after the last of all was taken."""
        ...

    def close(self) -> None:
        """The segment is over, or was left."""
        ...


class Here:
    """A ``Seat`` in this process: what is given is done at once.

    Args:
        seat: does the work.
    """

    def __init__(self, seat: Seat) -> None:
        self._seat = seat
        self._said: list[Said] = []
        self.account, self.close = seat.account, seat.close

    def put(self, work: Sequence[Work]) -> None:
        self._said += self._seat.enhance(work)

    def take(self, *, all_of_it: bool) -> list[Said]:
        said, self._said = self._said, []
        return said
