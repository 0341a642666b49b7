"""The one face of a photograph, whatever its scale and whichever way up."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.detect.second_look import Faceness
from engine.enrolment.portrait import find_portrait
from engine.enrolment.search import find_places
from engine.errors import EnrolmentRefused
from engine.sample.known_face import known_face
from tests.crop.photographs import FOUND, picture
from tests.enrolment.blobs import BlobDetector, draw, empty
from tests.verify.faces import PEOPLE, portrait

PATH = Path("photo.jpg")


@pytest.mark.parametrize("turn", range(4))
def test_a_photograph_is_turned_until_the_face_is_upright(turn):
    upright = draw(empty(), 200, 100, 120)
    found = find_portrait(PATH, np.rot90(upright, -turn), BlobDetector())
    assert found.turned_degrees == 90 * turn
    np.testing.assert_array_equal(found.bgr, upright)
    assert found.landmarks[:, 0] == pytest.approx([236, 284, 260, 242, 278], abs=4)
    assert found.landmarks[:, 1] == pytest.approx([148, 148, 172, 196, 196], abs=4)
    assert found.quality.size_px == pytest.approx(120, rel=0.05)


@pytest.mark.parametrize("turn", range(4))
def test_without_landmarks_the_upright_face_alone_is_kept(turn):
    found = find_portrait(PATH, np.rot90(draw(empty(), 200, 100, 120), -turn), BlobDetector(landmarks=False))
    assert found.landmarks is None
    assert found.bgr.shape == pytest.approx((120, 120, 3), rel=0.05)
    assert found.bgr[10, 60, 0] > 200 > 100 > found.bgr[100, 60, 0]


@pytest.mark.parametrize(
    ("large", "small", "sizes"),
    [
        ((100, 60, 300), (450, 200, 90), (20, 130)),  # the large one is found in reduced views alone
        ((250, 100, 280), (20, 20, 70), (30, 100)),
        ((-90, 40, 330), (300, 100, 110), (30, 140)),  # cut by the border
        ((300, 200, 60), (100, 100, 50), (40, 130)),
        ((8, 6, 380), (420, 20, 66), (40, 150)),
    ],
)
def test_several_people_are_counted_whatever_the_scale(large, small, sizes):
    image = draw(draw(empty(), *large), *small)
    with pytest.raises(EnrolmentRefused, match=r"photo.jpg shows 2 faces: cut it to the person you mean"):
        find_portrait(PATH, image, BlobDetector(sizes))
    alone = find_portrait(PATH, draw(empty(), *small), BlobDetector(sizes))
    assert alone.quality.size_px == pytest.approx(small[2], rel=0.1)


def test_somebody_far_behind_is_not_counted():
    image = draw(draw(empty(), 100, 40, 300), 500, 50, 30)
    assert find_portrait(PATH, image, BlobDetector()).quality.size_px == pytest.approx(300, rel=0.05)


def test_what_is_tiny_is_nobody():
    with pytest.raises(EnrolmentRefused, match="shows no face that could be found"):
        find_portrait(PATH, draw(empty(), 300, 200, 10), BlobDetector((5, 300)))


def test_what_is_too_small_for_a_face_is_said():
    for shape, size in (((8, 8, 3), "8x8"), ((15, 400, 3), "400x15")):
        with pytest.raises(EnrolmentRefused, match=f"photo.jpg has only {size} pixels, and a face of 16 px does not fit"):
            find_portrait(PATH, np.full(shape, 90, np.uint8), BlobDetector())


@pytest.mark.parametrize("share", [0.8, 0.7])
def test_a_picture_that_was_cut_to_the_face_or_into_it_shows_somebody(detector, share):
    whole = known_face()
    x, y, width, height = 178 + 45, 63 + 56, round(90 * share / 2), round(113 * share / 2)
    cut = np.ascontiguousarray(whole[y - height : y + height, x - width : x + width])
    found = find_portrait(PATH, cut, detector)
    assert found.turned_degrees == 0
    np.testing.assert_array_equal(found.bgr, cut)
    assert found.quality.size_px == pytest.approx(100, rel=0.25)
    eyes = found.landmarks[:2].mean(0) + np.array([x - width, y - height])
    assert eyes == pytest.approx(np.array([226, 108]), abs=12)


class AllWaysUp(BlobDetector):
    """Finds a face on its head as sure as an upright one."""

    def _faces(self, bgr):
        faces = super()._faces(bgr)
        faces.scores[:] = 0.9
        return faces


def test_a_face_that_may_be_on_its_head_is_refused():
    with pytest.raises(EnrolmentRefused, match="is unclear which way up the face is"):
        find_portrait(PATH, draw(empty(), 200, 100, 120), AllWaysUp())


class SeesThings(BlobDetector):
    """Also finds something in a view of one size, wherever there is a face."""

    def _faces(self, bgr):
        faces = super()._faces(bgr)
        if bgr.shape[:2] == (400, 600):
            faces.boxes[:] += np.float32([0, 150, 0, 0])
        return faces


def test_what_one_view_alone_shows_is_no_second_face():
    assert find_portrait(PATH, draw(empty(), 200, 50, 120), SeesThings()).quality.size_px == pytest.approx(120, rel=0.05)


@pytest.mark.parametrize("degrees", [90, 180, 270])
@pytest.mark.parametrize("person", [person for person in PEOPLE if person != ("t1", 3)][:4])
def test_real_people_on_their_side_or_head_are_turned(person, degrees, detector):
    image = portrait(*person, margin=0.35)[0]
    upright = find_portrait(PATH, image, detector)
    assert upright.turned_degrees == 0
    found = find_portrait(PATH, np.rot90(image, degrees // 90), detector)
    assert found.turned_degrees == 360 - degrees
    np.testing.assert_array_equal(found.bgr, image)
    np.testing.assert_allclose(found.landmarks, upright.landmarks, atol=0.08 * upright.quality.size_px)


@pytest.mark.parametrize("degrees", [-35, -20, 20, 35])
def test_a_tilted_head_is_not_turned(degrees, detector):
    image = picture("astronaut")
    turn = cv2.getRotationMatrix2D((222, 120), degrees, 1)
    tilted = cv2.warpAffine(image, turn, (512, 512), borderMode=cv2.BORDER_REPLICATE)
    found = find_portrait(PATH, tilted, detector)
    assert found.turned_degrees == 0
    expected = cv2.transform(np.float32(FOUND["astronaut"][0][4:]).reshape(1, 5, 2), turn)[0]
    np.testing.assert_allclose(found.landmarks, expected, atol=20)


def test_a_group_is_counted_on_its_head_too(detector):
    for image in (picture("t1"), np.rot90(picture("t1"), 2)):
        with pytest.raises(EnrolmentRefused, match=r"shows [2-6] faces"):
            find_portrait(PATH, image, detector)


@pytest.mark.parametrize("share", [3.0, 4.0])
def test_a_couple_of_which_one_is_three_times_as_large_is_refused(share, detector):
    large = cv2.resize(portrait("astronaut", 0, margin=0.2)[0], None, fx=share, fy=share, interpolation=cv2.INTER_CUBIC)
    small = portrait("t1", 1, margin=0.4)[0]
    image = np.full((large.shape[0], large.shape[1] + small.shape[1] + 60, 3), 120, np.uint8)
    image[:, : large.shape[1]] = large
    image[40 : 40 + small.shape[0], large.shape[1] + 30 : large.shape[1] + 30 + small.shape[1]] = small
    for cut in (0, large.shape[1] // 5):
        with pytest.raises(EnrolmentRefused, match="shows 2 faces"):
            find_portrait(PATH, image[:, cut:], detector)


@pytest.mark.parametrize("size", [(16, 20000), (20000, 16), (17, 5000)])
def test_a_strip_shows_no_face(size):
    detector = BlobDetector()
    with pytest.raises(EnrolmentRefused, match="shows no face"):
        find_portrait(Path("strip.png"), empty(*size), detector)


def test_a_face_at_the_end_of_a_panorama_is_found_where_it_is_and_its_border_is_bounded(monkeypatch):
    sizes = []
    bordered = cv2.copyMakeBorder

    def remember(picture, *border):
        made = bordered(picture, *border)
        sizes.append(made.nbytes)
        return made

    monkeypatch.setattr("engine.enrolment.search.cv2.copyMakeBorder", remember)
    picture = draw(empty(900, 12_000), 11_250, 100, 700)
    places = find_places(picture, BlobDetector((20, 30)), (0,))  # which sees it in one of the bordered views alone
    np.testing.assert_allclose(places, [[11_250, 100, 700, 700]], atol=70)
    assert max(sizes) < 128 << 20


class SaysNo:
    """A second look that believes only what lies left of a column."""

    limits = Faceness(0.3, 0.7, 0.9)

    def __init__(self, column: float):
        self.column, self.asked = column, []

    def faceness(self, luma, boxes):
        self.asked.append((luma.shape, boxes.shape))
        return np.float32([0.31 if x + width / 2 < self.column else 0.29 for x, _, width, _ in boxes])


def test_what_the_second_look_takes_for_none_is_nobody():
    image = draw(empty(), 200, 100, 120)
    assert find_portrait(PATH, image, BlobDetector(), SaysNo(1000)).quality.size_px == pytest.approx(120, rel=0.05)
    look = SaysNo(0)
    with pytest.raises(EnrolmentRefused, match="shows no face"):
        find_portrait(PATH, image, BlobDetector(), look)
    assert look.asked[0] == (image.shape[:2], (1, 4))


def test_what_the_second_look_takes_for_none_is_no_second_person():
    image = draw(draw(empty(), 100, 100, 120), 400, 100, 120)
    with pytest.raises(EnrolmentRefused, match="shows 2 faces"):
        find_portrait(PATH, image, BlobDetector(), SaysNo(1000))
    assert find_portrait(PATH, image, BlobDetector(), SaysNo(300)).quality.size_px == pytest.approx(120, rel=0.05)


def test_a_turned_photograph_is_judged_upright():
    image = draw(empty(), 200, 100, 120)
    look = SaysNo(1000)
    assert find_portrait(PATH, np.rot90(image, 1), BlobDetector(), look).turned_degrees == 270
    assert look.asked[0][0] == image.shape[:2]
