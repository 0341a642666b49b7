import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import ModelError
from engine.models.catalog import embedded_dir
from engine.verify.likelihood import Calibration, probabilities, read_calibration, write_calibration
from engine.verify.open_set import read_open_set
from tests.verify.calibrated import BUCKETS, INF, MADE_UP, RATES, bucket

SHIPPED = read_calibration(embedded_dir() / "dlib_likelihood.npz")


def test_a_bucket_is_found_by_size_and_faces_and_none_for_what_was_not_measured():
    assert MADE_UP.bucket_of(13.9, 2) is None
    assert MADE_UP.bucket_of(14.0, 1) is BUCKETS[0]
    assert MADE_UP.bucket_of(39.9, 7) is BUCKETS[1]
    assert MADE_UP.bucket_of(40.0, 2) is BUCKETS[3]
    assert (BUCKETS[1].words, BUCKETS[2].words) == ("14-40 px, several faces", "40 px and more, one face")


def test_a_ratio_is_a_bent_line_between_its_bounds():
    ratios = MADE_UP.log10_ratio(np.array([-9.0, -0.1, 0.0, 0.1, 9.0]), BUCKETS[0])
    assert ratios == pytest.approx([-1.5, -1.0, 0.0, 1.5, 3.0])


def test_the_line_of_a_scene_is_straight():
    ratios = MADE_UP.log10_ratio(np.array([-0.1, 0.0, 0.1, 0.3]), bucket(offset=9.0, scene_offset=-1.0))
    assert ratios == pytest.approx([-1.5, -1.0, 0.0, 2.0])


def test_the_best_of_ten_pictures_says_ten_times_less():
    assert MADE_UP.log10_ratio(np.array([0.1, 9.0]), BUCKETS[0], 10) == pytest.approx([0.5, 3.0])


@pytest.mark.parametrize("pictures", [1, 3])
def test_shipped_ratios_never_fall_where_the_resemblance_rises_and_keep_their_bounds(pictures):
    for found in SHIPPED.buckets:
        ratios = SHIPPED.log10_ratio(np.linspace(-2, 2, 2001), found, pictures)
        assert (np.diff(ratios) >= 0).all()
        assert (ratios[0], ratios[-1]) == (found.lowest, found.highest)


def test_no_shipped_ratio_is_above_what_names_say_of_people_of_one_scene():
    """A ratio of R is reached by 1 in R people of one scene at most (Markov): by the limits that a name asks for."""
    limits = read_open_set(embedded_dir() / "dlib_open_set.npz")
    at = np.linspace(limits.scene_limits[0], 0.4, 401)
    chances = np.array([limits.scene_chance(one) for one in at.tolist()])
    for found in SHIPPED.buckets:
        ratios = SHIPPED.log10_ratio(at, found)
        low = ratios < found.highest
        assert (10 ** ratios[low] * chances[low] <= 1).all(), found.words
        assert 10**found.highest * chances[~low][0] <= 1, found.words


def test_a_rate_asks_for_its_resemblance_and_rarer_ones_for_more():
    assert [MADE_UP.limit(BUCKETS[0], rate) for rate in (0.1, 0.01, 0.001)] == pytest.approx([0.1, 0.2, 0.3])
    assert 0.2 < MADE_UP.limit(BUCKETS[0], 0.004) < 0.3
    assert MADE_UP.limit(BUCKETS[0], 1e-5) == INF
    assert [MADE_UP.limit(BUCKETS[0], rate) for rate in (0.2, 0.5, 1.0)] == pytest.approx([0.1] * 3), "never everyone"


@given(st.dictionaries(st.text("abcdef", min_size=1), st.floats(-3, 5), min_size=1, max_size=4), st.floats(0, 1))
@settings(max_examples=30)
def test_probabilities_follow_bayes_and_leave_room_for_nobody(ratios, prior):
    found = dict(zip(ratios, probabilities(np.array(list(ratios.values())), prior).tolist(), strict=True))
    assert all(0 <= value <= 1 for value in found.values())
    assert sum(found.values()) <= 1 + 1e-9
    assert sorted(found, key=lambda name: (found[name], name)) == sorted(ratios, key=lambda name: (found[name], name))
    even = probabilities(np.zeros(len(ratios)), prior)
    assert even.sum() == pytest.approx(prior, abs=1e-9)  # what says nothing changes nothing


def test_one_person_at_even_odds_is_as_probable_as_the_ratio_says():
    assert probabilities(np.array([2.0]), 0.5) == pytest.approx([100 / 101])


def test_what_was_written_is_read_with_an_id_of_its_own(tmp_path):
    write_calibration(MADE_UP, tmp_path / "one.npz")
    again = read_calibration(tmp_path / "one.npz")
    assert (again.buckets, again.curve, again.embedder_sha256) == (BUCKETS, 5.0, "0" * 64)
    assert again.rates.tolist() == RATES.tolist()
    assert len(again.id) == 12
    write_calibration(MADE_UP, tmp_path / "two.npz")
    assert read_calibration(tmp_path / "two.npz").id == again.id


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(-1, 2))
def test_the_ratio_holds_against_somebody_else_of_the_scene_too(one, other, scene_offset):
    """It is the lower of both, and never falls where the resemblance rises."""
    anybody, both = bucket(), bucket(scene_offset=scene_offset)
    scene = bucket(offset=9.0, scene_offset=scene_offset)
    low, high = MADE_UP.log10_ratio(np.sort([one, other]), both)
    assert low <= high
    for at, found in zip(sorted((one, other)), (low, high), strict=True):
        alone = [float(MADE_UP.log10_ratio(np.array([at]), line)[0]) for line in (anybody, scene)]
        assert found == pytest.approx(min(alone))


@pytest.mark.parametrize("damage", ["cut", "garbage", "falling slope", "no buckets", "missing"])
def test_a_damaged_calibration_is_refused_in_words(tmp_path, damage):
    path = tmp_path / "one.npz"
    buckets = {"falling slope": (bucket(slope=-1.0), *BUCKETS[1:]), "no buckets": ()}.get(damage, BUCKETS)
    limits = MADE_UP.limits[: len(buckets)]
    write_calibration(Calibration(buckets, 5.0, RATES, limits, "0" * 64, "made up"), path)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:200])
    elif damage == "garbage":
        path.write_bytes(b"not a calibration")
    elif damage == "missing":
        path.unlink()
    with pytest.raises(ModelError, match="does not hold the calibration of an embedder"):
        read_calibration(path)


def test_what_ships_belongs_to_the_embedder_of_the_limits_and_is_small():
    assert SHIPPED.embedder_sha256 == read_open_set(embedded_dir() / "dlib_open_set.npz").embedder_sha256
    assert (embedded_dir() / "dlib_likelihood.npz").stat().st_size < 30_000
    assert {one.least_faces for one in SHIPPED.buckets} == {1, 2}
    assert all(one.lowest < 0 < one.highest for one in SHIPPED.buckets)
