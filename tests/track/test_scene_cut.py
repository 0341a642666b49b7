"""A change of the scene is seen; light, noise and the camera's own movement are none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.contracts.frames import Uint8
from engine.track.scene_cut import SceneCuts
from engine.track.small_picture import detail_of, found_again
from tests.assets import shared
from tests.real_footage import frames


def scene(seed: int, width: int = 320, height: int = 180) -> Uint8:
    """Coarse and fine structure, as photographs have it, from 20 to 220."""
    rng = np.random.default_rng(seed)
    total = np.zeros((height, width), np.float32)
    for cells in (3, 7, 16, 40):
        coarse = rng.standard_normal((cells, cells * 16 // 9)).astype(np.float32)
        total += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(120 + 100 * np.tanh(total / 2.5), np.uint8)


def cuts_in(*pictures: Uint8) -> list[int]:
    look = SceneCuts()
    return [number for number, picture in enumerate(pictures) if look.is_cut(picture)]


def moved(picture: Uint8, right: float = 0.0, zoom: float = 1.0, degrees: float = 0.0) -> Uint8:
    height, width = picture.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, zoom)
    matrix[0, 2] += right * width
    return np.asarray(cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REFLECT), np.uint8)


def noisy(picture: Uint8, levels: float, seed: int = 1) -> Uint8:
    return np.asarray(np.clip(picture + np.random.default_rng(seed).normal(0, levels, picture.shape), 0, 255), np.uint8)


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(1, 3)), min_size=1, max_size=6))
@settings(max_examples=30, deadline=None)
def test_cuts_are_where_the_scene_changes_and_nowhere_else(plan: list[tuple[int, int]]):
    pictures = [noisy(scene(seed), 3, number) for seed, length in plan for number in range(length)]
    names = [seed for seed, length in plan for _ in range(length)]
    assert cuts_in(*pictures) == [at for at in range(1, len(names)) if names[at] != names[at - 1]]


@pytest.mark.parametrize(
    "change",
    [
        lambda picture: noisy(picture, 15),
        lambda picture: np.clip(picture * 1.25 + 40.0, 0, 255).astype(np.uint8),  # a flash
        lambda picture: (picture * 0.3).astype(np.uint8),  # the lamp goes out
        lambda picture: (255 * (picture / 255.0) ** 0.5).astype(np.uint8),  # another exposure
        lambda picture: noisy((picture * 0.6 + 60).astype(np.uint8), 6),  # infrared at night
        lambda picture: moved(picture, right=0.06),
        lambda picture: moved(picture, right=-0.02, degrees=2),
        lambda picture: moved(picture, zoom=1.08),
        lambda picture: cv2.GaussianBlur(picture, (0, 0), 2.0),
        lambda picture: np.where(np.arange(picture.shape[1]) < 0.3 * picture.shape[1], 90, picture).astype(np.uint8),
    ],
    ids=["noise", "flash", "dark", "exposure", "night", "pan", "shake", "zoom", "out of focus", "somebody walks by"],
)
def test_a_scene_that_goes_on_is_not_cut(change):
    for seed in range(12):
        assert cuts_in(scene(seed), change(scene(seed)), scene(seed)) == []


@pytest.mark.parametrize("level", [0, 16, 255])
def test_a_picture_without_detail_hides_no_change_and_makes_none(level: int):
    blank = np.full((180, 320), level, np.uint8)
    assert cuts_in(scene(1), blank, scene(1), blank, blank, scene(2)) == [5]


def test_the_size_of_the_picture_does_not_matter():
    for width, height in ((64, 36), (100, 70), (1001, 563), (30, 200)):
        assert cuts_in(scene(3, width, height), noisy(scene(3, width, height), 2), scene(4, width, height)) == [2]
    assert cuts_in(scene(5, 640, 360), cv2.resize(scene(5, 640, 360), (320, 180), interpolation=cv2.INTER_AREA)) == []


def test_after_a_reset_the_next_frame_is_the_first():
    look = SceneCuts()
    assert not look.is_cut(scene(1))
    look.reset()
    assert not look.is_cut(scene(2))
    assert look.is_cut(scene(3))


def test_a_scene_is_all_found_in_itself_and_little_of_another():
    one, other = detail_of(scene(1)), detail_of(scene(2))
    assert found_again(one, one) == 1.0
    assert found_again(one, other) is not None
    assert found_again(one, other) < 0.35
    assert found_again(one, np.zeros_like(one)) is None


@pytest.mark.parametrize(
    ("clip", "last"), [("asl_book.mkv", 109), ("one-by-one-person-detection.mp4", 150), ("car-detection.mp4", 150)]
)
def test_no_cut_in_footage_without_one(clip: str, last: int):
    assert cuts_in(*(planes.y for _, planes in frames(shared(f"video/{clip}"), last=last))) == []
