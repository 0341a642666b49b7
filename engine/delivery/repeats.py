"""What comes a second time: a worker that died had said it, and did not come to confirm what it was told for it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from engine.archive.resume import Said
from engine.contracts.envelope import Body
from engine.contracts.faces import FaceResult, TrackResult

_END = -1
_REMEMBERED = 4096
"""More than all enhance workers have in hand."""


class Repeats:
    """The newest faces and ends of tracks of recordings. What a camera's dead worker had in hand does not come again.

    Args:
        said: see ``Resume.newest``: by an earlier publisher of the run.
    """

    def __init__(self, said: Iterable[Said] = ()) -> None:
        self._said: OrderedDict[Said, None] = OrderedDict()
        for one in said:
            self._note(one)

    def knows(self, body: Body) -> bool:
        """Return whether this was said already; if not, it is from now on."""
        match body:
            case FaceResult(face=face) if not face.live:
                said = face.stream, face.track_id, face.time.frame_index
            case TrackResult(track=track, ended=True):
                said = track.stream, track.track_id, _END
            case _:
                return False
        if said in self._said:
            return True
        self._note(said)
        return False

    def _note(self, said: Said) -> None:
        self._said[said] = None
        if len(self._said) > _REMEMBERED:
            self._said.popitem(last=False)
