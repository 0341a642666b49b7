"""Systems over the same pairs and draws."""

import numpy as np

from trt_build.measures.bootstrap import draw_people
from trt_build.measures.comparison import FMRS, Comparison
from trt_build.measures.verification import SortedTrial, Trial, accuracy, generated_pairs, seeded_folds

PEOPLE = [f"p{index // 3}" for index in range(60)]
PAIRS = generated_pairs(PEOPLE, 0)


def distances(noise, seed=0):
    rng = np.random.default_rng(seed)
    values = {id(PAIRS): np.where(PAIRS.same, 0.3, 0.7) + noise * rng.normal(size=len(PAIRS.same))}
    return lambda pairs: values[id(pairs)]


def test_figures_are_those_of_one_trial_and_gains_are_paired():
    systems = {"good": distances(0.1), "bad": distances(0.3), "same": distances(0.3)}
    found = Comparison(draw_people(PEOPLE, 40, 1), PAIRS, PAIRS, seed=5).compare(systems, "bad")
    everyone = np.ones(len(PAIRS.same))
    for name, of in systems.items():
        expected = SortedTrial(of(PAIRS), PAIRS.same).tars(FMRS, everyone)
        assert [tar.value for tar in found[name].tar] == expected
        trial = Trial(of(PAIRS), PAIRS.same, seeded_folds(PAIRS.same, 5))
        assert found[name].accuracy.value == accuracy(trial, everyone)
    assert found["good"].tar_gain[0].low > 0
    assert all((gain.low, gain.value, gain.high) == (0, 0, 0) for gain in found["same"].tar_gain)


def test_without_few_pairs_there_is_no_accuracy():
    found = Comparison(draw_people(PEOPLE, 5, 1), PAIRS).compare({"one": distances(0.1)}, "one")
    assert found["one"].accuracy is None
    assert len(found["one"].tar) == len(FMRS)
