"""One picture of a track: when it is made, what is said of it, and what its failure costs. What fuses is a stand-in."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from msgspec.structs import replace

from engine.config import Config, PublishConfig
from engine.contracts.faces import FaceCrop, FaceResult, TrackClosed, TrackResult
from engine.contracts.findings import Quality
from engine.contracts.frames import FrameTime, Span
from engine.enhancement import track_pictures
from engine.enhancement.enhancement import Enhancement, Said
from engine.enhancement.track_pictures import EXTRAS
from engine.errors import DeviceLostError, InferenceError
from engine.runtime.telemetry import Telemetry
from engine.sessions.model_calls import ModelCalls
from engine.super_resolve.enhancer import Enhancer
from engine.super_resolve.track_picture import TrackPicture
from engine.verify.gallery.sqlite.gallery import Gallery
from engine.verify.verifier import Verifier, face_in
from tests.enhancement.test_enhancement import Doubler
from tests.super_resolve.test_enhancer import crop_of, noise_planes
from tests.verify.enrolled import enrol
from tests.verify.faces import PEOPLE, ThumbnailEmbedder


class Mean:
    """The mean of all shots but those that it is told to leave out."""

    name = "mean"

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.error: Exception | None = None
        self.leaves_out: set[int] = set()

    def fuse(self, shots, /):
        self.calls.append([shot.crop.time.frame_index for shot in shots])
        if self.error is not None:
            raise self.error
        weights = [float(shot.crop.time.frame_index not in self.leaves_out) for shot in shots]
        if not any(weights):
            return None
        luma = np.average([shot.luma for shot in shots], axis=0, weights=weights).astype(np.uint8)
        agreement = np.full((8, 8), 204, np.uint8)
        return TrackPicture(luma, agreement, weights.index(1.0), tuple(weights), (1.0,) * len(shots), self.name)


class Run:
    def __init__(self, gallery: Gallery | None = None, **publish) -> None:
        self.fuser, self.telemetry, self.said = Mean(), Telemetry("enhance-1"), list[tuple[str, str]]()
        config = Config(publish=PublishConfig(codec="png", **publish))
        calls = ModelCalls(self.telemetry.counts, lambda *said: self.said.append(said), EXTRAS)
        verifier = Verifier(ThumbnailEmbedder(), gallery, config.verify)  # type: ignore[arg-type]
        enhancer = Enhancer(Doubler(), 1.0, 80.0)  # type: ignore[arg-type]
        self.core = Enhancement(config, enhancer, None, verifier, calls, self.telemetry, lambda _: None, self.fuser)

    def see(self, *crops: FaceCrop) -> list[TrackResult]:
        """Give faces one after the other, with time between them; return what is said of tracks that go on."""
        said = list[Said]()
        for crop in crops:
            said += self.core.finish([crop], self.core.enlarge([crop]))
            said += self.core.picture_due()
        return [one.body for one in said if isinstance(one.body, TrackResult)]

    def end(self, track_id: int = 1) -> Said:
        return self.core.close_track(TrackClosed("cam", track_id, Span(at(0.0), at(9.0)), 9))


def at(seconds: float) -> FrameTime:
    return FrameTime(round(seconds * 25), None, (1, 25), seconds, 0)


def crop(seconds: float, score: float = 0.3, *, live: bool = True, size_px: float = 20.0, track_id: int = 1) -> FaceCrop:
    made = crop_of(noise_planes(32, 24))
    quality = Quality(size_px, 0.5, 0.5, score)
    return replace(made, stream="cam", track_id=track_id, time=at(seconds), live=live, quality=quality)


def decoded(said: Said, name: str) -> np.ndarray:
    payload = next(payload for part, payload in zip(said.body.parts, said.payloads, strict=True) if part.name == name)
    return cv2.imdecode(np.frombuffer(payload, np.uint8), cv2.IMREAD_UNCHANGED)


def names(said: Said) -> list[str]:
    return [part.name for part in said.body.parts]


@pytest.mark.parametrize("live", [True, False])
def test_a_track_has_a_picture_of_its_frames_at_its_end(live):
    run = Run()
    run.fuser.leaves_out = {25}
    run.see(crop(0.0, live=live), crop(1.0, live=live), crop(2.0, live=live))
    said = run.end()
    picture = said.body.picture
    assert (picture.model, picture.scale, picture.width_px, picture.height_px) == ("mean", 2, 64, 48)
    assert [(frame.frame_index, frame.pts_seconds, frame.weight) for frame in picture.frames] == [(0, 0.0, 0.5), (50, 2.0, 0.5)]
    assert (picture.rejected, picture.agreement) == ([25], pytest.approx(0.8))
    assert names(said) == ["embedding", "track", "agreement"]
    assert (decoded(said, "track").shape, decoded(said, "agreement").shape) == ((48, 64, 3), (8, 8))
    assert run.telemetry.counters["track_pictures"] >= 1
    assert run.end().body.picture is None, "it is forgotten"


def test_faces_are_as_they_were():
    plain, run = Run(), Run()
    plain.core._pictures._fuser = None
    for one in [crop(0.0), crop(1.0), crop(2.0)]:
        a, b = (core.finish([one], core.enlarge([one])) for core in (plain.core, run.core))
        faces = [[said for said in each if isinstance(said.body, FaceResult)] for each in (a, b)]
        assert [(said.body, said.payloads) for said in faces[0]] == [(said.body, said.payloads) for said in faces[1]]


@pytest.mark.parametrize(
    "crops",
    [[], [crop(0.0)], [crop(0.0), crop(0.04)], [crop(0.0), crop(1.0), crop(2.0, size_px=90.0)]],
    ids=["none", "one", "two of one moment", "one that is shown as it is"],
)
def test_where_there_is_nothing_to_fuse_there_is_none(crops):
    run = Run()
    assert [one.picture for one in run.see(*crops[:2])] in ([], [None]) or len(crops) == 3
    run.see(*crops[2:])
    said = run.end()
    assert (said.body.picture, "track" in names(said)) == (None, False)


def test_a_picture_of_which_one_frame_is_left_is_none():
    run = Run()
    run.fuser.leaves_out = {25}
    run.see(crop(0.0), crop(1.0))
    assert run.end().body.picture is None
    run.fuser.leaves_out = {0, 25}
    assert run.see(crop(0.0), crop(1.0)) == [], "that is no news"
    assert run.end().body.picture is None
    assert run.telemetry.counters["track_pictures"] == 0


def test_a_cameras_track_sends_one_when_it_has_clearly_improved():
    """Once its faces are worth twice as much, and not sooner than two seconds after; of a recording at its end alone."""
    run = Run()
    said = run.see(*(crop(0.5 * index) for index in range(30)))
    assert [len(one.picture.frames) for one in said] == [2, 6]
    assert not any(one.ended for one in said)
    assert [calls[-1] for calls in run.fuser.calls] == [12, 62], "after 0.5 and 2.5 s"
    better = run.see(*(crop(15 + index, 0.8) for index in range(8)))
    assert len(better) == 1
    assert Run().see(*(crop(float(index), live=False) for index in range(9))) == []


def test_no_face_waits_for_a_picture_and_each_picture_is_made_by_itself():
    run = Run()
    crops = [crop(seconds, track_id=track_id) for seconds in (0.0, 1.0) for track_id in (1, 2, 3)]
    said = run.core.finish(crops, run.core.enlarge(crops))
    assert [type(one.body) for one in said] == [FaceResult] * 6
    assert (run.fuser.calls, run.core.has_picture_due) == ([], True)
    run.end(2)
    made = [run.core.picture_due() for _ in range(3)]
    assert [[(one.body.track.track_id, one.body.ended) for one in each] for each in made] == [[(1, False)], [(3, False)], []]
    assert not run.core.has_picture_due


def test_what_waits_for_a_picture_is_asked_again_whether_it_is_due():
    run = Run()
    crops = [crop(0.0), crop(1.0)]
    run.core.finish(crops, run.core.enlarge(crops))
    run.core.note_load(is_behind=True)
    assert (run.core.picture_due(), run.fuser.calls, run.core.has_picture_due) == ([], [], False)


def test_when_the_machine_is_behind_pictures_of_cameras_are_left_out_and_counted():
    run = Run()
    run.core.note_load(is_behind=True)
    assert run.see(crop(0.0), crop(1.0), crop(2.0)) == []
    said = run.end()
    assert (said.body.picture, names(said)) == (None, ["embedding"])
    assert run.telemetry.counters["track_pictures.left_out"] == 1
    run.see(crop(0.0, live=False), crop(1.0, live=False))
    assert run.end().body.picture is not None, "a recording waits"
    run.core.note_load(is_behind=False)
    assert len(run.see(crop(0.0), crop(1.0))) == 1


def test_a_fusion_that_fails_costs_the_picture_and_is_said_once():
    run = Run()
    run.fuser.error = InferenceError("the model mean fails: no memory")
    for track_id in (1, 2):
        run.see(crop(0.0, track_id=track_id), crop(1.0, track_id=track_id))
        said = run.end(track_id)
        assert (said.body.ended, said.body.picture, names(said)) == (True, None, ["embedding"])
    assert run.said == [("cam", "fuse failed: the model mean fails: no memory")]
    assert run.telemetry.counts.errors["fuse"] == 4
    assert "errored" not in run.telemetry.counts.streams["cam"]
    run.fuser.error = DeviceLostError("gone")
    run.see(crop(0.0))
    with pytest.raises(DeviceLostError):
        run.see(crop(1.0))


@pytest.mark.parametrize("publish", [{"redact": "vectors"}, {"redact": "blur"}, {"parts": ("original", "embedding")}])
def test_what_may_not_leave_is_not_made(publish):
    run = Run(**publish)
    assert run.see(*(crop(float(index)) for index in range(9))) == [], "and without one there is no news"
    assert (run.end().body.picture, run.fuser.calls) == (None, [])


def test_the_memory_is_bounded_and_the_oldest_tracks_lose_theirs(monkeypatch):
    run = Run()
    run.see(crop(0.0))
    monkeypatch.setattr(track_pictures, "_MOST_BYTES", 5 * run.core._pictures._size_bytes)
    for track_id in (1, 2, 3):
        run.see(crop(5.0, track_id=track_id), crop(6.0, track_id=track_id))
    assert [run.end(track_id).body.picture is not None for track_id in (1, 2, 3)] == [False, True, True]
    assert run.telemetry.counters["track_pictures.left_out"] == 1
    assert run.core._pictures._size_bytes == 0


def test_what_a_recording_shows_does_not_depend_on_how_many_faces_there_are_beside_it(monkeypatch):
    run = Run()
    run.see(crop(0.0, track_id=9))
    monkeypatch.setattr(track_pictures, "_MOST_BYTES", 2 * run.core._pictures._size_bytes)
    for seconds in (5.0, 6.0):
        run.see(*(crop(seconds, live=False, track_id=track_id) for track_id in range(1, 9)))
    assert all(run.end(track_id).body.picture is not None for track_id in range(1, 9))
    assert run.telemetry.counters["track_pictures.left_out"] == 0


def test_a_track_that_lost_its_faces_has_no_first_picture_again(monkeypatch):
    run = Run()
    run.see(crop(0.0, track_id=9))
    monkeypatch.setattr(track_pictures, "_MOST_BYTES", 5 * run.core._pictures._size_bytes)
    assert len(run.see(*(crop(0.2 * place) for place in range(4)))) == 1
    assert run.telemetry.counters["track_pictures.left_out"] == 0
    run.see(crop(3.0, track_id=2), crop(4.0, track_id=2))
    assert run.telemetry.counters["track_pictures.left_out"] == 2, "of 9 and of 1"
    assert run.see(crop(5.0), crop(6.0)) == [], "it had one of as many"
    assert len(run.see(crop(7.0), crop(8.0))) == 1
    assert run.telemetry.counters["track_pictures.left_out"] == 3, "of 2: 9 has nothing to lose"


def test_what_was_made_of_the_same_faces_is_not_made_again(tmp_path):
    run = Run()
    [before] = run.see(crop(0.0), crop(1.0))
    after = run.end()
    assert (after.body.picture, decoded(after, "track").shape) == (before.picture, (48, 64, 3))
    assert (len(run.fuser.calls), run.telemetry.counters["track_pictures"]) == (1, 1)
    run.fuser.leaves_out = {0, 25}
    run.see(crop(0.0), crop(1.0))
    assert (run.end().body.picture, len(run.fuser.calls)) == (None, 2), "nor that they do not fit"
    run.fuser.leaves_out = set()
    run.see(crop(0.0), crop(1.0), crop(2.0))
    assert (len(run.end().body.picture.frames), len(run.fuser.calls)) == (3, 4), "of others it is"


def test_of_a_track_whose_picture_may_not_leave_nothing_is_asked(monkeypatch):
    run = Run(redact="blur")
    monkeypatch.setattr(run.core._verifier, "track_scores", None)
    assert run.see(*(crop(float(index)) for index in range(5))) == []


def test_the_cosines_of_the_picture_stand_beside_and_decide_nothing(tmp_path):
    embedder = ThumbnailEmbedder()
    with Gallery(tmp_path / "people.sqlite") as gallery:
        enrol(gallery, embedder, "ada", PEOPLE[0])
        enrol(gallery, embedder, "bob", PEOPLE[1])
        people = dict(zip(*gallery.templates(embedder.sha256), strict=True))
        plain, run = Run(gallery, mark=False), Run(gallery, mark=False)  # vectors are of the picture before it is marked
        plain.core._pictures._fuser = None
        crops = [crop(0.0, live=False), crop(1.0, live=False)]
        said = []
        for one in (plain, run):
            one.see(*crops)
            said.append(one.end())
    without, with_picture = (one.body for one in said)
    assert [(one.identity, one.cosine_original) for one in with_picture.candidates] == [
        (one.identity, one.cosine_original) for one in without.candidates
    ]
    assert (with_picture.decision, with_picture.basis) == (without.decision, without.basis)
    face, points = face_in(crops[0], decoded(said[1], "track"), 2)
    [vector] = embedder.embed([face], [points])
    for one in with_picture.candidates:
        assert one.cosine_enhanced == pytest.approx(float(vector @ people[one.identity]), abs=1e-6)
    assert [one.cosine_enhanced for one in with_picture.candidates] != [one.cosine_enhanced for one in without.candidates]
