import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.contracts.findings import Candidate
from engine.verify.evidence import Fusion
from engine.verify.gallery.snapshot import Snapshot
from engine.verify.scores import Thresholds, best_cosines, decide, rank

THRESHOLDS = Thresholds(known_cosine=0.9, unknown_cosine=0.8, margin_cosine=0.02, min_size_px=24, min_faces=2)


def seen(moments=5, large=5, nobody=0):
    return Fusion(faces=moments, moments=moments, large_faces=large, nobody=nobody, shown=moments - nobody)


def unit(*values):
    vector = np.array(values, np.float32)
    return vector / np.linalg.norm(vector)


vectors = (
    arrays(np.float32, 8, elements=st.floats(-1, 1, width=16)).filter(lambda v: np.linalg.norm(v) > 0.1).map(lambda v: unit(*v))
)


def test_best_picture_of_each_identity_counts():
    matrix = np.stack([unit(1, 0, 0), unit(1, 1, 0), unit(0, 0, 1)])
    best = best_cosines(unit(1, 0, 0), ["ada", "ada", "bob"], matrix)
    assert best == pytest.approx({"ada": 1.0, "bob": 0.0})


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), vectors), min_size=1, max_size=12), vectors)
def test_rank_is_sorted_complete_and_within_range(rows, probe):
    names, matrix = [name for name, _ in rows], np.stack([row for _, row in rows])
    candidates = rank(probe, None, Snapshot.of(names, matrix), 10)
    cosines = [candidate.cosine_original for candidate in candidates]
    assert cosines == sorted(cosines, reverse=True)
    assert {candidate.identity for candidate in candidates} == set(names)
    assert all(-1 <= cosine <= 1 for cosine in cosines)
    assert cosines[0] == pytest.approx(float((matrix @ probe).max()), abs=1e-5)


def test_enhanced_scores_stand_beside_and_never_change_order_or_decision():
    people = Snapshot.of(["ada", "bob"], [unit(1, 0), unit(0, 1)])
    original, enhanced = unit(1, 0.9), unit(0, 1)
    with_enhanced = rank(original, enhanced, people, 5)
    without = rank(original, None, people, 5)
    assert [c.identity for c in with_enhanced] == ["ada", "bob"] == [c.identity for c in without]
    assert with_enhanced[1].cosine_enhanced == pytest.approx(1.0)
    assert all(c.cosine_enhanced is None for c in without)
    assert decide(with_enhanced, seen(), THRESHOLDS) == decide(without, seen(), THRESHOLDS) == "unknown"


def test_an_enhanced_score_alone_is_no_match():
    assert decide([Candidate("ada", 0.79, 0.99)], seen(), THRESHOLDS) == "unknown"
    assert decide([Candidate("ada", 0.85, 0.99)], seen(), THRESHOLDS) == "undecided"


@pytest.mark.parametrize(
    ("cosines", "faces", "expected"),
    [
        ([], 5, "none"),
        ([0.95], 2, "known"),
        ([0.95], 1, "undecided"),  # too few faces
        ([0.95, 0.94], 2, "undecided"),  # two people fit
        ([0.95, 0.92], 2, "known"),
        ([0.9], 2, "known"),
        ([0.85], 2, "undecided"),
        ([0.79], 2, "unknown"),
        ([0.79], 1, "undecided"),
    ],
)
def test_decision(cosines, faces, expected):
    candidates = [Candidate(f"person-{i}", cosine) for i, cosine in enumerate(cosines)]
    assert decide(candidates, seen(faces, faces), THRESHOLDS) == expected


def test_faces_too_small_to_tell_are_never_unknown_but_may_be_known():
    stranger, friend = [Candidate("ada", 0.7)], [Candidate("ada", 0.95)]
    assert decide(stranger, seen(9, 1), THRESHOLDS) == "undecided"
    assert decide(stranger, seen(9, 2), THRESHOLDS) == "unknown"
    assert decide(friend, seen(9, 0), THRESHOLDS) == "known"


def test_a_name_asks_for_moments_at_which_somebody_can_be_recognised():
    friend, stranger = [Candidate("ada", 0.95)], [Candidate("ada", 0.7)]
    assert [decide(friend, seen(12, 12, nobody), THRESHOLDS) for nobody in (10, 11)] == ["known", "undecided"]
    assert decide(stranger, seen(12, 12, 11), THRESHOLDS) == "unknown"
