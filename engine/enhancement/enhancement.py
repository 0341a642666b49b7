"""Enlarges faces, compares them with the gallery, and says what is known of their tracks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.config import Config
from engine.contracts.faces import FaceCrop, FaceResult, TrackClosed, TrackResult
from engine.contracts.findings import Candidate, Enhanced
from engine.contracts.messages import Part
from engine.contracts.orders import Warned
from engine.contracts.rejected import Rejected, TrackRejected, kept
from engine.contracts.streams import StreamChanged
from engine.enhancement.enlarging import Enlarged, enlarge
from engine.enhancement.track_pictures import Fuser, Made, TrackPictures
from engine.enhancement.track_so_far import TrackSoFar
from engine.errors import DeviceLostError
from engine.pictures.colour import bgr_from_planes
from engine.publish.encode import parts_of, shows_tracks, track_parts_of
from engine.runtime.telemetry import Telemetry
from engine.sessions.model_calls import ModelCalls
from engine.super_resolve.enhancer import EnhancedFace, Enhancer
from engine.verify.compared import FaceScores, TrackScores
from engine.verify.verifier import Verifier


@dataclass(frozen=True)
class Said:
    """One message for the publisher."""

    body: FaceResult | TrackResult | Rejected
    payloads: list[bytes]
    """One for each of its parts."""


def has_picture(said: Said) -> bool:
    """Whether a message shows a track by a picture made of many frames."""
    return isinstance(said.body, TrackResult) and said.body.picture is not None


class Enhancement:
    """The core: give it the crops of each track in order, and then its end; pass on what it returns, in order. A picture of
    many frames takes as long as several faces: while a track goes on it is made by ``picture_due``, when no face waits.

    Only ``enlarge`` may be called from other threads.

    Args:
        config: of the run.
        enhancer: None: nothing is enlarged.
        hurried: the same, faster for a face that is alone and slower for many.
        verifier: says whose faces they are.
        calls: counts the calls of models that fail.
        telemetry: counts and measures the rest.
        warn: is told what is wrong with the gallery.
        fuser: makes one picture of many frames of a track; None: there are none.
    """

    def __init__(
        self,
        config: Config,
        enhancer: Enhancer | None,
        hurried: Enhancer | None,
        verifier: Verifier,
        calls: ModelCalls,
        telemetry: Telemetry,
        warn: Callable[[Warned], None],
        fuser: Fuser | None = None,
    ) -> None:
        self._config, self._enhancer, self._hurried = config, enhancer, hurried
        self._verifier, self._calls, self._telemetry, self._warn = verifier, calls, telemetry, warn
        self._tracks: dict[tuple[str, int], TrackSoFar] = {}
        self._due: dict[tuple[str, int], None] = {}
        """Tracks that should have a picture, or a better one, longest first."""
        some_may_leave = shows_tracks(config.publish, is_known=True)
        self._pictures = TrackPictures(fuser if some_may_leave else None, config.crop, calls, telemetry)

    def enlarge(self, crops: Sequence[FaceCrop], *, hurry: bool = False) -> Enlarged:
        """Enlarge faces; see ``enlarging.enlarge``."""
        return enlarge((self._hurried if hurry else None) or self._enhancer, crops)

    def finish(self, crops: Sequence[FaceCrop], enlarged: Enlarged) -> list[Said]:
        """Verify enlarged faces; a face that a model fails on goes on without what that model would have given."""
        self._telemetry.record("super_resolve", enlarged.seconds, len(crops))
        for place, crop in enumerate(crops):
            if place in enlarged.errors:
                self._calls.failed(crop.stream, "super_resolve", enlarged.errors[place])
            elif self._enhancer is not None:
                self._calls.worked(crop.stream, "super_resolve")
        said = self.compare_again()
        with self._telemetry.stage("verify", len(crops)):
            scores = self._scores(crops, enlarged)
        self._say_gallery()
        for crop, original, face, score in zip(crops, enlarged.originals, enlarged.faces, scores, strict=True):
            with self._telemetry.stage("encode"):
                picture, model = (face.bgr, face.model) if face else (None, "")
                is_known = score.decision == "known"
                scene = None if crop.scene is None else bgr_from_planes(crop.scene)
                parts, payloads = parts_of(
                    self._config.publish, original, picture, score.embedding, model, is_known=is_known, scene_bgr=scene
                )
            self._telemetry.counts.everywhere(crop.stream, "faces")
            self._telemetry.counts.of_stream(crop.stream, "enhanced" if face else "passed_through")
            said.append(Said(self._result(crop, face, score, parts), payloads))
            track = self._tracks.setdefault((crop.stream, crop.track_id), TrackSoFar(crop))
            track.add(crop)
            self._pictures.add(crop, face)
            if score.track_decision_changed:
                said.append(self._track_now(track))
            may_leave = shows_tracks(self._config.publish, is_known=track.is_known)
            if may_leave and self._pictures.is_due(crop.stream, crop.track_id):
                self._due.setdefault((crop.stream, crop.track_id))
        return said

    @property
    def has_picture_due(self) -> bool:
        """Whether ``picture_due`` has something to do."""
        return bool(self._due)

    def picture_due(self) -> list[Said]:
        """Make the picture that has been due for longest, one at most, and return what there is to say of its track."""
        while self._due:
            key = next(iter(self._due))
            del self._due[key]
            track = self._tracks.get(key)
            if track is not None and self._pictures.is_due(*key):
                news = self._track_now(track, pictured=True)
                return [news] if has_picture(news) else []
        return []

    def compare_again(self) -> list[Said]:
        """Where the gallery has changed, return what that makes of the tracks that go on; cheap where it has not."""
        said = []
        for changed in self._verifier.changed_by_gallery():
            track = self._tracks.get((changed.stream, changed.track_id))
            if track is not None:
                said.append(self._track_now(track, reason=changed.reason))
        self._say_gallery()
        return said

    def close_track(self, closed: TrackClosed) -> Said:
        """A track is over, and all its faces are finished: say what is known of it, and forget it."""
        track = self._tracks.pop((closed.stream, closed.track_id), None)
        self._verifier.refresh()  # its last word: who was taken out by now is not in it
        said = self._track(closed, track.faces if track else 0, ended=True, pictured=True)
        self._forget((closed.stream, closed.track_id))
        return said

    def show_rejected(self, track: TrackRejected) -> list[Said]:
        """A track was rejected: return its picture as the source has it; nothing where none may leave."""
        with self._telemetry.stage("encode"):
            parts, payloads = parts_of(self._config.publish, bgr_from_planes(track.crop.planes), None, None)
        return [Said(kept(track, parts), payloads)] if parts else []

    def forget_recordings(self) -> list[TrackClosed]:
        """Forget the tracks of recordings, which are read again; return the others that go on, as if each ended with its newest
        finished face."""
        for key in [key for key, track in self._tracks.items() if not track.live]:
            del self._tracks[key]
            self._forget(key)
        return [track.as_closed() for track in self._tracks.values()]

    def note_load(self, *, is_behind: bool) -> None:
        """Say whether more waits than can be done: then pictures of cameras' tracks are left out."""
        self._pictures.is_behind = is_behind

    def close_stream(self, event: StreamChanged) -> StreamChanged:
        """Return the last state of a stream with the account of the models' calls."""
        return event.with_account(self._calls.close(event.stream))

    def _result(self, crop: FaceCrop, face: EnhancedFace | None, score: FaceScores, parts: list[Part]) -> FaceResult:
        enhanced = None
        if face is not None:
            enhanced = Enhanced(face.model, face.scale, face.lr_consistency_db, self._config.super_resolve.strength)
        return FaceResult(
            crop.sighting, enhanced, score.decision, score.candidates, score.gallery_version, parts, score.gallery
        )

    def _track_now(self, track: TrackSoFar, *, pictured: bool = False, reason: str = "") -> Said:
        news = self._track(track.as_closed(), track.faces, ended=False, pictured=pictured, reason=reason)
        track.is_known = isinstance(news.body, TrackResult) and news.body.decision == "known"
        return news

    def _track(self, closed: TrackClosed, faces: int, *, ended: bool, pictured: bool, reason: str = "") -> Said:
        scores = self._verifier.track_scores(closed.stream, closed.track_id)
        self._say_gallery()
        made, candidates = self._picture(closed, scores) if pictured else (None, scores.candidates)
        is_known = scores.decision == "known"
        shown = (made.bgr, made.agreement, made.said.model) if made else ()
        parts, payloads = track_parts_of(self._config.publish, scores.embedding, *shown, is_known=is_known)
        decided = scores.decision, candidates, scores.gallery_version
        picture = made.said if made else None
        result = TrackResult(closed, ended, faces, *decided, parts, scores.basis, scores.gallery, reason, picture)
        return Said(result, payloads)

    def _picture(self, closed: TrackClosed, scores: TrackScores) -> tuple[Made | None, list[Candidate]]:
        """Return the picture of a track if one can be made and may leave, and the candidates with its cosines beside."""
        key = closed.stream, closed.track_id
        if not shows_tracks(self._config.publish, is_known=scores.decision == "known"):
            return None, scores.candidates
        if (made := self._pictures.make(*key)) is None:
            return None, scores.candidates
        try:
            return made, self._verifier.beside(scores.candidates, made.reference, made.bgr, made.said.scale)
        except DeviceLostError:
            raise
        except Exception as error:
            self._calls.failed(closed.stream, "verify", error)
            return made, scores.candidates

    def _forget(self, key: tuple[str, int]) -> None:
        self._verifier.forget(*key)
        self._due.pop(key, None)
        self._pictures.forget(key)

    def _scores(self, crops: Sequence[FaceCrop], enlarged: Enlarged) -> list[FaceScores]:
        try:
            scores = self._verifier.score(crops, enlarged.originals, enlarged.faces)
        except DeviceLostError:
            raise
        except Exception as error:
            if len(crops) == 1:
                self._calls.failed(crops[0].stream, "verify", error)
                return [self._verifier.no_score()]
            return [score for crop, one in zip(crops, enlarged.each(), strict=True) for score in self._scores([crop], one)]
        for crop in crops:
            self._calls.worked(crop.stream, "verify")
        return scores

    def _say_gallery(self) -> None:
        """Pass on what is wrong with the gallery, and that it is well again."""
        for sentence in self._verifier.take_news():
            self._telemetry.counts.errors["gallery"] += self._verifier.gallery_fault != ""
            self._warn(Warned("", sentence))
