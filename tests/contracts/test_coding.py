"""A map follows its picture: what is done to pixels that hold their block's parameter is done to the map."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.contracts.coding import UNKNOWN, BlockMap
from engine.contracts.frames import Planes
from engine.decode.cropping import Crop
from engine.decode.orientation import TURNS

shares = st.integers(0, 45).map(lambda percent: percent / 100)


def moving(width: int, height: int, columns: int, rows: int, right: int, down: int) -> Planes:
    """Return a picture of which all moves alike, but for blocks of which nothing is known."""
    motion = np.broadcast_to(np.array([right, down], np.int8)[:, None, None], (2, rows, columns)).copy()
    motion[:, :, ::4] = UNKNOWN
    chroma = np.zeros(((height + 1) // 2, (width + 1) // 2), np.uint8)
    blocks = BlockMap(np.zeros((rows, columns), np.uint8), motion=motion)
    return Planes(np.zeros((height, width), np.uint8), chroma, chroma, blocks=blocks)


def painted(width: int, height: int, seed: int, block_height: int = 16) -> Planes:
    """Return a picture whose luma is the parameter of the block that it lies in."""
    rows, columns = -(-height // block_height), -(-width // 16)
    qp = np.random.default_rng(seed).integers(0, 52, (rows, columns), np.uint8)
    luma = np.repeat(np.repeat(qp, block_height, axis=0), 16, axis=1)[:height, :width]
    chroma = np.zeros(((height + 1) // 2, (width + 1) // 2), np.uint8)
    return Planes(luma, chroma, chroma, blocks=BlockMap(qp, block_height_px=block_height))


@given(
    st.integers(2, 90),
    st.integers(2, 90),
    st.integers(0, 99),
    st.sampled_from([16, 32]),
    st.sampled_from(list(TURNS.values())),
    st.tuples(shares, shares, shares, shares),
    st.data(),
)
def test_a_map_tells_what_lies_under_a_box_of_the_picture_that_is_shown(width, height, seed, block, turn, crop, data):
    shown = turn.apply(Crop(*crop).apply(painted(width, height, seed, block)))
    left, top = data.draw(st.integers(0, shown.width_px - 1)), data.draw(st.integers(0, shown.height_px - 1))
    right, bottom = data.draw(st.integers(left + 1, shown.width_px)), data.draw(st.integers(top + 1, shown.height_px))
    assert shown.blocks is not None
    under = shown.blocks.qp_under((left, top, right - left, bottom - top))
    assert under == pytest.approx(shown.y[top:bottom, left:right].mean(), abs=1e-6)
    rows, columns = shown.blocks.qp.shape
    most = (-(-shown.width_px // 16) + 1) * (-(-shown.height_px // 16) + 1)
    assert 0 < rows * columns <= most  # what a slot has room for


@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 3), st.integers(1, 3), st.integers(0, 99))
def test_a_map_is_stretched_with_its_picture(width, height, across, down, seed):
    small = painted(width, height, seed)
    assert small.blocks is not None
    box = (width / 3, height / 4, width / 2, height / 2)
    wide = tuple(value * factor for value, factor in zip(box, (across, down, across, down), strict=True))
    assert small.blocks.stretched(across, down).qp_under(wide) == pytest.approx(small.blocks.qp_under(box))


@pytest.mark.parametrize(
    "box", [(500, 5, 9, 9), (-40, 5, 20, 9), (5, 5, 0, 9), (5, 5, -9, 9), (np.nan, 0, 9, 9), (0, 0, np.inf, 9)]
)
def test_a_box_that_covers_no_block_has_no_parameter(box):
    told = painted(64, 48, 0).blocks
    assert told is not None
    assert told.qp_under(box) is None


@pytest.mark.parametrize("turn", TURNS.values())
def test_what_moves_is_turned_with_the_picture(turn):
    planes = moving(160, 96, 10, 6, right=12, down=-8)
    x, y = 100.0, 50.0
    point, moved = np.array([x, y]), np.array([x + 3, y - 2])  # 16 px a block and 64 parts: a quarter of a pixel each

    def turned(place: np.ndarray) -> np.ndarray:
        size = np.array([160.0, 96.0])
        if turn.transpose:
            place, size = place[::-1], size[::-1]
        return np.array([size[0] - place[0] if turn.mirror else place[0], size[1] - place[1] if turn.flip else place[1]])

    shown = turn.apply(planes)
    assert shown.blocks is not None
    found = shown.blocks.motion_under((*(turned(point) - 20), 40, 40))
    assert found is not None
    assert np.allclose(turned(point) + found, turned(moved))
    wide = shown.blocks.stretched(2, 1).motion_under((*((turned(point) - 20) * (2, 1)), 80, 40))
    assert wide == pytest.approx((2 * found[0], found[1]))


def test_where_little_was_predicted_nothing_is_known_of_the_motion():
    blocks = moving(160, 96, 10, 6, 12, -8).blocks
    assert blocks is not None
    assert blocks.motion_under((0, 0, 16, 60)) is None
    assert blocks.motion_under((0, 0, 48, 60)) == (3.0, -2.0)
    assert blocks.motion_under((-500, 0, 48, 60)) is None
    assert BlockMap(blocks.qp).motion_under((20, 20, 40, 40)) is None
