"""A gallery goes from one kind of store to the other and back, whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli.gallery.copy import copy
from engine.errors import GalleryError
from engine.verify.gallery.copy import copy_gallery
from engine.verify.gallery.opening import open_gallery
from tests.verify.vectors import RUNTIME, SHA, add, vector


def test_there_and_back(tmp_path: Path, database: str, capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(tmp_path / f"{number}.sqlite") for number in range(2)]
    with open_gallery(files[0]) as gallery:
        for number in range(40):
            add(gallery, f"person {number % 30}", number)
        add(gallery, "bob", 4000, embedder_sha256="b" * 64, length=32)
        gallery.add(
            "cy", vector(7), embedder="dlib", embedder_sha256=SHA, runtime=RUNTIME, source_name="ö.jpg", picture_sha256="c",
            quality=0.1 + 0.2, doubt="looks like bob (cosine 0.9)", apart=True, portrait=b"jpeg",
        )  # fmt: skip
        gallery.keep_negatives("bob", SHA, "run/door/1", [vector(5), vector(6)])
    for source, target in ((files[0], database), (database, files[1])):
        assert copy(source, target, json=True) == 0
        said = json.loads(capsys.readouterr().out)
        assert (said["apart"], said["negatives"], len(said["digests"])) == (1, 2, 2)
        with open_gallery(source, read_only=True) as old, open_gallery(target, read_only=True) as new:
            assert new.version() == 1
            for listed in ("list", "pictures", "quarantined", "portraits", "negatives"):
                assert getattr(old, listed)() == getattr(new, listed)()
            one, other = old.snapshot(SHA).gallery, new.snapshot(SHA).gallery
            assert one is not None
            assert other is not None
            assert one.digest == other.digest == said["digests"][SHA]
            assert one.epoch != other.epoch
    assert copy(files[1], str(tmp_path / "again.sqlite")) == 0
    assert "set apart, 2 faces marked as not of somebody to" in capsys.readouterr().out


def test_what_is_not_empty_or_the_same_is_refused_unchanged(tmp_path: Path, database: str) -> None:
    path = str(tmp_path / "people.sqlite")
    with open_gallery(path) as gallery, open_gallery(database) as other:
        add(gallery, "ada", 1)
        add(other, "bob", 2)
        for one, two in ((gallery, other), (other, gallery)):
            with pytest.raises(GalleryError, match="holds people already: copy to an empty one"):
                copy_gallery(one, two)
        with pytest.raises(GalleryError, match="is one gallery"):
            copy_gallery(gallery, gallery)
        assert ([one.name for one in gallery.list()], [one.name for one in other.list()]) == (["ada"], ["bob"])
