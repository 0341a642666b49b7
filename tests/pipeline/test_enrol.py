import json
import re
import sqlite3

import cv2
import numpy as np
import pytest

from engine.config import DetectConfig
from engine.contracts.frames import Detections
from engine.detect.catalog import open_detector
from engine.errors import UsageError
from engine.pipeline.enrol import EnrolLimits, enrol_pictures
from engine.verify.gallery import Gallery
from tests.assets import SHARED
from tests.crop.photographs import FOUND, PROFILE, picture
from tests.verify.faces import ThumbnailEmbedder, portrait

YUNET = SHARED / "models" / "face_detection_yunet_2023mar.onnx"


@pytest.fixture(scope="module", params=["dlib-hog", "yunet"])
def detector(request):
    if request.param == "yunet" and not YUNET.exists():
        pytest.skip("needs the YuNet model of the shared folder (set FACESTREAM_SHARED)")
    opened = open_detector(DetectConfig(detector=request.param), {"yunet": YUNET}.get)
    yield opened
    opened.close()


@pytest.fixture
def gallery(tmp_path):
    with Gallery(tmp_path / "people.sqlite") as opened:
        yield opened


@pytest.fixture
def write(tmp_path):
    def write_picture(name, image):
        path = tmp_path / name
        assert cv2.imwrite(str(path), image)
        return path

    return write_picture


def enrol(paths, detector, gallery, name="ada", **limits):
    return enrol_pictures(name, paths, detector, ThumbnailEmbedder(), gallery, EnrolLimits(**limits) if limits else None)


def test_pictures_that_qualify_are_enrolled_and_recognised(write, detector, gallery):
    whole = write("astronaut.png", picture("astronaut"))
    tight = write("tight.jpg", portrait("astronaut", 0, margin=0.1)[0])
    results = enrol([whole, tight], detector, gallery)
    assert [(result.outcome, result.reason) for result in results] == [("enrolled", "")] * 2
    width, height = FOUND["astronaut"][0][2:4]
    assert results[0].quality.size_px == pytest.approx((width * height) ** 0.5, rel=0.35)  # detectors draw boxes differently
    names, matrix = gallery.templates(ThumbnailEmbedder.sha256)
    assert names == ["ada", "ada"]
    image, landmarks = portrait("astronaut", 0)
    probe = ThumbnailEmbedder().embed([image], [landmarks])[0]
    stranger = ThumbnailEmbedder().embed(*([part] for part in portrait("t1", 0)))[0]
    assert float(matrix[0] @ probe) > 0.9
    assert (matrix @ probe > matrix @ stranger + 0.2).all()
    assert gallery.list()[0].best_quality == pytest.approx(max(result.quality.score for result in results))


def test_a_large_photograph_is_searched_reduced_and_embedded_in_full(write, detector, gallery):
    image, _ = portrait("astronaut", 0, size_px=900, margin=0.9)
    result = enrol([write("large.jpg", image)], detector, gallery)[0]
    assert result.outcome == "enrolled"
    assert result.quality.size_px == pytest.approx(900, rel=0.35)
    landmarks = portrait("astronaut", 0, size_px=900, margin=0.9)[1]
    probe = ThumbnailEmbedder().embed([image], [landmarks])[0]
    assert float(gallery.templates(ThumbnailEmbedder.sha256)[1][0] @ probe) > 0.97


def test_each_refusal_says_which_picture_why_and_what_to_do(write, tmp_path, detector, gallery):
    noise = np.random.default_rng(0).integers(100, 140, (200, 200, 3), np.uint8)
    text, empty = tmp_path / "text.jpg", tmp_path / "empty.jpg"
    text.write_text("not a picture")
    empty.touch()
    cases = {
        tmp_path / "missing.jpg": r"missing.jpg cannot be read \(No such file or directory\): check the path",
        tmp_path: r"cannot be read \(Is a directory\)",
        text: "text.jpg is not a picture that can be read: give a JPEG or PNG",
        empty: "empty.jpg is not a picture",
        write("noise.png", noise): "noise.png shows no face that the detector .* finds: give a clear frontal picture",
        write("group.jpg", picture("t1")): r"group.jpg shows [4-6] faces: cut it to the person you mean",
    }
    good = write("good.jpg", picture("astronaut"))
    results = enrol([*cases, good], detector, gallery)
    for (path, expected), result in zip(cases.items(), results, strict=False):
        assert result.outcome == "refused"
        assert result.path == path
        assert re.search(expected, result.reason), result.reason
    assert results[-1].outcome == "enrolled"
    assert gallery.list()[0].pictures == 1


