"""What comes a second time, because a worker died: it had said it and not come to confirm what it was told for it, or a
recording is read again from its last checkpoint, with other track ids.

Faces and ends of tracks are said once. News of a track that goes on may be said again when the track is found again: the newest
counts.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable

from msgspec.structs import replace

from engine.archive.resume import Said
from engine.contracts.envelope import Body
from engine.contracts.faces import IDS_PER_PERCEIVE, FaceResult, Sighting, TrackResult
from engine.contracts.streams import Checkpoint, StreamChanged

_MOST_FACES = 50_000
"""Of one recording since its last checkpoint, in 9 MB: what is read again of one with more comes twice."""
_MOST_ENDED = 4096
"""More tracks than all enhance workers have in hand."""
_Box = tuple[float, float, float, float]


class _Recording:
    """What was said of a recording since its last checkpoint. A perceive gives other ids than the one before it to the tracks
    that it finds again: what it says has the ids that were given first.
    """

    def __init__(self) -> None:
        self._faces: OrderedDict[int, int] = OrderedDict()
        """Of each face its ``_key`` to its track."""
        self._known_as: dict[int, int] = {}
        self._perceive = 0
        self._settled = -1
        """The frame of the last checkpoint: all up to it was said."""

    def note(self, frame_index: int, box: _Box, track_id: int) -> None:
        self._faces[_key(frame_index, box)] = track_id
        if len(self._faces) > _MOST_FACES:
            self._faces.popitem(last=False)

    def settle(self, frame_index: int) -> None:
        self._settled = max(self._settled, frame_index)
        for face in [face for face in self._faces if face >> 64 <= self._settled]:
            del self._faces[face]

    def track_of(self, face: Sighting) -> int | None:
        """Return the track of a face that was not said; None: it was, or will be found again."""
        if self._is_gone(face.track_id, face.time.frame_index):
            return None
        before = self._faces.get(_key(face.time.frame_index, face.box))
        track_id = self._known_as.setdefault(face.track_id, face.track_id if before is None else before)
        if before is not None:
            return None
        self.note(face.time.frame_index, face.box, track_id)
        return track_id

    def end_of(self, closed: TrackResult) -> int | None:
        """Return by which id a track is known; None where it was said, or will be found again."""
        track_id = closed.track.track_id
        if self._is_gone(track_id, closed.track.span.last.frame_index):
            return None
        return self._known_as.pop(track_id, track_id) if closed.ended else self._known_as.get(track_id, track_id)

    def _is_gone(self, track_id: int, frame_index: int) -> bool:
        perceive = track_id // IDS_PER_PERCEIVE
        self._perceive = max(self._perceive, perceive)
        return perceive < self._perceive or frame_index <= self._settled


def _key(frame_index: int, box: _Box) -> int:
    """Return a face's frame, and 64 bits of its box: there may be very many."""
    return frame_index << 64 | hash(box) & 0xFFFFFFFFFFFFFFFF


class Repeats:
    """Knows the newest faces of recordings, and ends of tracks. What a camera's dead worker had in hand does not come again.

    Args:
        recordings: names of the streams that may be read again. No camera is called as one of them, and each may be removed and
            added again: its last state is not its last word.
        said: see ``Resume.newest``: by an earlier publisher of the run.
    """

    def __init__(self, recordings: Collection[str] = (), said: Iterable[Said] = ()) -> None:
        self._recordings = {name: _Recording() for name in recordings}
        self._over: set[str] = set()
        """Recordings that have said their last word."""
        self._ended: OrderedDict[tuple[str, int], None] = OrderedDict()
        for one in said:
            if one.box is None:
                self._note_end(one.stream, one.track_id)
            elif recording := self._recordings.get(one.stream):
                recording.note(one.frame_index, one.box, one.track_id)

    def fresh(self, body: Body) -> Body | None:
        """Return what is to be said, by the track's first id; None where it was said already."""
        if body.stream in self._over:
            return None
        match body:
            case FaceResult(face=face) if recording := self._recordings.get(face.stream):
                track_id = recording.track_of(face)
                if track_id is None or track_id == face.track_id:
                    return None if track_id is None else body
                return replace(body, face=replace(face, track_id=track_id))
            case TrackResult(track=track):
                recording = self._recordings.get(track.stream)
                known = recording.end_of(body) if recording else track.track_id
                if known is None or (body.ended and not self._note_end(track.stream, known)):
                    return None
                return body if known == track.track_id else replace(body, track=replace(track, track_id=known))
        return body

    def passes(self, event: StreamChanged | Checkpoint) -> bool:
        """Note that all before an event was said; return whether it is to be said, too."""
        if event.stream in self._over:
            return False
        recording = self._recordings.get(event.stream)
        if recording is None:
            return True
        if isinstance(event, Checkpoint):
            recording.settle(event.frame_index)
        elif event.is_last:
            del self._recordings[event.stream]
            self._over.add(event.stream)
        return True

    def _note_end(self, stream: str, track_id: int) -> bool:
        """Whether this is new."""
        if (stream, track_id) in self._ended:
            return False
        self._ended[stream, track_id] = None
        if len(self._ended) > _MOST_ENDED:
            self._ended.popitem(last=False)
        return True
