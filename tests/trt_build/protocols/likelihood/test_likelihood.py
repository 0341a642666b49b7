from dataclasses import fields, replace

import numpy as np
import pytest

from engine.verify.likelihood import read_calibration, write_calibration
from tests.trt_build.data.people.made import LENGTH, people, tracks
from tests.verify.measured import measured
from trt_build.data.people.recording import joined, read_tracks
from trt_build.errors import DataError
from trt_build.protocols.likelihood import comparisons, evaluation, fit
from trt_build.protocols.likelihood.comparisons import GRID, comparisons_of
from trt_build.protocols.likelihood.figures import write_figures
from trt_build.protocols.open_set.scenes import ScenePairs, scene_shares

LIMITS = measured(LENGTH)
SIZES = {18.0: 1.0, 52.0: 0.4}
"""Spread of the vectors by size of the face."""


def scenes(count=100, each=50, mean=-0.6, seed=3, first=0):
    """Return pairs of people of so many scenes, who resemble each other so much on average."""
    resemblance = np.random.default_rng(seed).normal(mean, 0.3, count * each)
    pictures = first + np.repeat(np.arange(count), each)
    return ScenePairs(resemblance, np.full(len(pictures), 40.0), pictures, np.zeros((len(pictures), 2), np.int64))


SCENES = scenes()


def compared(seed, count=150):
    everyone = people(count, 2, seed, spread=1.0)
    seen = joined([tracks(everyone, size, seed + 20, spread=spread) for size, spread in SIZES.items()])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comparisons, "SIZES_PX", (14.0, 28.0, np.inf))
        return comparisons_of(seen, everyone, LIMITS)


@pytest.fixture(scope="module")
def fitted():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit, "CURVES", (0.0,))
        return fit.fit(compared(1), SCENES, LIMITS)


def test_each_person_counts_once_and_each_pair_of_people_once():
    for one in compared(1, 30):
        same, different = one.histograms()
        assert same.sum() == pytest.approx(len(set(one.same_person.tolist())))
        pairs = set(zip(one.different_person.tolist(), one.different_picture.tolist(), strict=True))
        assert different.sum() == pytest.approx(len(pairs))
        assert all(person != picture for person, picture in pairs)


def test_a_person_who_is_not_drawn_counts_nowhere():
    one = compared(1, 30)[-1]
    draws = np.ones(one.people)
    draws[3] = 0.0
    same, different = one.histograms(draws)
    assert same.sum() == pytest.approx(len(set(one.same_person.tolist()) - {3}))
    whole = one.histograms()[1]
    assert different.sum() == pytest.approx(whole.sum() - 2 * (one.people - 1))
    assert (different <= whole + 1e-9).all()


def test_ratios_and_rates_hold_on_other_people(fitted, monkeypatch, tmp_path):
    monkeypatch.setattr(evaluation, "_DRAWS", 2)
    others = compared(2)
    results = evaluation.evaluate(fitted, others)
    assert len(results) == len(fitted.buckets) == 4
    for one in results:
        assert one.cllr_cal.value < 0.1
        assert one.calibration_error.value < 0.1
        assert one.match_rates["0.01"].value == pytest.approx(1.0, abs=0.5)
        assert one.lowest < 0 < one.highest
        assert 0 < one.floor.calibration_error < 0.1
        assert 0 < one.floor.cllr_cal < one.cllr_cal.value + 0.1
    assert results[-1].cllr.value < results[0].cllr.value  # larger faces tell more
    assert evaluation.markdown(results).count("\n") == 6
    write_figures(fitted, others[-1:], results[-1:], tmp_path / "one.png")
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")


def test_a_hall_full_of_people_is_one_scene_among_others(fitted, monkeypatch):
    """Twenty times as many pairs of people who have nothing in common leave the ratios where the other scenes have them."""
    monkeypatch.setattr(fit, "CURVES", (0.0,))
    hall = scenes(1, 100_000, mean=-0.75, seed=4, first=100)
    both = ScenePairs(
        *(
            np.concatenate([getattr(one, name) for one in (SCENES, hall)])
            for name in (field.name for field in fields(ScenePairs))
        )
    )
    for one, other in zip(fit.fit(compared(1), both, LIMITS).buckets, fitted.buckets, strict=True):
        assert (one.scene_offset, one.scene_slope) == pytest.approx((other.scene_offset, other.scene_slope), rel=0.03)


