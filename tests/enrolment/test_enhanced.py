"""A picture that a machine has enhanced is not enrolled like a photograph: what resembles it may be made up."""

import cv2
import numpy as np
import pytest

from engine.config import DetectConfig, PublishConfig
from engine.config.verify import VerifyConfig
from engine.detect.catalog import open_detector
from engine.enrolment.enrol import enrol_pictures
from engine.marking import enhanced_before
from engine.models import find_model
from engine.publish.encode import encode_enhanced
from engine.verify.embedder import open_embedder
from tests.verify.faces import portrait


@pytest.fixture(scope="module")
def enrol():
    detector, embedder = open_detector(DetectConfig(), find_model), open_embedder(VerifyConfig(), find_model)
    yield lambda gallery, path, force=False: enrol_pictures("ada", [path], detector, embedder, gallery, force=force)[0]
    detector.close()
    embedder.close()


@pytest.fixture(scope="module")
def photograph():
    return np.ascontiguousarray(portrait("astronaut", 0, size_px=150, margin=0.6)[0])


@pytest.fixture(scope="module")
def file(photograph):
    return encode_enhanced(PublishConfig(codec="png"), photograph.copy(), "compact_fine_x4", in_place=True)


def saved_again(file):
    """Without what stands in the file."""
    shown = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR)
    return cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()


def test_how_it_shows_is_said(photograph, file):
    shown = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR)
    assert "its file says" in enhanced_before(file, shown)
    assert "its pixels" in enhanced_before(b"", shown)
    assert enhanced_before(cv2.imencode(".png", photograph)[1].tobytes(), photograph) == ""


@pytest.mark.parametrize(("change", "says"), [(bytes, "its file says"), (saved_again, "a mark in its pixels says")])
def test_it_is_set_apart_until_somebody_decides(enrol, gallery, tmp_path, file, change, says):
    path = tmp_path / "face.img"
    path.write_bytes(change(file))
    result = enrol(gallery, path)
    assert result.outcome == "quarantined"
    assert says in result.reason
    assert "release" in result.remedy


def test_with_force_it_is_enrolled_and_the_gallery_keeps_why(enrol, gallery, tmp_path, file):
    path = tmp_path / "face.png"
    path.write_bytes(file)
    result = enrol(gallery, path, force=True)
    assert result.outcome == "enrolled"
    assert "is perhaps made up" in result.reason
    [kept] = gallery.pictures("ada")
    assert "is perhaps made up" in kept.doubt
