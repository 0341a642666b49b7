"""The search over a large gallery gives what a loop over its names gave."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.contracts.frames import Float32
from engine.verify.evidence import Fusion
from engine.verify.gallery.persons import highest, persons_of
from engine.verify.gallery.snapshot import Snapshot
from engine.verify.naming import ByChance, ByCosine
from engine.verify.scores import Thresholds
from tests.verify.measured import measured

ONE = measured()
THRESHOLDS = Thresholds(0.9, 0.5, 0.01, 20.0)


def people_of(names: list[str], seed: int) -> Snapshot:
    """Vectors from a coarse grid, so that many are equally alike; names in any order."""
    values = np.random.default_rng(seed).integers(-1, 2, (len(names), 8)).astype(np.float32)
    values[:, 0] += 0.5
    return Snapshot.of(names, values / np.linalg.norm(values, axis=1, keepdims=True))


def looped(names: list[str], values: Float32) -> dict[str, float]:
    best: dict[str, float] = {}
    for name, value in zip(names, values.tolist(), strict=True):
        best[name] = max(value, best.get(name, -9.0))
    return best


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=30), st.integers(0, 9), st.integers(1, 6), st.integers(0, 1))
def test_who_comes_first_is_as_in_a_loop(names: list[str], seed: int, limit: int, with_enhanced: int) -> None:
    people, vectors = people_of(names, seed), people_of(["x", "y"], seed + 100).matrix
    vector, enhanced = vectors[0], vectors[1] if with_enhanced else None
    names = people.names
    cosines = looped(names, np.clip(np.vecdot(people.matrix, vector), -1, 1))
    resemblances = looped(names, ONE.resemblance(vector, people.matrix, ONE.crowding(people.matrix)))
    faces = Fusion(vector, enhanced, faces=1, moments=1, large_faces=1, size_px=64.0, quality=0.5, persons=1)
    for rule, values in ((ByCosine(THRESHOLDS, False), cosines), (ByChance(ONE, THRESHOLDS, 0.001), resemblances)):
        candidates = rule.compare(faces, people, limit, 1)[0]
        assert [one.identity for one in candidates] == sorted(values, key=lambda name: (-values[name], name))[:limit]
        np.testing.assert_allclose(
            [one.cosine_original for one in candidates], [cosines[o.identity] for o in candidates], atol=1e-6
        )
        if enhanced is not None:
            beside = looped(names, np.clip(np.vecdot(people.matrix, enhanced), -1, 1))
            found = [one.cosine_enhanced for one in candidates]
            np.testing.assert_allclose(found, [beside[one.identity] for one in candidates], atol=1e-6)  # type: ignore[arg-type]
        if isinstance(rule, ByChance):
            chances = [ONE.chance(values[one.identity], 64.0, len(names)) for one in candidates]
            assert [one.false_name_chance for one in candidates] == chances


def test_each_row_is_somebodys() -> None:
    persons = persons_of(["bob", "ada", "bob", "cy"])
    assert persons.names == ["ada", "bob", "cy"]
    assert [persons.rows(place).tolist() for place in range(3)] == [[1], [0, 2], [3]]
    assert persons.counts.tolist() == [1, 2, 1]
    assert [persons.place(name) for name in ("ada", "cy", "al", "zoe", "")] == [0, 2, None, None, None]
    assert persons.best(np.array([1, 2, 3, 4], np.float32)).tolist() == [2, 3, 4]
    assert persons_of([]).best(np.zeros(0, np.float32)).tolist() == []
    assert highest(np.array([1, 3, 3, 2], np.float32), 3) == [1, 2, 3]


def test_how_crowded_the_pictures_are_is_computed_once(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    from engine.verify.gallery import leaf as module

    people, calls = people_of(list("abca"), 1), []
    monkeypatch.setattr(module, "crowding_of", lambda matrix, crowd: calls.append(1) or ONE.crowding(matrix))
    whole = people.crowding(ONE.crowd)
    assert people.crowding(ONE.crowd) is whole
    np.testing.assert_array_equal(people.without(frozenset("a")).crowding(ONE.crowd), whole[2:])
    assert len(calls) == 1