def test_small_blurred_and_turned_faces_are_refused(write, detector, gallery):
    image = picture("astronaut")
    results = enrol([write("face.jpg", image)], detector, gallery, min_size_px=150)
    assert "face.jpg is too small" in results[0].reason
    assert "needed 150): give a larger picture" in results[0].reason
    assert results[0].quality is not None
    blurred = cv2.GaussianBlur(image, (0, 0), 3)
    results = enrol([write("blurred.jpg", blurred)], detector, gallery, min_sharpness=0.6)
    assert "blurred.jpg is too blurred (sharpness" in results[0].reason
    results = enrol([write("turned.jpg", image)], detector, gallery, min_frontal=1.0)
    assert "turned.jpg looks too far to the side (frontal" in results[0].reason
    assert gallery.version() == 0


def test_a_profile_is_refused_by_the_default_limits(write, gallery):
    if not YUNET.exists():
        pytest.skip("needs the YuNet model of the shared folder (set FACESTREAM_SHARED)")
    detector = open_detector(DetectConfig(detector="yunet"), {"yunet": YUNET}.get)
    result = enrol([write("profile.png", portrait("t1", PROFILE)[0])], detector, gallery)[0]
    assert result.outcome == "refused"
    assert "looks too far to the side" in result.reason


def test_a_picture_is_added_once_and_to_one_person(write, detector, gallery):
    path = write("face.png", picture("astronaut"))
    again = path.with_name("copy.png")
    again.write_bytes(path.read_bytes())
    assert [result.outcome for result in enrol([path, again, path], detector, gallery)] == [
        "enrolled",
        "duplicate",
        "duplicate",
    ]
    other = enrol([path], detector, gallery, name="bob")[0]
    assert other.outcome == "refused"
    assert "is enrolled for ada: remove ada first if it shows bob" in other.reason
    assert [(person.name, person.pictures) for person in gallery.list()] == [("ada", 1)]
    gallery.remove("ada")
    assert enrol([path], detector, gallery, name="bob")[0].outcome == "enrolled"


def test_a_vector_of_which_nothing_is_recorded_is_made_again(write, detector, gallery):
    path = write("face.png", picture("astronaut"))
    enrol([path], detector, gallery)
    database = sqlite3.connect(gallery.path)
    with database:
        database.execute("UPDATE pictures SET runtime = ''")
    database.close()
    assert gallery.list()[0].unrecorded == 1
    assert [result.outcome for result in enrol([path, path], detector, gallery)] == ["enrolled", "duplicate"]
    assert gallery.list()[0].unrecorded == 0
    assert gallery.export(path.with_name("people.jsonl")) == 1
    assert json.loads(path.with_name("people.jsonl").read_text())["runtime"] == ThumbnailEmbedder.runtime


class BlindBox:
    """A detector that gives a box without landmarks."""

    name = "box"
    model_sha256 = licence = runtime = ""
    max_batch, min_score, sure_score = 1, 0.5, 0.5

    def detect(self, pictures):
        box = np.array([FOUND["astronaut"][0][:4]], np.float32)
        return [Detections(box, np.float32([0.9]), np.full((1, 5, 2), np.nan, np.float32)) for _ in pictures]

    def close(self):
        pass


def test_without_landmarks_the_face_box_is_embedded(write, gallery):
    result = enrol([write("face.png", picture("astronaut"))], BlindBox(), gallery, min_frontal=0.5)[0]
    assert result.outcome == "enrolled"
    x, y, width, height = (round(value) for value in FOUND["astronaut"][0][:4])
    face = picture("astronaut")[y : y + height, x : x + width]
    probe = ThumbnailEmbedder().embed([face], [None])[0]
    assert float(gallery.templates(ThumbnailEmbedder.sha256)[1][0] @ probe) > 0.98


@pytest.mark.parametrize("name", ["", "  ", "a\nb"])
def test_a_name_must_be_readable(name, gallery, tmp_path):
    with pytest.raises(UsageError, match="cannot be the name of a person"):
        enrol([tmp_path / "face.jpg"], BlindBox(), gallery, name=name)


def test_no_pictures_is_wrong_usage(gallery):
    with pytest.raises(UsageError, match="no picture to enrol for ada"):
        enrol([], BlindBox(), gallery)


class Doubtful(BlindBox):
    """Sees the face, and something else that it is not sure of."""

    min_score, sure_score = 0.5, 0.6

    def __init__(self, *scores):
        self.scores = np.float32(scores)

    def detect(self, pictures):
        box = np.array([FOUND["astronaut"][0][:4]], np.float32)
        boxes = np.concatenate([box, np.float32([[5, 5, 20, 20]])])
        return [Detections(boxes, self.scores, np.full((2, 5, 2), np.nan, np.float32)) for _ in pictures]


def test_a_doubtful_second_face_does_not_stand_in_the_way(write, gallery):
    path = write("face.png", picture("astronaut"))
    assert enrol([path], Doubtful(0.9, 0.55), gallery, min_frontal=0.5)[0].outcome == "enrolled"
    for scores in ((0.9, 0.7), (0.55, 0.52)):
        result = enrol([path], Doubtful(*scores), gallery, name="bob", min_frontal=0.5)[0]
        assert "shows 2 faces" in result.reason or "is enrolled" in result.reason
