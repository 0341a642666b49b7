"""A photograph that shows less of a face than its size says is put in question."""

import cv2
import numpy as np
import pytest

from engine.contracts.findings import Quality
from engine.enrolment.detail import blockiness, detail, detail_doubt
from engine.enrolment.judge import EnrolLimits
from engine.enrolment.portrait import Portrait
from tests.verify.faces import portrait

PICTURE, LANDMARKS = portrait("astronaut", 0, 120)


def enlarged(picture):
    side = (picture.shape[1], picture.shape[0])
    small = cv2.resize(picture, None, fx=0.14, fy=0.14, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, side, interpolation=cv2.INTER_CUBIC)


def compressed(picture):
    return cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 4])[1], cv2.IMREAD_COLOR)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda picture: picture, ""),
        (enlarged, "is blurred or was enlarged: it shows no more than a face of 32 px (detail 0.0"),
        (lambda picture: cv2.GaussianBlur(picture, (0, 0), 3), "is blurred or was enlarged"),
        (compressed, "is compressed so strongly that its blocks show ("),
        (np.zeros_like, "is blurred or was enlarged"),
    ],
)
def test_what_speaks_against_it(spoil, says):
    spoilt = np.ascontiguousarray(spoil(PICTURE))
    doubt = detail_doubt(Portrait(spoilt, LANDMARKS, Quality(120.0, 1.0, 1.0, 1.0), 0), EnrolLimits())
    assert doubt.startswith(says)
    assert bool(doubt) == bool(says)


def test_a_small_face_that_is_what_it_is_is_not_in_question():
    small, landmarks = portrait("astronaut", 0, 50)
    assert detail(small, landmarks) < detail(PICTURE, LANDMARKS)
    assert detail_doubt(Portrait(small, landmarks, Quality(50.0, 1.0, 1.0, 1.0), 0), EnrolLimits()) == ""
    assert detail_doubt(Portrait(small, None, Quality(50.0, 1.0, 0.5, 1.0), 0), EnrolLimits()) == ""
    assert blockiness(np.full((80, 80, 3), 9, np.uint8), landmarks) == 1.0
