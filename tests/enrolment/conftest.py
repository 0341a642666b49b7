"""A gallery without anybody, detectors, and pictures written to files."""

import cv2
import pytest

from engine.config import DetectConfig
from engine.detect.catalog import open_detector
from engine.models import find_model
from engine.verify.gallery.sqlite.gallery import Gallery
from tests.assets import SHARED

YUNET = SHARED / "models" / "face_detection_yunet_2023mar.onnx"


@pytest.fixture
def gallery(tmp_path):
    with Gallery(tmp_path / "people.sqlite") as opened:
        yield opened


@pytest.fixture(scope="module", params=["grey", "yunet"])
def detector(request):
    if request.param == "yunet" and not YUNET.exists():
        pytest.skip("needs the YuNet model of the shared folder (set FACESTREAM_SHARED)")
    opened = open_detector(DetectConfig(detector=request.param), {"yunet": YUNET, "grey": find_model("grey")}.get)
    yield opened
    opened.close()


@pytest.fixture
def write(tmp_path):
    def write_picture(name, image):
        path = tmp_path / name
        assert cv2.imwrite(str(path), image)
        return path

    return write_picture
