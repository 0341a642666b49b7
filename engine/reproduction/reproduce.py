"""Makes one track of a finished run again from its recording, and says how far that is from what was written.

Two ways. By default the faces that were written are cut again, from the same frames at the same boxes, and what comes after is
done anew: enlarging, the picture of the track, vectors, scores. With ``whole`` the recording is read from its beginning, and
faces are found, followed and chosen anew too, which takes about as long as the run did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from engine.archive.reader import FaceLine, TrackLine
from engine.config import Config
from engine.contracts.faces import FaceCrop, FaceResult, TrackClosed, TrackResult
from engine.contracts.frames import Span
from engine.contracts.messages import Face, Part, Track
from engine.contracts.orders import Warned
from engine.contracts.recording import Recording
from engine.enhancement import models as enhancing
from engine.enhancement.enhancement import Enhancement, Said
from engine.perception import models as perceiving
from engine.postgres.address import is_postgres
from engine.reproduction.again import cut_again, followed_again
from engine.reproduction.compared import Compared, compared, scores_apart
from engine.reproduction.differences import computed_together, gallery_differs, model_differences, version_differences
from engine.reproduction.recorded import RecordedTrack, recorded_track, recording_again
from engine.runtime.telemetry import Telemetry
from engine.verify.gallery.opening import is_there

_NOT_TOLD_THEN = "how strongly pictures of its codec are compressed was not read then, and is left out"


@dataclass
class Reproduction:
    """What came of it."""

    directory: str
    stream: str
    track_id: int
    recording: str
    whole: bool
    """Faces were found and followed anew; False: those that were written were cut again."""
    faces: int
    """That were written."""
    differences: list[str] = field(default_factory=list)
    """Models and versions that are others than when the run was made, and what else can make it come out otherwise."""
    parts: list[Compared] = field(default_factory=list)
    """Pictures and vectors, in the order of writing, those of the track last."""
    sightings: list[str] = field(default_factory=list)
    """Faces whose place, quality or number is another one; none: they are the same."""
    scores: list[str] = field(default_factory=list)
    """Faces whose decision or scores are others, and how far; the last is of the track."""
    scores_far: bool = False
    """By more than the tolerance, or another decision."""
    scores_compared: bool = True
    """False: the gallery is another one now, not there, or in a database."""
    hashed: bool = True
    """False: the SHA-256 of the recording was not recorded, as by a killed run: it may be another one."""
    last_word: bool = True
    """False: the directory has no last word on the track, as after a kill: only its faces were compared."""

    @property
    def is_equal(self) -> bool:
        """Whether every picture, vector, sighting and score is the same, byte for byte."""
        return not self.sightings and not self.scores and all(part.how == "equal" for part in self.parts)

    @property
    def is_within(self) -> bool:
        """Whether it is so within the tolerance, as far as what was written is still there."""
        near = all(part.how != "far" for part in self.parts)
        return bool(self.parts) and near and not self.sightings and not self.scores_far


def reproduce(
    directory: Path,
    track_id: int,
    stream: str = "",
    *,
    recording: Path | None = None,
    engines: Path | None = None,
    whole: bool = False,
    progress: Callable[[int], None] = lambda frame: None,
    warn: Callable[[str], None] = lambda sentence: None,
) -> Reproduction:
    """Make a track again.

    Args:
        directory: of the run.
        track_id: of the track.
        stream: of the track; empty: the one that has such a track.
        recording: where the recording is now; None: where it was.
        engines: the folder of engines; None: this user's own, whatever folder the record names.
        whole: see above.
        progress: called with the index of each frame that was read.
        warn: called with what is odd and ends nothing; with the differences of models and versions before anything is made.

    Raises:
        UsageError, PublishError, SourceError: see ``recorded_track`` and ``recording_again``.
        FacestreamError: a model of the run cannot be opened.
    """
    track = recorded_track(directory, track_id, stream, engines)
    source = recording_again(track, recording)
    told = Reproduction(str(directory), track.stream, track_id, str(source.path), whole, len(track.faces))
    told.hashed = bool(track.run.inputs[track.stream].get("sha256"))
    told.last_word = track.last is not None
    told.differences += version_differences(track.run.record.get("versions") or {})
    told.differences += computed_together(track.config, whole=whole)

    def say(warned: Warned) -> None:
        warn(warned.detail)

    crops: list[FaceCrop] = []
    closed: TrackClosed | None = None
    workers = track.run.record.get("workers") or {}
    if whole:
        with closing(perceiving.OpenModels(track.config, say)) as looking:
            told.differences += model_differences(workers, looking.facts)
            core = looking.core(Telemetry("reproduce"))
            crops, closed = _ours(followed_again(source, track.config, core, progress), track.faces)
            if track.last is None:  # of a killed run, which did not come to the later faces
                end = max(line.face.frame_index for line in track.faces)
                crops = [crop for crop in crops if crop.time.frame_index <= end]
    with closing(enhancing.OpenModels(track.config, say, prompt=False, compares=_has_gallery(track.config))) as models:
        told.differences += model_differences(workers, models.facts)
        told.scores_compared = not gallery_differs(workers, models.facts)
        for sentence in told.differences:
            warn(sentence)
        if not whole:
            crops = _cut_again(source, track, progress)
        crops, left_out = _told_as_then(crops, track.faces)
        if left_out:
            told.differences.append(_NOT_TOLD_THEN)
            warn(_NOT_TOLD_THEN)
        _compare(track, crops, _said(models.core(Telemetry("reproduce")), crops, closed, track.last is not None), told)
    return told


def _has_gallery(config: Config) -> bool:
    """Whether the gallery is a file that is there. No database is called: the record may name anybody's, and it would be shown
    the password of this user's own."""
    return not is_postgres(config.verify.gallery) and is_there(config.verify.gallery_place)


