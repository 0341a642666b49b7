"""A gallery is written anew, encrypted or plain: the new file is whole and equal, or not there, and the old one stays."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from engine.errors import GalleryError
from engine.verify.gallery.opening import open_gallery
from engine.verify.gallery.sqlite import rewriting
from engine.verify.gallery.sqlite.cipher import is_plain, read_key
from engine.verify.gallery.sqlite.rewriting import rewrite
from tests.patience import PATIENCE_SECONDS
from tests.verify.gallery.sqlite.keys import key_file, locked
from tests.verify.gallery.test_pictures import set_apart
from tests.verify.vectors import SHA, add, vector

pytest.importorskip("sqlcipher3", reason="the extra `encrypted` is not installed")


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return key_file(tmp_path / "people.key")


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    path = tmp_path / "people.sqlite"
    with open_gallery(path) as gallery:
        for number in range(30):
            add(gallery, f"person {number % 20}", number)
        add(gallery, "bob", 4000, embedder_sha256="b" * 64, length=32)
        set_apart(gallery, "cy", 7)
        gallery.keep_negatives("bob", SHA, "run/door/1", [vector(5), vector(6)])
    return path


def test_there_and_back_all_is_equal(tmp_path: Path, plain: Path, key: Path) -> None:
    encrypted, again = tmp_path / "encrypted.sqlite", tmp_path / "again.sqlite"
    before = plain.read_bytes()
    told = rewrite(plain, encrypted, None, read_key(key)), rewrite(encrypted, again, read_key(key), None)
    assert [(one.pictures, one.apart, one.negatives) for one in told] == [(31, 1, 2)] * 2
    assert (is_plain(encrypted), is_plain(again)) == (False, True)
    assert plain.read_bytes() == before
    with (
        open_gallery(plain, read_only=True) as old,
        open_gallery(locked(encrypted, key), read_only=True) as middle,
        open_gallery(again, read_only=True) as new,
    ):
        for listed in ("list", "pictures", "quarantined", "portraits", "negatives"):
            assert getattr(old, listed)() == getattr(middle, listed)() == getattr(new, listed)()
        versions = [opened.snapshot(SHA).gallery for opened in (old, middle, new)]
    assert len({version.digest for version in versions if version}) == 1
    assert len({version.epoch for version in versions if version}) == 3
    with open_gallery(locked(encrypted, key)) as gallery:
        after = gallery.snapshot(SHA).gallery
        assert after == versions[1], "the small file beside it came along"
    left = {file.name for file in tmp_path.iterdir()}
    assert {name for name in left if "unfinished" in name} == set()
    for path in (encrypted, again):
        assert path.stat().st_mode & 0o077 == 0


def test_what_is_there_already_is_not_replaced(tmp_path: Path, plain: Path, key: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for ending in ("wal", "journal"):
        (tmp_path / f"{ending}.sqlite-{ending}").write_bytes(b"of a gallery that was there")
    for name in ("folder", "file", "link", plain.name, "wal.sqlite", "journal.sqlite"):
        with pytest.raises(GalleryError, match="exists: name another file, or move it away"):
            rewrite(plain, tmp_path / name, None, read_key(key))
    assert (tmp_path / "file").read_text() == "mine"
    with pytest.raises(GalleryError, match=r"cannot write .*No such file or directory; .*people.sqlite is as it was"):
        rewrite(plain, tmp_path / "none" / "new.sqlite", None, read_key(key))


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("kind", ["file", "gallery", "folder", "link", "empty"])
def test_nor_is_what_comes_to_be_there_meanwhile(
    tmp_path: Path, plain: Path, key: Path, monkeypatch: pytest.MonkeyPatch, kind: str, links: bool
) -> None:
    target, check = tmp_path / "new.sqlite", rewriting._check

    def refused(*of: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    def meanwhile(*given: Any) -> None:
        check(*given)
        if kind == "folder":
            target.mkdir()
        elif kind == "link":
            target.symlink_to(tmp_path / "nowhere")
        elif kind == "gallery":
            with open_gallery(target) as gallery:
                add(gallery, "eve", 1)
        else:
            target.write_bytes(b"" if kind == "empty" else b"mine")

    monkeypatch.setattr(rewriting, "_check", meanwhile)
    if not links:
        monkeypatch.setattr(os, "link", refused)
    with pytest.raises(GalleryError, match="was created meanwhile, and is kept: name another file, or move it away"):
        rewrite(plain, target, None, read_key(key))
    if kind == "gallery":
        with open_gallery(target, read_only=True) as gallery:
            assert [person.name for person in gallery.list()] == ["eve"]
    elif kind in ("file", "empty"):
        assert target.read_bytes() == (b"" if kind == "empty" else b"mine")
    else:
        assert target.is_dir() or target.is_symlink()
    assert not list(tmp_path.glob(".unfinished*"))


def test_what_cannot_be_read_makes_nothing(tmp_path: Path, plain: Path, key: Path) -> None:
    target = tmp_path / "new.sqlite"
    for source, old, says in (
        (tmp_path / "none.sqlite", None, "there is no gallery"),
        (plain, read_key(key), "is not encrypted, and a key was given"),
        (key, None, "not a database"),
    ):
        with pytest.raises(GalleryError, match=says):
            rewrite(source, target, old, read_key(key))
    assert sorted(file.name for file in tmp_path.iterdir() if file.name not in (plain.name, key.name)) == [
        f"{plain.name}-epoch"
    ]


def test_what_reads_back_otherwise_is_given_up(tmp_path: Path, plain: Path, key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copied = rewriting.copy_gallery

    def spoilt(old, new):
        told = copied(old, new)
        new.remove("person 3")
        return told

    monkeypatch.setattr(rewriting, "copy_gallery", spoilt)
    with pytest.raises(GalleryError, match="is not what should have been written, and was discarded"):
        rewrite(plain, tmp_path / "new.sqlite", None, read_key(key))
    assert not (tmp_path / "new.sqlite").exists()


@pytest.mark.parametrize("at", ["copy_gallery", "_check", "sync_directory"])
def test_a_kill_leaves_the_old_one_whole_and_a_new_one_whole_or_not_there(
    tmp_path: Path, plain: Path, key: Path, at: str
) -> None:
    target, before = tmp_path / "new.sqlite", plain.read_bytes()
    code = textwrap.dedent(f"""
        import os, signal
        from pathlib import Path
        from engine.verify.gallery.sqlite import rewriting
        from engine.verify.gallery.sqlite.cipher import read_key
        done = rewriting.{at}
        def killed(*given):
            done(*given)
            os.kill(os.getpid(), signal.SIGKILL)
        rewriting.{at} = killed
        rewriting.rewrite(Path({str(plain)!r}), Path({str(target)!r}), None, read_key(Path({str(key)!r})))
    """)
    ended = subprocess.run([sys.executable, "-c", code], timeout=PATIENCE_SECONDS, env=os.environ, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert plain.read_bytes() == before
    with open_gallery(plain) as gallery:
        assert len(gallery.pictures()) == 31
    assert target.exists() == (at == "sync_directory")
    for left in tmp_path.glob(".*/*.sqlite"):
        assert not is_plain(left)
    if target.exists():
        with open_gallery(locked(target, key), read_only=True) as gallery:
            assert len(gallery.pictures()) == 31
    else:
        assert rewrite(plain, target, None, read_key(key)).pictures == 31
