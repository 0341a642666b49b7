"""A copy that is the same gallery, plain and encrypted."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.contracts.gallery import GalleryPlace
from engine.errors import GalleryError
from engine.verify.gallery.opening import key_of, open_gallery
from engine.verify.gallery.sqlite.backup import back_up
from engine.verify.gallery.sqlite.cipher import is_plain
from tests.verify.gallery.sqlite.keys import key_file
from tests.verify.vectors import SHA, add


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_copy_is_the_same_gallery(tmp_path: Path, encrypted: bool) -> None:
    if encrypted:
        pytest.importorskip("sqlcipher3", reason="the extra `encrypted` is not installed")
    key = str(key_file(tmp_path / "people.key")) if encrypted else ""
    one, other = (GalleryPlace(str(tmp_path / name), key) for name in ("one.sqlite", "other.sqlite"))
    with open_gallery(one) as gallery:
        for number in range(20):
            add(gallery, f"person {number}", number)
        back_up(Path(one.where), Path(other.where), key_of(one))
        with open_gallery(other, read_only=True) as copy:
            assert copy.snapshot(SHA).gallery == gallery.snapshot(SHA).gallery
    assert is_plain(Path(other.where)) != encrypted
    assert not list(tmp_path.glob("other.sqlite-wal"))


def test_what_cannot_be_copied_is_told(tmp_path: Path) -> None:
    with pytest.raises(GalleryError, match=r"none.sqlite cannot be copied to .*: check both disks"):
        back_up(tmp_path / "none.sqlite", tmp_path / "copy.sqlite", None)
    assert list(tmp_path.iterdir()) == []