def test_no_ratio_is_above_what_names_say_of_people_of_one_scene(fitted):
    """A ratio of R is reached by 1 in R people of one scene at most (Markov), by the very limits that a name asks for."""
    for one in fitted.buckets:
        ratios = fitted.log10_ratio(GRID, one)
        assert (10**ratios * [LIMITS.scene_chance(at) for at in GRID.tolist()])[ratios > 0].max() <= 1


def test_what_is_rare_in_a_scene_is_as_rare_as_names_say_and_the_rest_is_counted():
    at = np.linspace(-2, 0.5, 500)
    shares = scene_shares(SCENES, LIMITS, at)
    assert (np.diff(shares) <= 0).all()
    rare = at >= LIMITS.scene_limits[0]
    assert shares[rare] == pytest.approx([LIMITS.scene_chance(one) for one in at[rare].tolist()])
    counted = [float((SCENES.resemblance >= one).mean()) for one in at[~rare].tolist()]
    assert shares[~rare] == pytest.approx(np.maximum(counted, LIMITS.scene_chances[0]))


def test_ratios_that_are_too_high_cost_more_within_scenes(fitted, monkeypatch):
    others = compared(2)
    monkeypatch.setattr(evaluation, "_DRAWS", 2)
    table = evaluation.evaluate_scenes(fitted, others, SCENES)
    assert [one.bucket for one in table] == [one.words for one in fitted.buckets]
    raised = (replace(one, offset=one.offset + 4, scene_offset=one.scene_offset + 4, highest=9.0) for one in fitted.buckets)
    boastful = replace(fitted, buckets=tuple(raised))
    for one, other in zip(table, evaluation.evaluate_scenes(boastful, others, SCENES), strict=True):
        assert one.cllr_min.value <= one.cllr.value < other.cllr.value
        assert one.cllr_cal.value == pytest.approx(one.cllr.value - one.cllr_min.value)
        assert one.calibration_error.value < 0.1
        assert one.floor == other.floor
    assert evaluation.scene_markdown(table).count("\n") == 6


def test_rates_are_shown_as_far_as_thirty_pairs_of_people_passed(fitted):
    assert fitted.smallest_rate == 3e-3  # of 149 * 150 pairs 67; of 1e-3 only 22
    for bucket, one in zip(fitted.buckets, compared(1), strict=True):
        different = one.histograms()[1]
        passes = different[fitted.limit(bucket, 0.01) <= GRID].sum() / different.sum()
        assert passes == pytest.approx(0.01, abs=0.002)


def test_what_is_fitted_is_read_as_written(fitted, tmp_path):
    write_calibration(fitted, tmp_path / "one.npz")
    again = read_calibration(tmp_path / "one.npz")
    assert (again.buckets, again.curve) == (fitted.buckets, fitted.curve)
    assert again.limits.tolist() == fitted.limits.tolist()


def test_too_few_people_are_refused_and_a_folder_without_tracks(tmp_path):
    with pytest.raises(DataError, match="have a second photograph: at least 20 are needed"):
        fit.fit(compared(1, 12), SCENES, LIMITS)
    with pytest.raises(DataError, match="holds no recorded tracks"):
        read_tracks(tmp_path)


def test_resemblances_beyond_the_grid_stay_at_its_ends():
    assert comparisons.place_of(np.array([-5.0, 5.0], np.float32)).tolist() == [0, len(GRID) - 1]


def test_the_floor_is_what_ratios_without_fault_show_and_falls_with_more_people(fitted):
    few, many = (evaluation.evaluate(fitted, compared(2, count)) for count in (40, 320))
    for one, other in zip(few, many, strict=True):
        assert other.floor.calibration_error < 0.75 * one.floor.calibration_error
        assert other.floor.cllr_cal < 0.6 * one.floor.cllr_cal
