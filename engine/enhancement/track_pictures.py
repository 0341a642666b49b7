"""One picture out of many frames: kept for each open track, made when it pays, and counted."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.config import CropConfig
from engine.contracts.faces import FaceCrop
from engine.contracts.frames import Uint8
from engine.contracts.intervals import reaches
from engine.contracts.track_picture import FusedFrame, TrackPicture
from engine.enhancement.best_shots import BestShots, Shot, whole_share
from engine.errors import DeviceLostError
from engine.pictures.colour import bgr_from_planes
from engine.runtime.telemetry import Telemetry
from engine.sessions.model_calls import ModelCalls
from engine.super_resolve.enhancer import EnhancedFace, enlarge_planes
from engine.super_resolve.track_picture import TrackPicture as Fused

EXTRAS = frozenset({"fuse"})
"""Stages whose failure costs no face."""
_LEAST_SHOTS = 2
_IMPROVED = 2.0
"""A picture is made again once its shots are worth so many times those of the last one."""
_LEAST_SECONDS = 2.0
"""Between two pictures of a camera's track, by its clock."""
_MOST_BYTES = 64 << 20
"""Pixels of all open tracks of a worker's cameras; those that have had no face for longest lose theirs first. A recording's
keep theirs, which are as many as its picture has room for: what is found in it does not depend on what is beside it."""
Key = tuple[str, int]


