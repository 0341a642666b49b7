"""What was marked as not a person is never given that person's name again."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from engine.contracts.frames import Float32
from engine.verify.gallery.leaf import Row, Rows, leaves_of
from engine.verify.gallery.negatives import MOST_OF_A_PERSON
from engine.verify.gallery.opening import open_gallery
from engine.verify.gallery.snapshot import Snapshot
from engine.verify.gallery.sqlite.gallery import Gallery
from tests.verify.stores import holds

SHA = "a" * 64


def unit(*values: float) -> Float32:
    vector = np.array(values, np.float32)
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


ADA, BOB = unit(1, 0, 0, 0), unit(0, 1, 0, 0)
LIKE_ADA = unit(1, 0.4, 0.4, 0)


@pytest.fixture
def people(where: str) -> str:
    with open_gallery(where) as gallery:
        for name, vector in (("ada", ADA), ("bob", BOB)):
            gallery.add(
                name, vector, embedder="dlib", embedder_sha256=SHA, runtime="x", source_name=name,
                picture_sha256=f"{name:0>64}", quality=0.5,
            )  # fmt: skip
    return where


def test_the_rule() -> None:
    names, matrix = ["ada", "bob"], np.stack([ADA, BOB])
    negatives = {"ada": LIKE_ADA[None]}

    def denied(vector: Float32, names: list[str], matrix: Float32, negatives: dict[str, Float32]) -> frozenset[str]:
        rows = [Row(name, one.tobytes(), 0) for name, one in zip(names, matrix, strict=True)]
        others = [Row(name, one.tobytes(), 0) for name, vectors in negatives.items() for one in vectors]
        return Snapshot(1, tuple(leaves_of(Rows(rows, others)))).denied(vector)

    assert denied(LIKE_ADA, names, matrix, negatives) == {"ada"}, "the face itself"
    assert denied(unit(1, 0.3, 0.4, 0.1), names, matrix, negatives) == {"ada"}, "one like it"
    assert denied(ADA, names, matrix, negatives) == frozenset(), "a face that is more like the picture"
    assert denied(unit(1, 0.05, 0, 0), names, matrix, negatives) == frozenset()
    assert denied(BOB, names, matrix, negatives) == {"ada"}, "it would not have been ada anyway"
    assert denied(LIKE_ADA, ["bob"], BOB[None], negatives) == frozenset(), "nobody who is not enrolled"
    assert denied(LIKE_ADA, names, matrix, {}) == frozenset()


def test_kept_in_the_file_and_seen_by_readers(people: str) -> None:
    with open_gallery(people) as writer, open_gallery(people, read_only=True) as reader:
        before = reader.snapshot(SHA)
        assert before.negatives == {}
        assert writer.keep_negatives("ada", SHA, "run/door/1", [LIKE_ADA, ADA]) == 2
        assert writer.keep_negatives("ada", SHA, "run/door/1", [LIKE_ADA]) == 0, "once"
        after = reader.snapshot(SHA)
        assert after.version == before.version + 1
        kept = sorted([LIKE_ADA, ADA], key=lambda vector: vector.tobytes())
        np.testing.assert_array_equal(after.negatives["ada"], np.stack(kept))
        assert reader.negatives() == {"ada": 1}
        assert reader.snapshot("b" * 64).negatives == {}


def test_they_go_with_the_person(people: str) -> None:
    with open_gallery(people) as gallery:
        gallery.keep_negatives("ada", SHA, "run/door/1", [LIKE_ADA])
        gallery.keep_negatives("bob", SHA, "run/door/1", [LIKE_ADA])
        gallery.rename("ada", "Ada Lovelace")
        assert gallery.negatives() == {"Ada Lovelace": 1, "bob": 1}
        gallery.rename("Ada Lovelace", "bob", join=True)
        assert gallery.negatives() == {"bob": 1}, "the same vector of the same track once"
        gallery.remove("bob")
        assert gallery.negatives() == {}
        assert not holds(gallery, LIKE_ADA)


def test_there_are_not_more_and_more(people: str) -> None:
    vectors = np.random.default_rng(1).normal(size=(MOST_OF_A_PERSON + 5, 4)).astype(np.float32)
    with open_gallery(people) as gallery:
        gallery.keep_negatives("ada", SHA, "run/door/1", list(vectors / np.linalg.norm(vectors, axis=1, keepdims=True)))
        assert len(gallery.snapshot(SHA).negatives["ada"]) == MOST_OF_A_PERSON


def test_an_earlier_version_reads_the_file_as_before(tmp_path: Path) -> None:
    path = tmp_path / "people.sqlite"
    with Gallery(path) as gallery:
        gallery.keep_negatives("ada", SHA, "run/door/1", [LIKE_ADA])
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA user_version").fetchone()[0] == 2
    database.close()


def test_without(people: str) -> None:
    with open_gallery(people) as gallery:
        others = gallery.snapshot(SHA).without(frozenset({"ada"}))
    assert others.names == ["bob"]
    np.testing.assert_array_equal(others.matrix, BOB[None])
