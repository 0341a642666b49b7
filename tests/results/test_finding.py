from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.contracts.frames import Uint8
from engine.results.cast import Cast
from engine.results.finding import Seeker, found_near
from tests.publish.samples import pictures
from tests.results.runs import make_run


@pytest.fixture(scope="module")
def face() -> Uint8:
    return cv2.cvtColor(pictures(40)[0], cv2.COLOR_BGR2GRAY)


def _picture(face: Uint8, x: int, y: int) -> Uint8:
    """Return a picture with a face in it; what of it lies outside is cut off."""
    rng = np.random.default_rng(7)
    whole = rng.integers(90, 110, (200 + 160, 300 + 160), np.uint8)
    whole[80 + y : 80 + y + 40, 80 + x : 80 + x + 40] = face
    return whole[80:-80, 80:-80].copy()


@pytest.mark.parametrize("away", [(0, 0), (18, -10), (-25, 12), (0, 30)])
def test_a_face_is_found_beside_where_it_is_expected(face: Uint8, away: tuple[int, int]) -> None:
    luma = _picture(face, 130 + away[0], 80 + away[1])
    found = found_near(luma, (130.0, 80.0, 40.0, 40.0), face)
    assert found == pytest.approx((130 + away[0], 80 + away[1], 40, 40), abs=2)


def test_it_is_found_at_another_size_and_at_the_border(face: Uint8) -> None:
    small = cv2.resize(face, (20, 20), interpolation=cv2.INTER_AREA)
    assert found_near(_picture(face, 140, 80), (130.0, 80.0, 40.0, 40.0), small) == pytest.approx((140, 80, 40, 40), abs=3)
    at_border = found_near(_picture(face, -6, -8), (4.0, 2.0, 40.0, 40.0), face)
    assert at_border is None or at_border == pytest.approx((-6, -8, 40, 40), abs=6)


@pytest.mark.parametrize(("x", "y", "side"), [(130, 80, 40), (-300, 50, 40), (500, 400, 40), (9, 9, 2)])
def test_nothing_is_found_where_nothing_is_like_it(face: Uint8, x: int, y: int, side: int) -> None:
    expected = (float(x), float(y), float(side), float(side))
    assert found_near(_picture(face, 20, 150), expected, face) is None


def test_a_box_goes_to_its_face_and_stays_where_it_is_expected_without_a_crop(tmp_path: Path) -> None:
    """Of this face the crop has the lower part of the box alone, as at the upper border of a picture."""
    run = make_run(tmp_path).run
    ((role, expected),) = Cast(run, "door").at(0.4)
    (shot, _), seen = role.shots, (30.0, 40.0, 24.0, 32.0)
    assert expected == shot.box == (26.0, 10.0, 12.0, 16.0)
    assert shot.crop_box == (6, 16, 32, 32)
    part = cv2.cvtColor(pictures(32)[0], cv2.COLOR_BGR2GRAY)[0:10, 20:32]
    luma = np.full((96, 128), 100, np.uint8)
    luma[57:77, 36:60] = cv2.resize(part, (24, 20), interpolation=cv2.INTER_LINEAR)
    seeker = Seeker(run)
    for _ in range(6):
        placed = seeker.place(role, seen, 0.4, luma)
    assert placed == pytest.approx((36, 45, 24, 32), abs=2)
    for path in (run.directory / "faces/door/1").glob("*_original.jpg"):
        path.unlink()
    assert Seeker(run).place(role, seen, 0.4, luma) == seen
