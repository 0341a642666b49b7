from dataclasses import replace

import numpy as np
import pytest

from engine.verify.evidence import Evidence, FaceEvidence
from engine.verify.gallery.snapshot import Snapshot
from engine.verify.naming import ByChance, ByCosine, is_doubtful
from engine.verify.scores import Thresholds
from tests.verify.measured import measured

ONE = measured()
THRESHOLDS = Thresholds(0.9, 0.5, 0.01, 20.0)
RULE = ByChance(ONE, THRESHOLDS, 0.001)


def unit(*values):
    vector = np.zeros(8, np.float32)
    vector[: len(values)] = values
    return vector / np.linalg.norm(vector)


def snapshot(**people):
    """Each with a list of vectors."""
    names = [name for name, vectors in people.items() for _ in vectors]
    rows = [vector for vectors in people.values() for vector in vectors]
    return Snapshot.of(names, rows)


def faces(vector, count=2, size_px=64.0, enhanced=None):
    evidence = Evidence(0.5)
    for second in range(count):
        evidence = evidence.add(FaceEvidence(unit(1), 0.5, second, size_px=size_px, quality=0.5))
    return replace(evidence.fused(), vector=vector, enhanced=enhanced)


def compare(vector, people, size_px=64.0, count=2, min_faces=2, limit=5, rule=RULE):
    return rule.compare(faces(vector, count, size_px), people, limit, min_faces)[:2]


def why(vector, people, size_px=64.0, count=2, rule=RULE):
    return rule.compare(faces(vector, count, size_px), people, 1, 2)[2]


ADA, BOB = unit(1), unit(0, 1)


def test_one_person_who_is_there_is_known_and_a_stranger_is_not():
    people = snapshot(ada=[ADA])
    candidates, decision = compare(ADA, people)
    assert (decision, candidates[0].identity) == ("known", "ada")
    assert candidates[0].false_name_chance <= 0.001
    candidates, decision = compare(-ADA, people)
    assert decision == "unknown"
    assert candidates[0].false_name_chance == 1.0


def test_few_faces_and_tiny_faces_decide_nothing():
    people = snapshot(ada=[ADA])
    assert compare(ADA, people, count=1)[1] == "undecided"
    for vector in (ADA, -ADA):
        assert compare(vector, people, size_px=12)[1] == "undecided"


def test_the_same_face_is_not_sure_enough_in_a_larger_gallery():
    between = unit(0.83, 0, 0.55)
    strangers = {f"other {at}": [unit(*row)] for at, row in enumerate(-np.eye(8)[:, :8])}
    alone = compare(between, snapshot(ada=[ADA]))[0][0].false_name_chance
    among = compare(between, snapshot(ada=[ADA], **strangers))[0][0].false_name_chance
    assert among == pytest.approx(min(1.0, 9 * alone))


def test_a_person_with_several_pictures_counts_as_often_and_is_named_once():
    other = unit(0.9, 0.2)
    candidates, _ = compare(ADA, snapshot(ada=[other, ADA, other], bob=[BOB]))
    assert [one.identity for one in candidates] == ["ada", "bob"]
    alone, _ = compare(ADA, snapshot(ada=[ADA]))
    assert candidates[0].false_name_chance == pytest.approx(min(1.0, 4 * alone[0].false_name_chance))
    assert candidates[0].cosine_original == pytest.approx(1.0)


def test_two_people_who_both_fit_leave_it_open():
    twins = snapshot(ada=[ADA], twin=[ADA], bob=[BOB])
    assert compare(ADA, twins)[1] == "undecided"
    assert compare(ADA, twins, limit=1)[1] == "undecided"
    assert len(compare(ADA, twins, limit=1)[0]) == 1


def test_enhanced_cosines_stand_beside_and_decide_nothing():
    people = snapshot(ada=[ADA], bob=[BOB])
    plain, decision, _ = RULE.compare(faces(ADA), people, 5, 2)
    beside, same, _ = RULE.compare(faces(ADA, enhanced=BOB), people, 5, 2)
    assert same == decision == "known"
    assert [one.false_name_chance for one in plain] == [one.false_name_chance for one in beside]
    assert beside[1].cosine_enhanced == pytest.approx(1.0)


