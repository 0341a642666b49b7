"""Large pictures by tiles."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.config import SuperResolveConfig
from engine.models import find_model
from engine.super_resolve import tiles
from engine.super_resolve.enhancer import lr_consistency_db
from engine.super_resolve.generator import open_generator
from engine.super_resolve.interpolation import Interpolation
from engine.super_resolve.tiles import TiledGenerator


class Counting(Interpolation):
    """Notes what it is given."""

    def __init__(self, name):
        super().__init__(name)
        self.largest, self.closed = 0, False

    def upscale(self, pictures, /):
        self.largest = max(self.largest, *(picture.size for picture in pictures))
        return super().upscale(pictures)

    def close(self):
        self.closed = True


@pytest.fixture
def picture():
    return cv2.resize(np.random.default_rng(3).integers(0, 256, (60, 97), np.uint8), (971, 603))


def test_a_large_picture_is_the_same_by_tiles_and_never_given_whole(picture):
    """A photograph of 3840x2160 took 10 GB."""
    told = []
    generator = Counting("bicubic")
    tiled = TiledGenerator(generator, lambda done, total: told.append((done, total)))
    assert np.array_equal(tiled.upscale([picture])[0], Interpolation("bicubic").upscale([picture])[0])
    assert generator.largest <= (384 + 2 * 32) ** 2
    assert told == [(number, 6) for number in range(1, 7)]


def test_the_default_generator_looks_no_further_than_the_margin(picture, monkeypatch):
    monkeypatch.setattr(tiles, "AT_ONCE_PX", 0)
    monkeypatch.setattr(tiles, "_TILE_PX", 48)
    generator = open_generator(SuperResolveConfig(precision="float32", engines="none"), find_model)
    part = picture[:100, :120]
    assert np.array_equal(TiledGenerator(generator).upscale([part])[0], generator.upscale([part])[0])
    generator.close()


def test_colour_too(picture):
    colour = cv2.merge([picture, 255 - picture, picture])
    assert np.array_equal(
        TiledGenerator(Interpolation("lanczos")).upscale([colour])[0], Interpolation("lanczos").upscale([colour])[0]
    )


def test_a_small_picture_is_given_as_it_is(picture, monkeypatch):
    monkeypatch.setattr(tiles, "AT_ONCE_PX", picture.size)
    generator = Counting("bicubic")
    TiledGenerator(generator, lambda *_: pytest.fail("no tile")).upscale([picture])
    assert generator.largest == picture.size


def test_it_is_the_generator_otherwise():
    generator = Counting("bicubic")
    tiled = TiledGenerator(generator)
    assert (tiled.name, tiled.scale, tiled.colour) == ("bicubic", 4, "luma")
    tiled.close()
    assert generator.closed


def test_how_well_a_picture_agrees_is_the_same_in_strips(picture):
    high = cv2.resize(picture, None, fx=2, fy=2)
    reduced = cv2.resize(high.astype(np.float32), picture.shape[::-1], interpolation=cv2.INTER_AREA)
    tall = np.vstack([picture] * 3)
    expected = 10 * np.log10(255**2 / np.mean((reduced - picture) ** 2))
    assert lr_consistency_db(np.vstack([high] * 3), tall) == pytest.approx(expected, abs=1e-4)