class Fuser(Protocol):
    """Makes one picture out of several shots of one face."""

    def fuse(self, shots: Sequence[Shot], /) -> Fused | None:
        """Return the picture, None where the shots do not fit each other; its ``fusion`` is what is said to have made it.

        Args:
            shots: at least two, of one track, by time.

        Raises:
            InferenceError: the model fails.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """The picture of a track."""

    said: TrackPicture
    bgr: Uint8
    agreement: Uint8
    reference: FaceCrop
    """The crop in whose place it is."""


class _Track:
    def __init__(self, *, live: bool) -> None:
        self._live = live
        self.best = BestShots()
        self.is_large = False
        self.worth = 0.0
        """That the last picture had."""
        self.seconds = float("-inf")
        """When that was made."""
        self.is_made = False
        """The shots are those of the last picture."""
        self.fused: Fused | None = None
        """That picture; None where they do not fit each other, or ``is_made`` is not so."""

    @property
    def size_bytes(self) -> int:
        """Of all its pixels, as far as they are bounded."""
        if not self._live:
            return 0
        return self.best.size_bytes + (self.fused.luma.nbytes + self.fused.agreement.nbytes if self.fused else 0)

    def renew(self, best: BestShots) -> None:
        """Take other shots; what was made of those before is not theirs."""
        self.best, self.is_made, self.fused = best, False, None


class TrackPictures:
    """The pictures of one worker's tracks.

    Args:
        fuser: makes them; None: there are none.
        crop: how faces are cut; one over ``max_size_px`` is shown as it is, and stands for its track.
        calls: counts the calls that fail.
        telemetry: counts and measures the rest: ``track_pictures`` were made, ``track_pictures.left_out`` were not, as the
            machine was behind or the memory full.
    """

    def __init__(self, fuser: Fuser | None, crop: CropConfig, calls: ModelCalls, telemetry: Telemetry) -> None:
        self._fuser, self._crop, self._calls, self._telemetry = fuser, crop, calls, telemetry
        self._tracks: OrderedDict[Key, _Track] = OrderedDict()
        self._size_bytes = 0
        self.is_behind = False
        """More than can be done waits: pictures of cameras' tracks are left out first."""

    def add(self, crop: FaceCrop, face: EnhancedFace | None) -> None:
        """Take one more face of a track.

        Args:
            crop: as it came.
            face: enlarged; None: it was not.
        """
        if self._fuser is None:
            return
        key = (crop.stream, crop.track_id)
        track = self._tracks.setdefault(key, _Track(live=crop.live))
        self._tracks.move_to_end(key)
        before = track.size_bytes
        if crop.quality.size_px > self._crop.max_size_px:
            track.is_large = True
            track.renew(BestShots())
        elif face is not None and not track.is_large:
            shots = track.best.shots
            track.best.offer(Shot(crop, face.luma, face.scale, whole_share(crop, self._crop.margin)))
            if track.best.shots != shots:
                track.renew(track.best)
        self._size_bytes += track.size_bytes - before
        self._make_room()

    def is_due(self, stream: str, track_id: int) -> bool:
        """Whether a camera's track that goes on should have a picture now, or a better one."""
        track = self._tracks.get((stream, track_id))
        if track is None or len(track.best.shots) < _LEAST_SHOTS or not track.best.shots[-1].crop.live or self.is_behind:
            return False
        since_seconds = track.best.shots[-1].seconds - track.seconds
        return track.best.worth >= _IMPROVED * track.worth and reaches(since_seconds, _LEAST_SECONDS)

    def make(self, stream: str, track_id: int) -> Made | None:
        """Return the picture of a track out of what there is now.

        Returns:
            None: there are fewer than two usable shots, they do not fit each other, the model failed, or the machine is behind.

        Raises:
            DeviceLostError: nothing can be computed any more.
        """
        track = self._tracks.get((stream, track_id))
        if self._fuser is None or track is None or len(shots := track.best.shots) < _LEAST_SHOTS:
            return None
        if self.is_behind and shots[-1].crop.live:
            self._leave_out()
            return None
        track.worth, track.seconds = track.best.worth, shots[-1].seconds
        try:
            with self._telemetry.stage("fuse", len(shots)):
                is_new = not track.is_made
                if is_new:
                    before = track.size_bytes
                    track.fused, track.is_made = self._fuser.fuse(shots), True
                    self._size_bytes += track.size_bytes - before
                made = _made(shots, track.fused) if track.fused else None
        except DeviceLostError:
            raise
        except Exception as error:
            self._calls.failed(stream, "fuse", error)
            return None
        self._calls.worked(stream, "fuse")
        self._telemetry.counters["track_pictures"] += is_new and made is not None
        return made

    def forget(self, key: Key) -> None:
        """Free what is held for a track; nothing happens if there is nothing."""
        if (track := self._tracks.pop(key, None)) is not None:
            self._size_bytes -= track.size_bytes

    def _make_room(self) -> None:
        """Let the tracks that have had no face for longest lose their pixels, and what they had be remembered: else each would
        have its first picture again, of fewer faces."""
        if self._size_bytes <= _MOST_BYTES:
            return
        for track in self._tracks.values():
            if track.size_bytes > 0:
                self._size_bytes -= track.size_bytes
                track.renew(BestShots())
                self._leave_out()
            if self._size_bytes <= _MOST_BYTES:
                return

    def _leave_out(self) -> None:
        self._telemetry.counters["track_pictures.left_out"] += 1


def _made(shots: Sequence[Shot], fused: Fused) -> Made | None:
    """Return what is sent of a picture; None where only one frame is left in it."""
    order = [fused.reference, *(place for place in range(len(shots)) if place != fused.reference)]
    used = [place for place in order if fused.weights[place] > 0]
    total = sum(fused.weights[place] for place in used)
    if len(used) < _LEAST_SHOTS:
        return None
    reference = shots[fused.reference]
    frames = [_frame(shots[place], float(fused.weights[place] / total)) for place in used]
    rejected = [shots[place].crop.time.frame_index for place in order if place not in used]
    height, width = fused.luma.shape
    agreement = float(fused.agreement.mean()) / 255
    said = TrackPicture(fused.fusion, reference.scale, frames, rejected, width, height, agreement)
    colour = bgr_from_planes(enlarge_planes(reference.crop.planes, reference.scale, fused.luma))
    return Made(said, colour, fused.agreement, reference.crop)


def _frame(shot: Shot, weight: float) -> FusedFrame:
    return FusedFrame(shot.crop.time.frame_index, shot.crop.time.pts_seconds, weight)
