import numpy as np
import pytest

from trt_build.protocols.open_set import galleries
from trt_build.protocols.open_set.galleries import KEPT, OWN, limits_of, mean_rates


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    monkeypatch.setattr(galleries, "_DRAWS", 200)


def met(strangers, tracks, seed, pictures=300):
    """Every stranger has so many tracks, and each of them resembles a picture as much as the others."""
    rng = np.random.default_rng(seed)
    return np.repeat(rng.standard_normal((strangers, pictures)).astype(np.float32), tracks, axis=0)


def test_a_rate_holds_in_as_many_galleries_of_others_as_is_said():
    """Fitted on some strangers, drawn anew with others."""
    rate, people = 0.02, 5
    (limit,) = limits_of(met(150, 4, 1), people, [rate], np.random.default_rng(2))
    others, rng = met(150, 4, 3), np.random.default_rng(4)
    named = np.array([(others[:, rng.integers(0, 300, people)].max(axis=1) > limit).mean() for _ in range(300)])
    assert (named <= rate).mean() >= KEPT - 0.02
    assert 0.2 * rate < named.mean() < 0.7 * rate


def test_the_more_false_names_come_together_the_less_the_mean_may_be():
    shares = [mean_rates([met(600 // tracks, tracks, 5)], (0.05,))[1][0] / 0.05 for tracks in (1, 6, 30)]
    assert 1 > shares[0] > 1.2 * shares[1] > 1.2**2 * shares[2] > 0


def test_a_rate_of_less_than_half_a_track_is_not_shown():
    rates, means = mean_rates([met(50, 2, 6), met(50, 4, 7)], (0.1, 0.01, 0.0026, 0.002))
    assert rates.tolist() == [0.1, 0.01, 0.0026]
    assert (np.diff(means) <= 0).all()
    assert (means < rates).all()


def test_a_strangers_own_picture_is_nobody_elses():
    one = met(200, 1, 8)
    marked = one.copy()
    marked[np.arange(200), np.arange(200)] = OWN
    assert mean_rates([marked], (0.1,))[1] == pytest.approx(mean_rates([one], (0.1,))[1], rel=0.1)