def _cut_again(source: Recording, track: RecordedTrack, progress: Callable[[int], None]) -> list[FaceCrop]:
    wanted = {line.face.frame_index: line.face for line in track.faces}
    found = {crop.time.frame_index: crop for crop in cut_again(source, track.config, wanted, progress)}
    return [found[line.face.frame_index] for line in track.faces if line.face.frame_index in found]


def _told_as_then(crops: Sequence[FaceCrop], faces: Sequence[FaceLine]) -> tuple[list[FaceCrop], bool]:
    """Return the faces without the compression of those of which the run did not tell it, and whether there were any: it counts
    where frames are fused, so the picture of the track would be another one."""
    untold = {line.face.frame_index for line in faces if line.face.quality.qp is None}
    told = [
        replace(crop, quality=replace(crop.quality, qp=None, qp_of_picture=False)) if crop.time.frame_index in untold else crop
        for crop in crops
    ]
    return told, any(crop.quality.qp != one.quality.qp for crop, one in zip(crops, told, strict=True))


def _ours(items: Iterable[FaceCrop | TrackClosed], faces: Sequence[FaceLine]) -> tuple[list[FaceCrop], TrackClosed | None]:
    """Return the faces of the track that has most in common with what was written, as its number may be another one."""
    wanted = {(line.face.frame_index, line.face.crop_box) for line in faces}
    going: dict[int, list[FaceCrop]] = {}
    for item in items:
        if isinstance(item, FaceCrop):
            going.setdefault(item.track_id, []).append(item)
        elif any((crop.time.frame_index, crop.crop_box) in wanted for crop in going.get(item.track_id, [])):
            return going[item.track_id], item
        else:
            going.pop(item.track_id, None)
    return [], None


def _said(core: Enhancement, crops: Sequence[FaceCrop], closed: TrackClosed | None, ends: bool) -> list[Said]:
    """Return what the core says of the faces, one after the other, and last of the track, if it ``ends``."""
    said: list[Said] = []
    for crop in crops:
        said += core.finish([crop], core.enlarge([crop]))
    if crops and ends:
        first, last = crops[0], crops[-1]
        span = Span(first.time, last.time)
        said.append(core.close_track(closed or TrackClosed(first.stream, first.track_id, span, len(crops))))
    return said


def _compare(track: RecordedTrack, crops: Sequence[FaceCrop], said: Sequence[Said], told: Reproduction) -> None:
    made = {crop.time.frame_index: crop for crop in crops}
    faces = {one.body.face.time.frame_index: one for one in said if isinstance(one.body, FaceResult)}
    for line in track.faces:
        face, index = line.face, line.face.frame_index
        crop, again = made.pop(index, None), faces.get(index)
        if crop is None or again is None or not isinstance(again.body, FaceResult):
            told.sightings.append(f"frame {index}: the face was not found again")
            continue
        if crop.crop_box != face.crop_box:
            told.sightings.append(f"frame {index}: the face is at {crop.crop_box}, and was at {face.crop_box}")
        elif crop.quality != face.quality:
            told.sightings.append(f"frame {index}: the quality is {crop.quality.score:.6f}, and was {face.quality.score:.6f}")
        now = dict(zip((part.name for part in again.body.parts), again.payloads, strict=True))
        told.parts += _parts("face", index, track, line, face.parts, now)
        _note_scores(told, f"frame {index}", face, again.body)
    told.sightings += [f"frame {index}: a face that was not written" for index in made]
    ends = [(one.body, one.payloads) for one in said if isinstance(one.body, TrackResult) and one.body.ended]
    if track.last is not None and ends:
        last, (end, payloads) = track.last, ends[-1]
        now = dict(zip((part.name for part in end.parts), payloads, strict=True))
        told.parts += _parts("track", -1, track, last, last.track.parts, now)
        _note_scores(told, "the track", last.track, end)


def _note_scores(told: Reproduction, of: str, then: Face | Track, now: FaceResult | TrackResult) -> None:
    if told.scores_compared:
        words, far = scores_apart((then.decision, then.candidates), (now.decision, now.candidates))
        told.scores += [f"{of}: {words}"] if words else []
        told.scores_far |= far


def _parts(
    message: str, index: int, track: RecordedTrack, line: FaceLine | TrackLine, parts: Sequence[Part], now: dict[str, bytes]
) -> list[Compared]:
    return [compared(message, index, part.name, track.payload(line, part), now.get(part.name)) for part in parts]
