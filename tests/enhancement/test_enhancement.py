"""The whole core in this process: crops in, faces and tracks out, with no worker, pipe or clock."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from msgspec.structs import replace

from engine.config import Config, PublishConfig
from engine.contracts.faces import FaceCrop, FaceResult, TrackClosed, TrackResult
from engine.contracts.frames import FrameTime, Span
from engine.contracts.orders import Warned
from engine.contracts.profile import Profile
from engine.enhancement.enhancement import Enhancement, Said
from engine.enhancement.enlarging import Enlarged
from engine.errors import InferenceError
from engine.pictures.veil import veiled
from engine.runtime.telemetry import Telemetry
from engine.sessions.model_calls import ModelCalls
from engine.super_resolve.enhancer import Enhancer
from engine.verify.gallery.sqlite.gallery import Gallery
from engine.verify.verifier import Verifier
from tests.super_resolve.test_enhancer import crop_of, noise_planes
from tests.verify.faces import ThumbnailEmbedder


class Doubler:
    name, sha256, licence, runtime, scale, colour, profile = "doubler", "", "none", "test", 2, "luma", Profile(1, 8, 8)
    fails_on: int = 0

    def upscale(self, pictures, /):
        if any(len(picture) == self.fails_on for picture in pictures):
            raise InferenceError("the generator doubler fails: no memory")
        return [np.repeat(np.repeat(picture, 2, 0), 2, 1) for picture in pictures]

    def close(self) -> None: ...


def moment(index: int) -> FrameTime:
    return FrameTime(index, index * 512, (1, 12_800), index / 25, 1_000 + index, None, 77 + index)


def crop(track_id: int, index: int, side: int = 32, stream: str = "cam") -> FaceCrop:
    return replace(crop_of(noise_planes(side, side)), stream=stream, track_id=track_id, time=moment(index))


class Core:
    def __init__(self, *, enlarges: bool = True, publish: PublishConfig | None = None, gallery: Gallery | None = None) -> None:
        self.telemetry, self.generator, self.warnings = Telemetry("enhance-1"), Doubler(), list[Warned]()
        config = Config(publish=publish or PublishConfig())
        enhancer = Enhancer(self.generator, 1.0, config.crop.max_size_px) if enlarges else None  # type: ignore[arg-type]
        calls = ModelCalls(self.telemetry.counts, lambda *said: self.warnings.append(Warned(*said)))
        verifier = Verifier(ThumbnailEmbedder(), gallery, config.verify)  # type: ignore[arg-type]
        self.core = Enhancement(config, enhancer, None, verifier, calls, self.telemetry, self.warnings.append)

    def take(self, *crops: FaceCrop) -> list[Said]:
        return self.core.finish(crops, self.core.enlarge(crops))


def test_a_track_that_goes_on_is_named_when_its_person_is_enrolled_and_loses_the_name_with_them(tmp_path: Path):
    with Gallery(tmp_path / "people.sqlite") as gallery:
        run = Core(gallery=gallery)
        face = crop(1, 0)
        run.take(face, replace(face, time=moment(30)))
        assert run.core.compare_again() == []
        vector = run.core._verifier.track_scores("cam", 1).embedding
        assert vector is not None
        gallery.add(
            "ada", vector, embedder="", embedder_sha256=ThumbnailEmbedder.sha256, runtime="x", source_name="",
            picture_sha256="a", quality=1.0,
        )  # fmt: skip
        (said,) = run.core.compare_again()
        assert isinstance(said.body, TrackResult)
        assert (said.body.decision, said.body.ended, said.body.faces_enhanced) == ("known", False, 2)
        assert (said.body.track.span.last, said.body.reason[:19]) == (moment(30), "the gallery changed")
        gallery.remove("ada")
        said, after = run.take(crop(1, 35))
        assert isinstance(said.body, TrackResult)
        assert (said.body.decision, said.body.candidates, bool(said.body.reason)) == ("none", [], True), "before the next face"
        assert isinstance(after.body, FaceResult)
        assert after.body.gallery == said.body.gallery == gallery.snapshot(ThumbnailEmbedder.sha256).gallery


def part_names(said: Said) -> list[str]:
    assert len(said.payloads) == len(said.body.parts)
    return [part.name for part in said.body.parts]


def test_faces_come_out_as_they_went_in_and_enlarged():
    run = Core()
    crops = [crop(1, 0), crop(2, 0, 24), crop(1, 5)]
    said = run.take(*crops)
    for one, of in zip(said, crops, strict=True):
        assert isinstance(one.body, FaceResult)
        assert one.body.face == of.sighting
        assert one.body.enhanced is not None
        assert (one.body.enhanced.model, one.body.enhanced.scale, one.body.decision) == ("doubler", 2, "none")
        assert part_names(one) == ["enhanced", "original", "embedding"]
        pictures = [cv2.imdecode(np.frombuffer(payload, np.uint8), cv2.IMREAD_COLOR) for payload in one.payloads[:2]]
        assert [len(picture) for picture in pictures] == [2 * of.planes.height_px, of.planes.height_px]
    assert run.telemetry.counts.now().flat() == {"faces": 3, "faces.cam": 3, "enhanced.cam": 3}


def test_a_track_says_at_its_end_how_many_faces_it_had():
    run = Core()
    run.take(crop(1, 0), crop(2, 0), crop(1, 5))
    over = TrackClosed("cam", 1, Span(moment(0), moment(9)), 10)
    said = run.core.close_track(over)
    assert isinstance(said.body, TrackResult)
    assert (said.body.track, said.body.ended, said.body.faces_enhanced) == (over, True, 2)
    assert part_names(said) == ["embedding"]
    again = run.core.close_track(over)
    assert isinstance(again.body, TrackResult)
    assert (again.body.faces_enhanced, part_names(again)) == (0, []), "it is forgotten"


def test_with_another_perceive_the_tracks_of_cameras_end_and_those_of_recordings_are_forgotten():
    """Recordings are read again, from before these tracks began."""
    run = Core()
    live = [replace(one, live=True) for one in (crop(1, 0), crop(2, 0), crop(1, 5))]
    run.take(*live, crop(3, 0, stream="clip"))
    assert run.core.forget_recordings() == [
        TrackClosed("cam", 1, Span(moment(0), moment(5)), 2),
        TrackClosed("cam", 2, Span(moment(0), moment(0)), 1),
    ]
    again = run.core.close_track(TrackClosed("clip", 3, Span(moment(0), moment(9)), 10))
    assert isinstance(again.body, TrackResult)
    assert (again.body.faces_enhanced, part_names(again)) == (0, [])


def test_a_generator_that_fails_on_one_face_costs_that_face_its_picture():
    run = Core()
    run.generator.fails_on = 24
    said = run.take(crop(1, 0), crop(2, 0, 24, "bad"), crop(3, 0))
    assert [part_names(one) for one in said] == [
        ["enhanced", "original", "embedding"], ["original", "embedding"], ["enhanced", "original", "embedding"]
    ]  # fmt: skip
    assert [warning.stream for warning in run.warnings] == ["bad"]
    assert run.telemetry.counts.errors["super_resolve"] == 1


def test_without_a_generator_faces_go_on_as_they_are():
    run = Core(enlarges=False)
    said = run.take(crop(1, 0))
    assert isinstance(said[0].body, FaceResult)
    assert (said[0].body.enhanced, part_names(said[0])) == (None, ["original", "embedding"])
    assert run.telemetry.counts.streams["cam"] == {"faces": 1, "passed_through": 1}


def test_a_batch_can_be_taken_apart():
    batch = Enlarged([np.zeros((2, 2, 3), np.uint8)] * 3, [None] * 3, {1: InferenceError("no")}, 3.0)
    assert [len(one.originals) for one in batch.each()] == [1, 1, 1]


def test_what_is_redacted_leaves_the_core_hidden():
    for redact, names in (("blur", ["original", "embedding"]), ("vectors", ["embedding"])):
        run = Core(publish=PublishConfig(redact=redact))
        [said] = run.take(crop(1, 0))
        assert part_names(said) == names
    [said] = Core(publish=PublishConfig(redact="blur", codec="png")).take(crop(1, 0))
    picture = cv2.imdecode(np.frombuffer(said.payloads[0], np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(picture, veiled(picture), "it is coarse already")
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) <= 36
