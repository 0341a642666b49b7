import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.contracts.findings import Candidate
from engine.verify.evidence import MOMENT_SECONDS, MOST_FACES, Evidence, FaceEvidence, Fusion
from engine.verify.scores import Thresholds, decide

APART = 0.5
ADA, BOB = np.eye(8, dtype=np.float32)[:2]


def near(person, noise=0.1, seed=0):
    """A face of somebody who looks like ``person``."""
    vector = person + noise * np.random.default_rng(seed).normal(size=8)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def of(faces):
    evidence = Evidence(APART)
    for face in faces:
        evidence = evidence.add(face)
    return evidence


def same(one: Fusion, other: Fusion) -> bool:
    numbers = [
        (f.faces, f.moments, f.nobody, f.large_faces, f.persons, round(f.size_px, 9), round(f.quality, 9)) for f in (one, other)
    ]
    return numbers[0] == numbers[1] and np.allclose(one.vector, other.vector, atol=1e-6)


FACES = st.builds(
    lambda person, seed, weight, seconds, is_nobody: FaceEvidence(
        near((ADA, BOB)[person], 0.2, seed), weight, seconds, None, 20 + seed % 9, weight, is_nobody=is_nobody
    ),
    st.integers(0, 1), st.integers(0, 40), st.floats(0.001, 1), st.integers(0, 90).map(lambda tenth: tenth / 10), st.booleans(),
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(st.lists(FACES, min_size=1, max_size=MOST_FACES - 1), st.randoms(use_true_random=False))
def test_neither_order_nor_a_duplicate_changes_what_a_set_says(faces, random):
    before = of(faces).fused()
    shuffled = random.sample(faces, len(faces))
    assert same(of(shuffled).fused(), before)
    copies = [dataclasses.replace(face, vector=face.vector.copy()) for face in random.sample(faces, len(faces))]
    assert same(of([*faces, *copies]).fused(), before)
    assert before.faces <= len({face.order for face in faces})


@settings(max_examples=10, deadline=None)
@given(st.lists(FACES, min_size=MOST_FACES, max_size=60, unique_by=lambda face: face.order))
def test_a_long_track_takes_no_more_room_and_what_it_keeps_counts_once_when_it_comes_again(faces):
    evidence = of(faces)
    assert len(evidence.faces) == MOST_FACES
    for face in evidence.faces:
        assert evidence.add(dataclasses.replace(face)) is evidence


def test_faces_of_one_moment_count_once_as_the_best_of_them():
    best, worse = FaceEvidence(near(ADA), 0.9, 1.0), FaceEvidence(near(ADA, 0.12), 0.2, 1.0 + 0.9 * MOMENT_SECONDS)
    fused = of([best, worse]).fused()
    assert (fused.faces, fused.moments) == (2, 1)
    np.testing.assert_allclose(fused.vector, best.vector, atol=1e-6)
    later = FaceEvidence(worse.vector, 0.2, 1.5)
    assert of([best, worse, later]).fused().moments == 2
    unlike = FaceEvidence(near(ADA, 0.4, 3), 0.2, 1.0)
    assert of([best, unlike]).fused().moments == 2


def test_a_second_person_is_found_and_not_averaged():
    faces = [FaceEvidence(near(ADA, seed=at), 0.3, at) for at in range(5)]
    others = [FaceEvidence(near(BOB, seed=at), 0.9, 10 + at) for at in range(3)]
    fused = of([*faces, *others]).fused()
    assert (fused.persons, fused.moments) == (2, 5)
    np.testing.assert_allclose(fused.vector, of(faces).fused().vector, atol=1e-6)
    assert of([*faces, others[0]]).fused().persons == 1  # one alone is an accident
    np.testing.assert_allclose(of([*faces, others[0]]).fused().vector, fused.vector, atol=1e-6)
    latest = of([*faces[:2], *others[:2]]).fused()  # of equals, who was seen last
    assert latest.vector @ BOB > 0.9


def test_a_person_who_comes_late_is_found_in_a_full_set():
    faces = [FaceEvidence(near(ADA, seed=at), 0.9, at) for at in range(100)]
    late = [FaceEvidence(near(BOB, seed=at), 0.1, 100 + at) for at in range(5)]
    fused = of([*faces, *late]).fused()
    assert (fused.persons, fused.moments) == (2, MOST_FACES - 5)
    assert fused.vector @ ADA > 0.9


def test_eleven_moments_of_nobody_and_a_lucky_one_make_no_name():
    """Nobody enrolled, or nobody who could be recognised: the lucky face alone would be known."""
    thresholds = Thresholds(0.9, 0.8, 0.01, 20.0, 2)

    def decided(faces):
        fused = of(faces).fused()
        return decide([Candidate("ada", float(fused.vector @ ADA))], fused, thresholds)

    lucky = [FaceEvidence(near(ADA, 0.05, at), 1.0, 20.0 + at) for at in range(2)]
    assert decided(lucky) == "known"
    strangers = [FaceEvidence(near(BOB, seed=at), 0.02, at) for at in range(11)]
    assert decided([*strangers, lucky[0]]) == "unknown"
    blurred = near(np.eye(8, dtype=np.float32)[2], 0)
    smears = [FaceEvidence(near(blurred, 0.02, at), 0.3, at, is_nobody=True) for at in range(11)]
    assert decided([*smears, lucky[0]]) == "unknown"
    faint = [FaceEvidence(face.vector, 0.001, face.seconds, is_nobody=True) for face in smears]
    assert decided([*faint, lucky[0]]) == "undecided"
    assert decided([*faint, *lucky]) == "known"
    fused = of([*faint, lucky[0]]).fused()
    assert (fused.moments, fused.nobody, fused.persons) == (12, 11, 1)


def test_faces_too_small_to_part_two_people_join_whoever_is_there():
    small = [FaceEvidence(near(BOB, seed=at), 0.5, at, can_part=False) for at in range(3)]
    fused = of([*small, FaceEvidence(ADA, 0.5, 9.0), FaceEvidence(ADA, 0.5, 10.0)]).fused()
    assert (fused.persons, fused.moments) == (1, 5)


def test_enhanced_faces_are_fused_beside():
    faces = [FaceEvidence(ADA, 0.5, 0.0, BOB), FaceEvidence(near(ADA), 0.5, 1.0)]
    np.testing.assert_array_equal(of(faces).fused().enhanced, BOB)
    assert of(faces[1:]).fused().enhanced is None


def test_no_faces_and_faces_that_cancel_out_have_no_vector():
    assert (Evidence(APART).fused().vector, Evidence(APART).fused().persons) == (None, 0)
    assert Evidence(-1.0).add(FaceEvidence(ADA, 1.0, 0.0)).add(FaceEvidence(-ADA, 1.0, 1.0)).fused().vector is None


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan")])
def test_a_weight_must_be_positive(weight):
    with pytest.raises(ValueError, match="weight"):
        Evidence(APART).add(FaceEvidence(ADA, weight, 0.0))
