"""Finds, follows and cuts the faces of any number of streams."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import count

from msgspec.structs import replace

from engine.config import Config
from engine.contracts.faces import FaceCrop, TrackClosed
from engine.contracts.frames import Detections, Frame
from engine.contracts.rejected import TrackRejected
from engine.contracts.streams import Checkpoint, StreamChanged
from engine.contracts.tap import Preview
from engine.detect.detector import Detector
from engine.detect.second_look import Faceness
from engine.errors import DeviceLostError
from engine.perception.detecting import Detecting, Found
from engine.perception.overload import Governor
from engine.perception.preview import preview_of
from engine.perception.stream_faces import StreamFaces
from engine.perception.track_ids import TrackIds
from engine.perception.turns import Turns
from engine.pictures.veil import veiled
from engine.runtime.telemetry import Telemetry
from engine.sessions.model_calls import ModelCalls
from engine.track.judge import Judge
from engine.track.tracker import Tracker

DEFAULT_FRAME_RATE = 25.0
_PREVIEW_SHARE = 0.05
_RARER_UNDER_OVERLOAD = 10.0
Item = FaceCrop | TrackClosed | TrackRejected | StreamChanged | Checkpoint


@dataclass(frozen=True)
class Models:
    """What looks at pictures: open, and closed by the caller."""

    detector: Detector
    limits: Faceness | None = None
    """What follows from the second look; None where nobody takes one."""
    judge: Judge | None = None
    """Compares the faces of a track; None: they are not compared."""


class Perception:
    """The core: give it the frames and states of each stream in order, and pass on what it returns, in order.

    Only ``detect`` may be called from other threads.

    Args:
        config: of the run.
        models: what looks at pictures.
        calls: counts the calls of models that fail.
        telemetry: counts and measures the rest.
        ids: gives tracks their numbers; None: from 1, in one series.
        rejected: tracks of no face that earlier attempts found in what is kept, by recording.
        warn: is told a stream, and once what is wrong with it and does not end it.
    """

    def __init__(
        self,
        config: Config,
        models: Models,
        calls: ModelCalls,
        telemetry: Telemetry,
        ids: TrackIds | None = None,
        rejected: Mapping[str, int] | None = None,
        warn: Callable[[str, str], None] = lambda stream, sentence: None,
    ) -> None:
        Tracker(config.track, DEFAULT_FRAME_RATE, count().__next__)  # loads its library now, not at the first face
        self._config, self._models, self._calls, self._telemetry = config, models, calls, telemetry
        self._governor, self._warn = Governor(), warn
        self._detecting = Detecting(models.detector, calls, telemetry, self._governor)
        self._streams: dict[str, StreamFaces] = {}
        """Each made when what goes before its first frame, or that frame, has its turn: not when one is asked about."""
        self._turns: defaultdict[str, Turns] = defaultdict(Turns)
        self._ids = ids or TrackIds()
        self._rejected_before = dict(rejected or {})
        self._previews_rest_until = 0.0
        self.detect = self._detecting.detect
        """Look for the faces of some pictures; see ``Detecting.detect``."""
        self.together = models.detector.profile.best
        """Pictures that are worth giving to ``detect`` together, of whichever streams."""
        self.take_refusal = self._detecting.take_refusal
        """See ``Detecting.take_refusal``."""

    def is_detection_due(self, stream: str, *, marked: bool, live: bool) -> bool:
        """Tell whether the detector should run on the next frame of a stream, under overload on every n-th of a camera that is
        due; ask once for each frame, which may be while ``change`` has not yet been told what came before it."""
        return self._turns[stream].is_due(self._governor.detect_step if live else 1, marked=marked)

    def miss(self, stream: str, *, marked: bool) -> None:
        """A camera's frame was dropped before it was looked at."""
        if marked:
            self._governor.note("detect", late=True)
            self._turns[stream].owe()

    def note_close_frame(self) -> None:
        """A camera's frame is looked at just before it would have been dropped."""
        self._governor.note("detect", late=True)

    def drop_face(self, stream: str, cause: str) -> None:
        """A face was dropped behind this: the next stage had no time for it, or ``worker_died``."""
        self._governor.note("enhance", late=cause != "worker_died")
        self._telemetry.drop(stream, cause)
        self._telemetry.counts.of_stream(stream, "late")

    def note_faces(self, count: int, close_calls: int) -> None:
        """So many faces were handed to the next stage, some of them just in time."""
        for number in range(count):
            self._governor.note("enhance", late=number < close_calls)

    def take(self, frame: Frame, found: Found | None, now_seconds: float, *, live: bool) -> list[Item]:
        """Take the next frame of a stream.

        Args:
            frame: the picture.
            found: by the detector; None where it did not run.
            now_seconds: on any clock that does not step back.
            live: it is a camera's.
        """
        detections = None if found is None else self._detecting.note(frame.stream, found, live=live)
        faces = self._stream(frame.stream, live=live)
        items = self._follow(faces, frame, detections)
        self._count(frame.stream, faces, items)
        if not live and faces.is_checkpoint_due(now_seconds):
            items.append(Checkpoint(frame.stream, frame.time.frame_index, self._ids.peek(frame.stream), faces.rejected))
        return items

    def change(self, event: StreamChanged, *, live: bool) -> list[Item]:
        """A stream entered a state: end tracks where the picture is cut, and take over the rate of a camera that came back."""
        faces, items = self._streams.get(event.stream), list[Item]()
        if faces is None:
            if event.frame_rate:
                self._streams[event.stream] = self._new_stream(event.stream, event.frame_rate, event.frames_expected, live=live)
        else:
            if event.is_last or event.state == "discontinuity":
                items += faces.cut()
            elif event.state == "live" and event.frame_rate:
                items += faces.pace(event.frame_rate)
            self._count(event.stream, faces, items)
            if event.is_last:
                self._telemetry.counters.update(faces.counters)
                event = replace(event, counters=event.counters | {"rejected": faces.rejected})
                del self._streams[event.stream]
                self._turns.pop(event.stream, None)
        return [*items, event.with_account(self._calls.close(event.stream)) if event.is_last else event]

    def counters_of(self, stream: str) -> Counter[str]:
        """Return what was counted of a stream that goes on and comes into the totals at its end."""
        return self._streams[stream].counters

    def preview(self, frame: Frame, now_seconds: float) -> tuple[Preview, bytes] | None:
        """Return what ``preview_of`` makes of a frame that was just taken; None where none is due.

        Two of a stream lie ``live.preview_seconds`` apart. They give way before all else: under overload they are
        ``_RARER_UNDER_OVERLOAD`` times rarer, and those of all streams take ``_PREVIEW_SHARE`` of the time at most. What
        ``publish.redact`` says of faces holds for them: ``vectors``: there are none; ``blur``: every face is hidden, as nobody
        knows here who is recognised.
        """
        seconds, faces = self._config.live.preview_seconds, self._streams.get(frame.stream)
        redact = self._config.publish.redact
        if (
            faces is None
            or not seconds
            or redact == "vectors"
            or now_seconds < max(faces.preview_due, self._previews_rest_until)
        ):
            return None
        start = time.perf_counter()
        with self._telemetry.stage("preview"):
            made = preview_of(frame, faces.seen, faces.accepted, None if redact == "none" else veiled)
        faces.preview_due = now_seconds + seconds * (_RARER_UNDER_OVERLOAD if self._governor.level else 1)
        self._previews_rest_until = now_seconds + (time.perf_counter() - start) / _PREVIEW_SHARE
        return made

    def adapt(self, now_seconds: float) -> None:
        """Do less where the machine is too slow for its cameras, and more again where it is not, if ``live.adapt`` says so."""
        if self._config.live.adapt and self._governor.update(now_seconds):
            self._telemetry.counters["overload.level"] = self._governor.level
            for faces in self._streams.values():
                faces.thin(self._governor.thinning)

    def _follow(self, faces: StreamFaces, frame: Frame, detections: Detections | None) -> list[Item]:
        try:
            items = faces.update(frame, detections, self._telemetry)
        except DeviceLostError:
            raise
        except Exception as error:  # costs this frame's faces, see ModelCalls
            self._calls.failed(frame.stream, "track", error)
            return []
        self._calls.worked(frame.stream, "track")
        return list(items)

    def _count(self, stream: str, faces: StreamFaces, items: list[Item]) -> None:
        counts = self._telemetry.counts
        for item in items:
            if not isinstance(item, TrackRejected):
                counts.run["crops" if isinstance(item, FaceCrop) else "tracks"] += 1
        if complaint := faces.take_complaint():
            self._warn(stream, complaint)
        if rejected := faces.take_rejected():
            counts.everywhere(stream, "rejected", rejected)

    def _stream(self, name: str, *, live: bool) -> StreamFaces:
        if name not in self._streams:
            self._streams[name] = self._new_stream(name, DEFAULT_FRAME_RATE, live=live)
        return self._streams[name]

    def _new_stream(self, name: str, frame_rate: float, frames_expected: int = 0, *, live: bool) -> StreamFaces:
        faces = StreamFaces(
            name,
            self._config,
            frame_rate,
            partial(self._ids.take, name),
            self._models.detector.sure_score,
            self._models.limits,
            self._rejected_before.pop(name, 0),
            self._models.judge,
            frames_expected=frames_expected,
            live=live,
            counts=self._telemetry.counts.streams[name],
        )
        faces.thin(self._governor.thinning)  # it may begin under overload
        return faces
