import csv
import json

import numpy as np
import pytest

from engine.errors import GalleryError
from engine.verify.gallery.records import unrecorded
from tests.verify.stores import holds
from tests.verify.vectors import RUNTIME, SHA, add, vector


@pytest.fixture
def gallery(each_gallery):
    return each_gallery


def test_a_new_gallery_is_empty(gallery):
    assert gallery.version() == 0
    assert gallery.list() == []
    names, matrix = gallery.templates(SHA)
    assert names == []
    assert matrix.shape == (0, 0)


def test_what_is_added_comes_back(gallery):
    add(gallery, "bob", 1)
    add(gallery, "ada", 2, quality=0.4)
    add(gallery, "ada", 3, quality=0.7)
    names, matrix = gallery.templates(SHA)
    assert names == ["ada", "ada", "bob"]
    of_ada = sorted([vector(2), vector(3)], key=lambda one: one.tobytes())
    np.testing.assert_array_equal(matrix, np.stack([*of_ada, vector(1)]))
    assert matrix.dtype == np.float32
    ada, bob = gallery.list()
    assert (ada.name, ada.pictures, ada.embedders, ada.best_quality) == ("ada", 2, ("dlib",), 0.7)
    assert (bob.name, bob.pictures) == ("bob", 1)
    assert ada.last_enrolled_at.endswith("+00:00")


def test_every_change_raises_the_version_and_nothing_else_does(gallery):
    add(gallery, "ada", 1)
    assert gallery.version() == 1
    gallery.list()
    gallery.templates(SHA)
    assert gallery.remove("nobody").total == 0
    assert gallery.version() == 1
    add(gallery, "ada", 2)
    assert gallery.remove("ada").total == 2
    assert gallery.version() == 3


def test_the_same_picture_is_not_added_twice(gallery):
    add(gallery, "ada", 1)
    assert gallery.holder(f"{1:064d}", SHA) == ("ada", RUNTIME)
    assert gallery.holder(f"{1:064d}", "b" * 64) is None
    with pytest.raises(GalleryError, match="enrolled already"):
        add(gallery, "bob", 1)
    assert gallery.version() == 1
    assert [person.name for person in gallery.list()] == ["ada"]
    gallery.remove("ada")
    add(gallery, "bob", 1)


def test_vectors_of_another_embedder_are_never_compared(gallery):
    add(gallery, "ada", 1)
    add(gallery, "bob", 2, embedder_sha256="b" * 64, embedder="arc, face", length=32)
    add(gallery, "cy", 3)
    add(gallery, "cy", 4, embedder_sha256="b" * 64, embedder="arc, face", length=32)
    snapshot = gallery.snapshot(SHA)
    assert snapshot.names == ["ada", "cy"]
    assert snapshot.other_embedder == ["bob"]
    assert snapshot.matrix.shape == (2, 16)
    assert gallery.snapshot("b" * 64).names == ["bob", "cy"]
    assert gallery.list()[2].embedders == ("arc, face", "dlib")


def test_a_vector_that_does_not_fit_is_refused_and_changes_nothing(gallery):
    add(gallery, "ada", 1)
    with pytest.raises(GalleryError, match="16 values"):
        add(gallery, "bob", 2, length=32)
    for name, values in (("bob", np.ones(16)), ("bob", np.full(16, np.nan)), (" ", vector(2)), ("bob", np.eye(4))):
        with pytest.raises(ValueError, match="length 1"):
            gallery.add(
                name, values, embedder="d", embedder_sha256=SHA, runtime="", source_name="", picture_sha256="x", quality=1
            )
    assert gallery.version() == 1


def test_a_removed_vector_is_nowhere_any_more(gallery):
    add(gallery, "ada", 1)
    add(gallery, "bob", 2)
    assert gallery.remove("ada").total == 1
    assert not holds(gallery, vector(1))
    assert holds(gallery, vector(2))


@pytest.mark.parametrize("embeddings", [False, True])
def test_export(gallery, tmp_path, embeddings):
    add(gallery, "Ada, Countess", 1)
    add(gallery, "Bjørn", 2)
    assert gallery.export(tmp_path / "people.jsonl", embeddings) == 2
    assert gallery.export(tmp_path / "people.csv", embeddings) == 2
    lines = [json.loads(line) for line in (tmp_path / "people.jsonl").read_text(encoding="utf-8").splitlines()]
    with (tmp_path / "people.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    for rows in (lines, table):
        assert [row["identity"] for row in rows] == ["Ada, Countess", "Bjørn"]
        assert [float(row["quality"]) for row in rows] == [0.5, 0.5]
        assert all(("embedding" in row) == embeddings for row in rows)
    if embeddings:
        np.testing.assert_array_equal(np.float32(lines[0]["embedding"]), vector(1))
        np.testing.assert_array_equal(np.float32(table[1]["embedding"].split()), vector(2))
    assert (tmp_path / "people.csv").stat().st_mode & 0o077 == 0


def test_export_says_what_is_wrong_and_leaves_nothing(gallery, tmp_path):
    with pytest.raises(GalleryError, match=r"ends in \.jsonl or \.csv"):
        gallery.export(tmp_path / "people.pickle")
    with pytest.raises(GalleryError, match="No such file or directory"):
        gallery.export(tmp_path / "missing" / "people.csv")
    assert [path.name for path in tmp_path.iterdir() if "sqlite" not in path.name] == []


def test_what_computed_a_vector_is_recorded_and_exported(gallery, tmp_path):
    add(gallery, "ada", 1)
    assert gallery.list()[0].unrecorded == 0
    assert unrecorded(gallery.list()) == ""
    gallery.export(tmp_path / "people.jsonl")
    assert json.loads((tmp_path / "people.jsonl").read_text())["runtime"] == RUNTIME


def test_a_name_is_found_by_every_spelling(gallery):
    add(gallery, "Jose\u0301 ", 1)
    add(gallery, "Jos\u00e9", 2)
    add(gallery, "jos\u00e9", 3)
    assert [(person.name, person.pictures) for person in gallery.list()] == [("Jos\u00e9", 2), ("jos\u00e9", 1)]
    assert gallery.rename("Jose\u0301", "  Pepe  ").total == 2
    assert gallery.version() == 4
    assert gallery.rename("nobody", "Ada").total == 0
    assert gallery.version() == 4
    assert gallery.rename("jos\u00e9", "Pepe", join=True).total == 1  # both are one person now
    assert gallery.templates(SHA)[0] == ["Pepe"] * 3
    assert gallery.remove("Pepe ").total == 3


def test_why_a_picture_was_in_doubt_is_kept(gallery, tmp_path):
    add(gallery, "ada", 1)
    gallery.add(
        "ada", vector(2), embedder="dlib", embedder_sha256=SHA, runtime="", source_name="b.jpg", picture_sha256="2",
        quality=0.5,
        doubt="looks like bob (cosine 0.951)",
    )  # fmt: skip
    assert gallery.list()[0].in_doubt == 1
    gallery.export(tmp_path / "people.csv")
    with (tmp_path / "people.csv").open(encoding="utf-8", newline="") as file:
        assert [row["doubt"] for row in csv.DictReader(file)] == ["", "looks like bob (cosine 0.951)"]