def test_another_gallery_is_not_judged_by_the_crowding_of_the_one_before():
    rule = ByChance(ONE, THRESHOLDS, 0.001)
    compare(ADA, snapshot(ada=[ADA]), rule=rule)
    later = compare(ADA, snapshot(bob=[BOB], ada=[ADA]), rule=rule)[0]
    fresh = compare(ADA, snapshot(bob=[BOB], ada=[ADA]), rule=ByChance(ONE, THRESHOLDS, 0.001))[0]
    assert later == fresh


def test_why_a_chance_decides_so():
    people, twins = snapshot(ada=[ADA], bob=[BOB]), snapshot(ada=[ADA], twin=[ADA])
    known = why(ADA, people)
    assert (known.missing, known.faces, known.faces_needed, known.size_px, known.quality) == ("", 2, 2, 64.0, 0.5)
    assert (known.false_name_rate, known.known_cosine, known.unknown_cosine, known.margin_needed) == (0.001, None, None, 0.01)
    assert known.margin is not None
    assert known.margin > known.margin_needed
    assert why(ADA, snapshot(ada=[ADA])).margin is None
    assert why(ADA, people, count=1).missing == "faces"
    small = why(ADA, people, size_px=12)
    assert small.missing == "size"
    assert small.size_needed_px is not None
    assert small.size_px < small.size_needed_px == pytest.approx(ONE.too_small_px(2, 0.001))
    assert why(-ADA, people).missing == "likeness"
    assert (why(ADA, twins).missing, why(ADA, twins).margin) == ("margin", 0.0)


def test_why_a_cosine_decides_so():
    rule = ByCosine(THRESHOLDS, is_set=False)
    people, twins = snapshot(ada=[ADA], bob=[BOB]), snapshot(ada=[ADA], twin=[ADA])
    known = why(ADA, people, rule=rule)
    assert (known.missing, known.known_cosine, known.unknown_cosine, known.false_name_rate) == ("", 0.9, 0.5, None)
    assert (known.margin, known.margin_needed, known.size_needed_px) == (1.0, 0.01, 20.0)
    assert why(ADA, people, count=1, rule=rule).missing == "faces"
    assert why(ADA, twins, rule=rule).missing == "margin"
    assert why(unit(0.7, 0, 0.7), people, rule=rule).missing == "likeness"
    assert why(unit(0, 0, 1), people, rule=rule).missing == "likeness"


@pytest.mark.parametrize("rule", [RULE, ByCosine(THRESHOLDS, is_set=False)])
def test_something_is_missing_whenever_nobody_is_known(rule):
    rng = np.random.default_rng(5)
    people = snapshot(ada=[ADA], bob=[BOB], eve=[unit(0.6, 0.6)])
    for _ in range(200):
        vector = unit(*rng.normal(size=3))
        _, decision, basis = rule.compare(faces(vector, int(rng.integers(1, 4)), float(rng.uniform(8, 80))), people, 5, 2)
        assert (basis.missing == "") == (decision == "known")
        assert (basis.missing == "faces") <= (decision == "undecided")


@pytest.mark.parametrize(
    ("pictures", "words"),
    [
        (0, "one picture enrolled faces below 14 px"),
        (1, "one picture enrolled faces below 14 px"),
        (1200, "1,200 pictures enrolled faces below 23 px"),
        (10**15, "pictures enrolled faces of 64 px and less"),
    ],
)
def test_the_sentence_names_rate_gallery_and_what_is_too_small(pictures, words):
    sentence = RULE.sentence(pictures)
    assert sentence.startswith("in 95 of 100 galleries at most 1 in 1,000 strangers get a name; with ")
    assert words in sentence
    assert sentence.endswith(" are too small to name")


def test_the_doubt_of_one_face_is_that_of_many():
    """Benches decide thousands of tracks at once, by the same rule."""
    fits, leads = [True, True, False, True], [0.03, 0.019, 0.001, 0.02]
    one_by_one = [is_doubtful(fit, lead, 0.01) for fit, lead in zip(fits, leads, strict=True)]
    assert one_by_one == is_doubtful(np.array(fits), np.array(leads), 0.01).tolist() == [False, True, False, False]
