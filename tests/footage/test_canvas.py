from __future__ import annotations

import numpy as np
import pytest

from engine.contracts.frames import Planes
from engine.footage.canvas import Canvas, fitted
from engine.footage.lettering import lettered
from engine.pictures.colour import bgr_from_planes, planes_from_bgr


def _grey(width: int = 40, height: int = 30) -> Planes:
    return planes_from_bgr(np.full((height, width, 3), 90, np.uint8), "bt709")


def test_what_is_not_drawn_on_stays_as_it_is() -> None:
    before = _grey()
    canvas = Canvas(before)
    canvas.frame((10.0, 8.0, 12.0, 10.0), (0, 0, 255), 2)
    drawn = bgr_from_planes(canvas.planes)
    assert drawn[7, 15].tolist() == pytest.approx([0, 0, 255], abs=4)
    assert (canvas.planes.y[8:18, 10:22] == before.y[0, 0]).all()
    assert (before.y == before.y[0, 0]).all()
    assert (canvas.planes.y != before.y).sum() == 16 * 14 - 12 * 10


@pytest.mark.parametrize("box", [(-20.0, -20.0, 30.0, 30.0), (35.0, 25.0, 30.0, 30.0), (100.0, 100.0, 5.0, 5.0)])
@pytest.mark.parametrize("size", [(40, 30), (41, 31)])
def test_what_reaches_over_the_border_is_cut_off(box: tuple[float, ...], size: tuple[int, int]) -> None:
    canvas = Canvas(_grey(*size))
    canvas.frame(box, (0, 255, 0), 2)
    canvas.paste(np.full((20, 20, 3), 255, np.uint8), round(box[0]), round(box[1]))
    assert canvas.size_px == size


def test_a_picture_is_pasted_at_its_place() -> None:
    canvas = Canvas(_grey())
    canvas.paste(np.full((6, 8, 3), (255, 0, 0), np.uint8), 11, 5)
    drawn = bgr_from_planes(canvas.planes)
    assert drawn[7, 12].tolist() == pytest.approx([255, 0, 0], abs=4)
    assert drawn[3, 12].tolist() == pytest.approx([90, 90, 90], abs=3)


def test_a_picture_fits_without_being_squashed() -> None:
    whole = fitted(np.full((10, 20, 3), 200, np.uint8), 40, 40)
    assert whole.shape == (40, 40, 3)
    assert (whole[:10] == 0).all()
    assert (whole[12:28] == 200).all()


def test_words_have_even_sides_and_ink() -> None:
    picture = lettered("#3 Ada Lovelace", 21)
    assert picture.shape[0] == 22
    assert picture.shape[1] % 2 == 0
    assert picture.max() > 200


def test_letters_that_no_font_has_stand_as_escapes() -> None:
    assert lettered("\U0010fffd", 20).shape[1] > lettered("x", 20).shape[1]
