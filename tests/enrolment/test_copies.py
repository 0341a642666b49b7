"""Copies of one picture are not enrolled without a word as if they were several pictures of a person."""

import cv2
import numpy as np
import pytest

from engine.config import DetectConfig
from engine.config.verify import VerifyConfig
from engine.contracts.frames import Float32, Uint8
from engine.detect.catalog import open_detector
from engine.enrolment.enrol import enrol_pictures
from engine.models import find_model
from engine.verify.copies import both_ways, copy_cosine
from engine.verify.embedder import open_embedder
from engine.verify.gallery.snapshot import Snapshot
from tests.verify.faces import ThumbnailEmbedder, portrait


@pytest.fixture(scope="module")
def enrol():
    detector, embedder = open_detector(DetectConfig(), find_model), open_embedder(VerifyConfig(), find_model)
    yield lambda gallery, paths, name="ada": enrol_pictures(name, paths, detector, embedder, gallery)
    detector.close()
    embedder.close()


def mirror_image(picture: Uint8, landmarks: Float32) -> tuple[Uint8, Float32]:
    across = np.array([picture.shape[1] - 1, 0], np.float32)
    return np.ascontiguousarray(picture[:, ::-1]), np.abs(across - landmarks)[[1, 0, 2, 4, 3]]


def test_a_face_is_looked_at_both_ways():
    picture, landmarks = portrait("astronaut", 0)
    vector, mirrored = both_ways(picture, landmarks, ThumbnailEmbedder())
    again = both_ways(*mirror_image(picture, landmarks), ThumbnailEmbedder())
    np.testing.assert_allclose(again, (mirrored, vector), atol=1e-4)
    assert vector @ mirrored < 0.95, "nobody is that symmetrical"
    assert both_ways(picture, None, ThumbnailEmbedder())[0].shape == (64,)


def test_only_what_is_nearly_equal_to_a_picture_of_the_same_person_may_be_a_copy():
    one, other = np.eye(2, dtype=np.float32)
    people = Snapshot.of(["ada", "bob"], [one, other])
    assert copy_cosine("ada", (one, other), people) == pytest.approx(1)
    assert copy_cosine("ada", (other, one), people) == pytest.approx(1), "mirrored"
    assert copy_cosine("ada", (other, other), people) is None
    assert copy_cosine("eve", (one, other), people) is None


@pytest.mark.parametrize("changed", ["again", "half", "mirrored"])
def test_a_copy_is_enrolled_and_said_to_be_perhaps_one(enrol, gallery, write, changed):
    picture = portrait("astronaut", 0, size_px=150, margin=0.6)[0]
    copy = {
        "again": cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 60])[1], cv2.IMREAD_COLOR),
        "half": cv2.resize(picture, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA),
        "mirrored": picture[:, ::-1],
    }[changed]
    results = enrol(gallery, [write("one.png", picture), write("two.png", copy)])
    assert [one.outcome for one in results] == ["enrolled"] * 2
    [said] = filter(None, (one.reason for one in results))
    assert "it is as much like another picture of ada as a copy would be (cosine 0.99" in said
    digest = said.split("--picture ")[1][:8]
    assert [one.outcome for one in enrol(gallery, [write("two.png", copy)])] == ["duplicate"]
    assert len(gallery.remove_picture("ada", digest)) == 1, "the command names one that is there"


def test_a_picture_is_no_copy_of_its_own_vector_of_an_earlier_version(enrol, gallery, write):
    path = write("one.png", portrait("astronaut", 0, size_px=150, margin=0.6)[0])
    enrol(gallery, [path])
    gallery.tables.execute("UPDATE pictures SET runtime = ''")
    assert [(one.outcome, one.reason) for one in enrol(gallery, [path])] == [("enrolled", "")]
