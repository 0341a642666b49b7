"""A map follows its picture: what is done to pixels that hold their block's parameter is done to the map."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.contracts.coding import QpMap
from engine.contracts.frames import Planes
from engine.decode.cropping import Crop
from engine.decode.orientation import TURNS

shares = st.integers(0, 45).map(lambda percent: percent / 100)


def painted(width: int, height: int, seed: int, block_height: int = 16) -> Planes:
    """Return a picture whose luma is the parameter of the block that it lies in."""
    rows, columns = -(-height // block_height), -(-width // 16)
    qp = np.random.default_rng(seed).integers(0, 52, (rows, columns), np.uint8)
    luma = np.repeat(np.repeat(qp, block_height, axis=0), 16, axis=1)[:height, :width]
    chroma = np.zeros(((height + 1) // 2, (width + 1) // 2), np.uint8)
    return Planes(luma, chroma, chroma, qp=QpMap(qp, block_height_px=block_height))


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
    assert shown.qp is not None
    under = shown.qp.under((left, top, right - left, bottom - top))
    assert under == pytest.approx(shown.y[top:bottom, left:right].mean(), abs=1e-6)
    rows, columns = shown.qp.qp.shape
    most = (-(-shown.width_px // 16) + 1) * (-(-shown.height_px // 16) + 1)
    assert 0 < rows * columns <= most  # what a slot has room for


@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 3), st.integers(1, 3), st.integers(0, 99))
def test_a_map_is_stretched_with_its_picture(width, height, across, down, seed):
    small = painted(width, height, seed)
    assert small.qp is not None
    box = (width / 3, height / 4, width / 2, height / 2)
    wide = tuple(value * factor for value, factor in zip(box, (across, down, across, down), strict=True))
    assert small.qp.stretched(across, down).under(wide) == pytest.approx(small.qp.under(box))


@pytest.mark.parametrize(
    "box", [(500, 5, 9, 9), (-40, 5, 20, 9), (5, 5, 0, 9), (5, 5, -9, 9), (np.nan, 0, 9, 9), (0, 0, np.inf, 9)]
)
def test_a_box_that_covers_no_block_has_no_parameter(box):
    told = painted(64, 48, 0).qp
    assert told is not None
    assert told.under(box) is None
