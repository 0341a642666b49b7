import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.contracts.messages import Candidate
from engine.verify.persons import persons_of
from engine.verify.scores import Fusion, Thresholds, best_cosines, decide, rank

THRESHOLDS = Thresholds(known_cosine=0.9, unknown_cosine=0.8, margin_cosine=0.02, min_size_px=24, min_faces=2)


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
    candidates = rank(probe, None, persons_of(names), matrix, 10)
    cosines = [candidate.cosine_original for candidate in candidates]
    assert cosines == sorted(cosines, reverse=True)
    assert {candidate.identity for candidate in candidates} == set(names)
    assert all(-1 <= cosine <= 1 for cosine in cosines)
    assert cosines[0] == pytest.approx(float((matrix @ probe).max()), abs=1e-5)


def test_enhanced_scores_stand_beside_and_never_change_order_or_decision():
    names, matrix = ["ada", "bob"], np.stack([unit(1, 0), unit(0, 1)])
    original, enhanced = unit(1, 0.9), unit(0, 1)
    with_enhanced = rank(original, enhanced, persons_of(names), matrix, 5)
    without = rank(original, None, persons_of(names), matrix, 5)
    assert [c.identity for c in with_enhanced] == ["ada", "bob"] == [c.identity for c in without]
    assert with_enhanced[1].cosine_enhanced == pytest.approx(1.0)
    assert all(c.cosine_enhanced is None for c in without)
    assert decide(with_enhanced, 5, 5, THRESHOLDS) == decide(without, 5, 5, THRESHOLDS) == "unknown"


def test_an_enhanced_score_alone_is_no_match():
    assert decide([Candidate("ada", 0.79, 0.99)], 5, 5, THRESHOLDS) == "unknown"
    assert decide([Candidate("ada", 0.85, 0.99)], 5, 5, THRESHOLDS) == "undecided"


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
    assert decide(candidates, faces, faces, THRESHOLDS) == expected


def test_faces_too_small_to_tell_are_never_unknown_but_may_be_known():
    stranger, friend = [Candidate("ada", 0.7)], [Candidate("ada", 0.95)]
    assert decide(stranger, 9, 1, THRESHOLDS) == "undecided"
    assert decide(stranger, 9, 2, THRESHOLDS) == "unknown"
    assert decide(friend, 9, 0, THRESHOLDS) == "known"


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(vectors, st.floats(0.001, 1)), min_size=1, max_size=20))
def test_fusion_is_the_normalised_weighted_sum(faces):
    fusion = Fusion()
    for vector, weight in faces:
        fusion = fusion.add(vector, weight)
    total = sum(weight * vector.astype(np.float64) for vector, weight in faces)
    assert fusion.faces == len(faces)
    fused = fusion.embedding()
    if np.linalg.norm(total) > 1e-9:
        np.testing.assert_allclose(fused, total / np.linalg.norm(total), atol=1e-6)


def test_faces_that_look_like_nobody_are_evidence():
    """One lucky face must not make a match: the others of its track pull the fused vector away."""
    names, matrix = ["ada"], np.stack([unit(1, 0, 0)])
    lucky, other = unit(1, 0.1, 0), unit(0.2, 1, 0.3)
    fusion = Fusion().add(lucky, 0.5)
    assert rank(fusion.embedding(), None, persons_of(names), matrix, 1)[0].cosine_original > 0.9
    for _ in range(3):
        fusion = fusion.add(other, 0.5)
    assert (
        decide(rank(fusion.embedding(), None, persons_of(names), matrix, 1), fusion.faces, fusion.large_faces, THRESHOLDS)
        == "unknown"
    )


def test_a_fusion_without_direction_has_no_embedding():
    assert Fusion().embedding() is None
    assert Fusion().add(unit(1, 0), 1.0).add(unit(-1, 0), 1.0).embedding() is None
    assert rank(None, None, persons_of(["ada"]), np.stack([unit(1, 0)]), 3) == []


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan")])
def test_a_weight_must_be_positive(weight):
    with pytest.raises(ValueError, match="weight"):
        Fusion().add(unit(1, 0), weight)
