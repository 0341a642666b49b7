from dataclasses import replace

import numpy as np
import pytest

from engine.verify.evidence import Fusion
from engine.verify.gallery import leaf
from engine.verify.gallery.snapshot import Snapshot
from engine.verify.likelihood import told
from engine.verify.match_rate import ByMatchRate
from engine.verify.naming import ByChance, ByCosine
from engine.verify.scores import Thresholds
from engine.verify.weighing import Weighed
from tests.verify.calibrated import MADE_UP
from tests.verify.measured import measured

ONE = measured()
THRESHOLDS = Thresholds(0.9, 0.5, 0.01, 20.0)
VECTORS = np.eye(8, dtype=np.float32)
PEOPLE = Snapshot.of(["ada", "bob", "ada"], [VECTORS[1], VECTORS[2], VECTORS[0]])
ROWS = {"ada": VECTORS[:2], "bob": VECTORS[2:3]}
FACE = np.asarray(np.array([0.8, 0.1, 0.59, 0, 0, 0, 0, 0]) / np.linalg.norm([0.8, 0.1, 0.59]), np.float32)


def faces(size_px, count):
    return Fusion(FACE, None, faces=count, moments=count, large_faces=count, size_px=size_px, quality=0.5, persons=1)


def compare(rule, size_px=50.0, count=2, people=PEOPLE, limit=5):
    return rule.compare(faces(size_px, count), people, limit, 2)


@pytest.mark.parametrize("rule", [ByChance(ONE, THRESHOLDS, 0.001), ByCosine(THRESHOLDS, is_set=True)])
def test_the_rule_decides_as_before_and_its_candidates_have_the_ratios_of_their_best_pictures(rule):
    plain, weighed = compare(rule), compare(Weighed(rule, ONE, MADE_UP, None))
    assert plain[1] == weighed[1]
    assert [one.identity for one in plain[0]] == [one.identity for one in weighed[0]] == ["ada", "bob"]
    resemblances = ONE.resemblance(FACE, PEOPLE.matrix, ONE.crowding(PEOPLE.matrix))
    bucket = MADE_UP.bucket_of(50.0, 2)
    expected = [
        MADE_UP.log10_ratio(resemblances[row], bucket, count) for row, count in ((1 - int(PEOPLE.matrix[0, 0] == 1), 2), (2, 1))
    ]
    assert [one.log10_lr for one in weighed[0]] == [told(one) for one in expected]
    assert [one.probability for one in weighed[0]] == [None, None]
    assert weighed[2].log10_lr_bounds == (-1.5, 3.0)
    assert (weighed[2].calibration, weighed[2].bucket) == ("0123456789ab", "40 px and more, several faces")


def test_faces_that_were_not_measured_have_no_ratio():
    candidates, _, basis = compare(Weighed(ByChance(ONE, THRESHOLDS, 0.001), ONE, MADE_UP, 0.5), size_px=13.0)
    assert [one.log10_lr for one in candidates] == [None, None]
    assert (basis.calibration, basis.bucket) == (None, None)


def test_a_probability_is_shared_among_everyone_enrolled_also_those_who_are_not_listed():
    rule = Weighed(ByChance(ONE, THRESHOLDS, 0.001), ONE, MADE_UP, 0.5)
    both, first = compare(rule)[0], compare(rule, limit=1)[0]
    assert first == both[:1]
    resemblances = {name: ONE.resemblance(FACE, rows, ONE.crowding(rows)).max() for name, rows in ROWS.items()}
    bucket = MADE_UP.bucket_of(50.0, 2)
    odds = {name: 0.25 * 10 ** float(MADE_UP.log10_ratio(one, bucket, len(ROWS[name]))) for name, one in resemblances.items()}
    expected = {name: share / (0.5 + sum(odds.values())) for name, share in odds.items()}
    assert {one.identity: one.probability for one in both} == pytest.approx(expected)


def test_another_gallery_has_other_rows():
    rule = Weighed(ByChance(ONE, THRESHOLDS, 0.001), ONE, MADE_UP, 0.5)
    compare(rule)
    other = Snapshot.of(["eve", "bob"], [VECTORS[4], VECTORS[2]])
    assert {one.identity for one in compare(rule, people=other)[0]} == {"eve", "bob"}


@pytest.mark.parametrize("prior", [None, 0.5])
def test_whoever_is_left_out_in_turn_the_gallery_is_gone_through_once(monkeypatch, prior):
    """Faces of several people alternate, and with them whose names they may not get."""
    calls = []
    for name in ("persons_of", "crowding_of"):
        real = getattr(leaf, name)
        monkeypatch.setattr(leaf, name, lambda *args, name=name, real=real: calls.append(name) or real(*args))
    people = Snapshot.of([f"{at // 2}" for at in range(8)], [*VECTORS[1:], FACE])
    rule = Weighed(ByChance(ONE, THRESHOLDS, 0.001), ONE, MADE_UP, prior)
    left_out = [frozenset("3"), frozenset("1"), frozenset("13")]
    first, again = ([compare(rule, people=people.without(one), limit=9) for one in left_out] for _ in range(2))
    assert first == again
    assert (calls.count("persons_of"), calls.count("crowding_of")) == (1 + len(left_out), 1), "the whole, and each part"
    for one, found in zip(left_out, first, strict=True):
        rows = [row for row, name in enumerate(people.names) if name not in one]
        fresh = compare(rule, people=Snapshot.of([people.names[row] for row in rows], people.matrix[rows]), limit=9)
        assert [one.identity for one in found[0]] == [one.identity for one in fresh[0]]
        assert [one.log10_lr for one in found[0]] == pytest.approx([one.log10_lr for one in fresh[0]], abs=0.0101)


def test_only_the_last_few_who_are_left_out_are_remembered():
    people = Snapshot.of([str(at) for at in range(20)], [FACE] * 20)
    parts = [people.without(frozenset({str(at)})) for at in range(20)]
    assert people.without(frozenset({"19"})) is parts[-1]
    assert people.without(frozenset({"0"})) is not parts[0]
    assert len(people._parts) == 8


@pytest.mark.parametrize(("count", "moments", "words"), [(1, 1, "one"), (2, 1, "one"), (9, 1, "one"), (2, 2, "several")])
def test_faces_of_one_moment_are_looked_up_as_one(count, moments, words):
    seen = replace(faces(50.0, count), moments=moments)
    for rule in (ByChance(ONE, THRESHOLDS, 0.001), ByMatchRate(ONE, THRESHOLDS, MADE_UP, 0.01)):
        _, _, basis = Weighed(rule, ONE, MADE_UP, None).compare(seen, PEOPLE, 5, 2)
        assert (basis.bucket, basis.faces) == (f"40 px and more, {words} face{'s' * (moments > 1)}", count)


def test_ratios_are_told_to_a_hundredth_and_one_at_its_bound_is_equal_to_it():
    """One stood in the files as 3.0100000000000002."""
    odd = replace(MADE_UP.bucket_of(50.0, 2), highest=0.1 + 0.2)
    calibration = replace(MADE_UP, buckets=(odd,))
    candidates, _, basis = compare(Weighed(ByChance(ONE, THRESHOLDS, 0.001), ONE, calibration, None))
    assert basis.log10_lr_bounds == (-1.5, 0.3)
    assert candidates[0].log10_lr == 0.3
    assert all(one.log10_lr == round(one.log10_lr, 2) for one in candidates)
