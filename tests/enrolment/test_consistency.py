"""Which enrolled pictures would be set apart today."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from engine.enrolment import consistency
from engine.enrolment.consistency import inconsistent
from engine.enrolment.likeness import doubt_about
from engine.verify.gallery.sqlite.gallery import Gallery
from tests.verify.vectors import RUNTIME, SHA

EMBEDDER = SimpleNamespace(sha256=SHA, known_cosine=0.8, unknown_cosine=0.4, margin_cosine=0.05)


def put(gallery: Gallery, name: str, vector: np.ndarray, number: int, embedder_sha256: str = SHA, doubt: str = "") -> None:
    unit = np.asarray(vector / np.linalg.norm(vector), np.float32)
    gallery.add(
        name, unit, embedder="dlib", embedder_sha256=embedder_sha256, runtime=RUNTIME, source_name=f"{number}.jpg",
        picture_sha256=f"{number:064d}", quality=0.5, doubt=doubt,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_each_is_judged_as_if_it_came_after_all_others(tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consistency, "_TOGETHER", 7)
    random = np.random.default_rng(seed)
    people = random.normal(size=(6, 5))
    with Gallery(tmp_path / "people.sqlite") as gallery:
        vectors = {}
        for number in range(40):
            who = int(random.integers(6))
            name = f"person {who if number % 5 else (who + 1) % 6}"
            vectors[number] = name, people[who] + random.normal(0, 0.5, 5)
            put(gallery, *vectors[number], number)
        found = {one.picture_sha256: one for one in inconsistent(gallery, EMBEDDER)}
        wanted = {}
        for number, (name, vector) in vectors.items():
            (gone,) = gallery.remove_picture(name, f"{number:064d}")
            unit = np.asarray(vector / np.linalg.norm(vector), np.float32)
            if doubt := doubt_about(name, unit, EMBEDDER, gallery.snapshot(EMBEDDER.sha256)):
                wanted[gone.picture_sha256] = doubt
            put(gallery, name, vector, number)
    assert {digest: one.doubt for digest, one in found.items()} == wanted
    assert 0 < len(wanted) < 40
    assert all(vectors[int(digest)][0] == one.identity for digest, one in found.items())


def test_one_picture_one_person_and_nobody(tmp_path: Path) -> None:
    with Gallery(tmp_path / "people.sqlite") as gallery:
        assert inconsistent(gallery, EMBEDDER) == []
        put(gallery, "ada", np.array([1, 0, 0]), 1)
        put(gallery, "bob", np.array([1, 0, 0]), 2, embedder_sha256="b" * 64)
        assert inconsistent(gallery, EMBEDDER) == [], "vectors of another embedder are compared with nothing"
        put(gallery, "ada", np.array([0, 1, 0]), 3)
        assert [one.source_name for one in inconsistent(gallery, EMBEDDER)] == ["1.jpg", "3.jpg"]


def test_what_was_forced_is_said_again(tmp_path: Path) -> None:
    with Gallery(tmp_path / "people.sqlite") as gallery:
        put(gallery, "ada", np.array([1, 0, 0]), 1)
        put(gallery, "bob", np.array([1, 0.1, 0]), 2, doubt="looks like ada (cosine 0.995)")
        assert [(one.identity, one.doubt) for one in inconsistent(gallery, EMBEDDER)] == [
            ("ada", "looks like bob (cosine 0.995)"),
            ("bob", "looks like ada (cosine 0.995)"),
        ]
