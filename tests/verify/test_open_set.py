from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ConfigError, ModelError
from engine.verify.open_set import read_open_set, write_open_set
from tests.verify.measured import measured

ONE = measured()
OF_ONE_ROOM = measured(scene=0.35)
"""Here somebody else of the scene reaches 0.15 more than anybody of 64 px does, and 0.1 more at 16 px."""
sizes = st.floats(5, 400)
rates = st.floats(1e-9, 0.5)
people = st.integers(1, 100_000)
resemblances = st.floats(-1.5, 1.5)


@given(sizes, rates, people)
def test_at_the_limit_the_chance_is_the_rate(size, rate, pictures):
    limit = ONE.limit(size, pictures, rate)
    if size < ONE.smallest_px:
        assert limit == float("inf")
        assert ONE.chance(9.0, size, pictures) == 1.0
    elif rate / pictures < ONE.chances[0]:
        assert ONE.chance(limit, size, pictures) == pytest.approx(rate, rel=1e-6)


@given(sizes, rates, rates, people, people)
def test_a_name_asks_for_more_in_a_larger_gallery_and_at_a_smaller_rate(size, one, other, few, many):
    few, many = sorted((few, many))
    strict, loose = sorted((one, other))
    assert ONE.limit(size, many, loose) >= ONE.limit(size, few, loose)
    assert ONE.limit(size, few, strict) >= ONE.limit(size, few, loose)


@given(sizes, resemblances, resemblances, people, people)
def test_the_chance_falls_with_resemblance_and_rises_with_the_gallery(size, one, other, few, many):
    low, high = sorted((one, other))
    few, many = sorted((few, many))
    assert 0 <= ONE.chance(high, size, few) <= ONE.chance(low, size, few) <= 1
    assert ONE.chance(high, size, few) <= ONE.chance(high, size, many)


@given(st.floats(16, 64), st.floats(16, 64), rates, people)
def test_between_two_sizes_the_limit_lies_between_theirs(one, other, rate, pictures):
    small, large = sorted((one, other))
    ends = ONE.limit(16, pictures, rate), ONE.limit(64, pictures, rate)
    assert ends[0] + 1e-9 >= ONE.limit(small, pictures, rate) >= ONE.limit(large, pictures, rate) - 1e-9 >= ends[1] - 2e-9


def test_beyond_the_measured_sizes_nothing_changes_upwards_and_nobody_is_named_below():
    assert ONE.limit(1000, 10, 0.01) == ONE.limit(64, 10, 0.01)
    assert ONE.limit(14, 10, 0.01) == ONE.limit(16, 10, 0.01)
    assert ONE.limit(13, 10, 0.01) == float("inf")
    assert not ONE.is_nobody(-1.5, 13)
    assert ONE.is_nobody(-0.3, 16)
    assert not ONE.is_nobody(-0.1, 16)


def test_too_small_is_where_hardly_anybody_reaches_the_limit():
    """1 in 20 reaches 0.5 at 16 px and 1.2 at 64 px; at 1 in 1,000 one picture asks for 0.35 and 0.3, a million for more."""
    assert ONE.too_small_px(1, 1e-3) == pytest.approx(ONE.smallest_px)
    assert 16 < ONE.too_small_px(1_000_000, 1e-3) < 64
    assert ONE.too_small_px(1_000_000, 1e-9) == float("inf")


@given(st.sampled_from([ONE, OF_ONE_ROOM]), sizes, rates, people)
def test_a_name_asks_for_what_strangers_of_the_scene_do_not_reach(one, size, rate, pictures):
    limit = one.limit(size, pictures, rate)
    assert limit >= one.scene_limit(rate)
    if limit < float("inf"):
        assert one.chance(limit, size, pictures) <= rate * (1 + 1e-6)
        assert one.scene_chance(limit) <= rate * (1 + 1e-6)


@given(rates, people)
def test_only_one_picture_is_of_the_scene_however_large_the_gallery(rate, pictures):
    """So the scene asks for the same in every gallery, and a large one asks for more anyway."""
    limit = OF_ONE_ROOM.limit(64, pictures, rate)
    assert limit == max(ONE.limit(64, pictures, rate), OF_ONE_ROOM.scene_limit(rate))


def test_a_rate_that_the_scenes_cannot_show_is_refused():
    few = replace(ONE, scene_pairs=1000)
    with pytest.raises(ConfigError, match=r"1,000 pairs of people of one scene .* use 0\.003 or more"):
        few.check_rate(0.001)


def test_a_rate_that_the_strangers_cannot_show_is_refused():
    few = measured(strangers=6000)
    few.check_rate(0.001)
    few.check_rate(3 / 6000)
    with pytest.raises(ConfigError, match=r"false_name_rate \(0\.0001\) is below what the 6,000 tracks .* use 0\.0005 or more"):
        few.check_rate(0.0001)


def test_who_resembles_everybody_must_resemble_the_picture_more():
    common = ONE.crowd[:6].mean(axis=0)
    common /= np.linalg.norm(common)
    rare = np.zeros_like(common)
    rare[np.argmin(np.abs(common))] = 1.0
    pictures = np.stack([common, rare])
    crowding = ONE.crowding(pictures)
    assert crowding[0] > crowding[1]
    assert ONE.resemblance(common, pictures, crowding)[0] < ONE.resemblance(rare, pictures, crowding)[1]


def test_written_limits_are_read_as_they_were(tmp_path):
    path = tmp_path / "one.npz"
    write_open_set(ONE, path)
    read = read_open_set(path)
    np.testing.assert_array_equal(read.limits, ONE.limits)
    np.testing.assert_array_equal(read.scene_limits, ONE.scene_limits)
    np.testing.assert_allclose(read.crowd, ONE.crowd, atol=1e-3)
    assert (read.embedder_sha256, read.provenance, read.smallest_rate) == (ONE.embedder_sha256, "made up", ONE.smallest_rate)


def test_damaged_limits_are_refused(tmp_path):
    path = tmp_path / "one.npz"
    write_open_set(ONE, path)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(ModelError, match="does not hold the limits"):
        read_open_set(path)
    for falling in (replace(ONE, limits=ONE.limits[:, ::-1]), replace(ONE, scene_limits=ONE.scene_limits[::-1])):
        write_open_set(falling, path)
        with pytest.raises(ModelError, match="do not agree"):
            read_open_set(path)
    with pytest.raises(ModelError):
        read_open_set(tmp_path / "none.npz")
