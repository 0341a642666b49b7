"""What is kept of one stream: its tracker and its selector."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

from msgspec.structs import replace

from engine.config import Config
from engine.contracts.counts import StreamCount
from engine.contracts.faces import FaceCrop, TrackClosed
from engine.contracts.frames import Detections, Frame, TrackedFace, TrackEnd
from engine.contracts.rejected import TrackRejected
from engine.crop import scene
from engine.crop.main_view import MainView
from engine.crop.selector import Selector
from engine.detect.second_look import Faceness
from engine.perception.acceptance import Acceptance
from engine.perception.following import Following
from engine.perception.near_misses import NearMisses, are_wanted
from engine.runtime.telemetry import Telemetry
from engine.track.carry import Carrier
from engine.track.judge import Judge

_CHECKPOINT_SECONDS = 1.0
Found = FaceCrop | TrackClosed | TrackRejected


class StreamFaces:
    """Follows the faces of one stream and chooses which of them go on.

    Args:
        stream: its name.
        config: of the run.
        frame_rate: nominal, in frames per second.
        new_id: returns a track id that was never used.
        start_score: of the detections that may begin a track.
        limits: what follows from the second look; None where nobody takes one.
        rejected: tracks of no face that an earlier attempt has found before the first frame.
        judge: compares the faces of a track; None: they are not compared.
        frames_expected: of the whole recording; 0: unknown. In one that is shorter than ``track.min_detections``, as a
            photograph is, what is reported is accepted.
        live: it is a camera's.
        counts: of the stream, to add to what became of its faces.
    """

    def __init__(
        self,
        stream: str,
        config: Config,
        frame_rate: float,
        new_id: Callable[[], int],
        start_score: float = 0.0,
        limits: Faceness | None = None,
        rejected: int = 0,
        judge: Judge | None = None,
        *,
        frames_expected: int = 0,
        live: bool,
        counts: Counter[StreamCount] | None = None,
    ) -> None:
        self._stream, self._live = stream, live
        self._counts = Counter[StreamCount]() if counts is None else counts
        self._follow = partial(_following, config, new_id=new_id, start_score=start_score, judge=judge)
        self._frame_rate, self._following = frame_rate, self._follow(frame_rate)
        self._followed_before = Counter[str]()
        enough, looks = config.track.min_detections, -(-frames_expected // config.detect.every)
        if 0 < looks < enough:
            enough, limits = looks, limits and limits.of_a_photograph()
        self._acceptance = Acceptance(enough, limits)
        self._near_misses = NearMisses(limits, config.crop.margin) if limits is not None and are_wanted(config) else None
        self._rejected_before, self._rejected_told = rejected, 0
        self._selector = Selector(config.crop, live=live, counts=self._counts, scenes=scene.are_wanted(config))
        self._main_view, self._is_strange_told = MainView(), False
        self._carrier = Carrier()
        self._next_checkpoint: float | None = None
        self.preview_due = 0.0
        """Seconds from which on somebody who watches gets the next preview."""
        self.seen: Sequence[TrackedFace] = ()
        """The faces of the newest frame that follow a track."""
        self.accepted: frozenset[int] = frozenset()
        """Track ids of those of them that were passed on."""

    @property
    def counters(self) -> Counter[str]:
        return (
            self._selector.counters
            + self._followed_before
            + self._following.counters
            + Counter({"faces.refused": self._acceptance.refused, "main.missed.unlike": self._main_view.unlike})
        )

    @property
    def rejected(self) -> int:
        """Tracks of no face since the beginning of the stream."""
        return self._rejected_before + self._acceptance.rejected

    def take_rejected(self) -> int:
        """Return how many there were since the last call."""
        new, self._rejected_told = self._acceptance.rejected - self._rejected_told, self._acceptance.rejected
        return new

    def take_complaint(self) -> str:
        """Return, once, what is wrong with the stream and does not end it; empty otherwise."""
        if self._is_strange_told or not self._main_view.is_strange:
            return ""
        self._is_strange_told = True
        return "the main stream does not show what the sub-stream shows, so faces are cut from the sub-stream: check crop_uri"

    def thin(self, factor: float) -> None:
        """Choose ``factor`` times fewer faces of a camera than without overload. A recording waits instead: what is found in it
        does not depend on what else there is to do."""
        if self._live:
            self._selector.thinning = factor

    def update(self, frame: Frame, detections: Detections | None, telemetry: Telemetry) -> list[Found]:
        """Take the next frame; return the faces to enhance and the tracks that are over, in the order in which they go on."""
        with telemetry.stage("scene_cut"):
            is_cut = self._following.is_cut(frame)
        if is_cut:
            self._carrier.forget()
        before = self._close(self._following.cut()) if is_cut else []
        with telemetry.stage("track"):
            faces, ends = self._following.update(frame, detections)
            if detections is None:
                faces = admitted = [] if frame.has_main else self._carrier.carry(frame)
                self._counts["found"] += len(faces)
        with telemetry.stage("crop"):
            if detections is not None:
                admitted = self._acceptance.admit(faces)
                if self._near_misses is not None:
                    self._near_misses.look(frame, faces, self._acceptance.is_accepted)
                self._carrier.found(frame, admitted)
                self._counts["unconfirmed"] += len(detections) - len(admitted)
            crops = self._cut(frame, admitted, telemetry)
        self.seen, self.accepted = faces, frozenset(face.track_id for face in admitted)
        return [*before, *crops, *self._close(ends)]

    def cut(self) -> list[Found]:
        """End all tracks: what comes next does not continue what was before."""
        self._carrier.forget()
        return self._close(self._following.reset())

    def pace(self, frame_rate: float) -> list[Found]:
        """Go on at another nominal rate, as where a camera has come back; tracks that are open end there."""
        if frame_rate == self._frame_rate:
            return []
        ended = self.cut()
        self._followed_before += self._following.counters
        self._frame_rate, self._following = frame_rate, self._follow(frame_rate)
        return ended

    def is_checkpoint_due(self, now_seconds: float) -> bool:
        """Tell whether a run that is cut could go on after the last frame, and the last such point is some time ago.

        Where no track is open all starts afresh, in this run as in one that goes on here: so both find the same.
        """
        if self._next_checkpoint is None:
            self._next_checkpoint = now_seconds + _CHECKPOINT_SECONDS
        if not self._following.is_idle:
            return False
        self._following.reset()
        if now_seconds < self._next_checkpoint:
            return False
        self._next_checkpoint = now_seconds + _CHECKPOINT_SECONDS
        return True

    def _cut(self, frame: Frame, faces: Sequence[TrackedFace], telemetry: Telemetry) -> list[FaceCrop]:
        """Choose among the faces of a frame, and cut them from the larger picture where there is one."""
        if not frame.has_main:
            return self._selector.offer(frame, faces)
        crops = [
            crop for picture, found in self._main_view.split(frame, faces) for crop in self._selector.offer(picture, found)
        ]
        for crop in crops:
            from_sub = (crop.width_px, crop.height_px) == (frame.planes.width_px, frame.planes.height_px)
            telemetry.counts.of_stream(self._stream, "sub_faces" if from_sub else "main_faces")
        return crops

    def _close(self, ends: Sequence[TrackEnd]) -> list[Found]:
        result: list[Found] = []
        for end in self._acceptance.close(ends):
            result += self._selector.close_track(end.track_id)
            result.append(TrackClosed(self._stream, end.track_id, end.span, end.frames_seen))
        if self._near_misses is not None:
            result += filter(None, (self._near_misses.end(self._stream, end) for end in ends))
        return result


def _following(
    config: Config, frame_rate: float, *, new_id: Callable[[], int], start_score: float, judge: Judge | None
) -> Following:
    # A track must outlive the frames on which the detector does not run, and one miss.
    lost_seconds = max(config.track.lost_seconds, 2.5 * config.detect.every / frame_rate)
    return Following(replace(config.track, lost_seconds=lost_seconds), frame_rate, new_id, start_score, judge)
