"""A gallery that is encrypted: nothing of it can be read without its key, and with it all is as in a plain one."""

from __future__ import annotations

import os
import sqlite3
import sys
from pathlib import Path

import pytest

from engine.errors import ConfigError, GalleryError, MissingRuntimeError
from engine.verify.gallery.opening import gallery_to_follow, is_empty, open_gallery
from engine.verify.gallery.sqlite.cipher import is_plain, read_key
from tests.verify.gallery.sqlite.keys import DIGITS, key_file, locked
from tests.verify.stores import holds
from tests.verify.vectors import SHA, add, vector


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return key_file(tmp_path / "people.key")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    pytest.importorskip("sqlcipher3", reason="the extra `encrypted` is not installed")
    return tmp_path / "people.sqlite"


def test_a_key_is_never_shown(key: Path) -> None:
    read = read_key(key)
    assert DIGITS in read.statement
    assert DIGITS not in f"{read!r} {read} {read.file}"


@pytest.mark.parametrize(
    ("content", "mode", "says"),
    [
        ("", 0o600, "holds no key of a gallery"),
        ("secret", 0o600, "64 hexadecimal digits: make one with `facestream gallery new-key FILE`"),
        (f"{DIGITS}\n{DIGITS}\n", 0o600, "holds no key of a gallery"),
        (f"{DIGITS[:-1]}g", 0o600, "holds no key of a gallery"),
        (f"{DIGITS}0", 0o600, "holds no key of a gallery"),
        (DIGITS, 0o640, "others may read the key in .*people.key: run `chmod 600 "),
        (DIGITS, 0o604, "others may read the key"),
    ],
)
def test_a_file_that_is_no_key_or_others_may_read_is_refused(tmp_path: Path, content: str, mode: int, says: str) -> None:
    file = tmp_path / "people.key"
    file.write_text(content)
    file.chmod(mode)
    with pytest.raises(ConfigError, match=says) as refused:
        read_key(file)
    assert DIGITS[:8] not in str(refused.value)


def test_a_key_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("", "pipe"):
        with pytest.raises(ConfigError, match="is not a file: name the one that holds the gallery's key"):
            read_key(tmp_path / name)
    for name in ("none.key", "x" * 300):
        with pytest.raises(ConfigError, match="cannot read the gallery's key"):
            read_key(tmp_path / name)


def test_white_space_around_a_key_is_none_of_it(tmp_path: Path) -> None:
    assert read_key(key_file(tmp_path / "one", f"{DIGITS}\r")).statement == read_key(key_file(tmp_path / "two")).statement


def test_nothing_of_it_stands_on_the_disk(path: Path, key: Path) -> None:
    with open_gallery(locked(path, key)) as gallery:
        add(gallery, "Ada Lovelace", 1)
        for _ in range(2):  # with the log beside it, and without
            written = b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
            assert len(written) > 4096
            assert not holds(gallery, vector(1))
            assert not any(word in written for word in (b"Ada", b"SQLite", b"pictures", SHA.encode()))
            gallery.tables.wipe()
    assert not is_plain(path)
    assert path.stat().st_mode & 0o077 == 0


def test_it_is_followed_as_a_plain_one_is(path: Path, key: Path) -> None:
    place = locked(path, key)
    news = gallery_to_follow(place).follow(SHA)
    people = news.news()
    assert people is not None
    assert people.names == []
    with open_gallery(place) as gallery:
        for number, name in enumerate(("ada", "bob")):
            add(gallery, name, number)
            people = news.news()
            assert people is not None
            assert name in people.names
        gallery.remove("ada")
        key.unlink()  # it was read when the run began
        people = news.news()
        assert people is not None
        assert people.names == ["bob"]
        assert gallery.snapshot(SHA).gallery == people.gallery


def test_without_its_key_or_with_another_it_is_not_opened(path: Path, key: Path, tmp_path: Path) -> None:
    other = key_file(tmp_path / "other.key", "a0" * 32)
    with open_gallery(locked(path, key)) as gallery:
        add(gallery, "ada", 1)
    before = path.read_bytes()
    for read_only in (True, False):
        with pytest.raises(GalleryError, match=r"it is encrypted, and --gallery-key FILE \(verify.gallery_key_file\) opens it"):
            open_gallery(path, read_only=read_only)
        with pytest.raises(GalleryError, match=r"other.key holds another key than it was encrypted with, or it is damaged"):
            open_gallery(locked(path, other), read_only=read_only)
    assert path.read_bytes() == before
    assert not is_empty(path)
    assert not is_empty(locked(path, other))
    assert not is_empty(locked(path, tmp_path / "none.key"))


def test_a_key_for_a_gallery_that_is_not_encrypted_is_refused(path: Path, key: Path) -> None:
    with open_gallery(path) as gallery:
        add(gallery, "ada", 1)
    for read_only in (True, False):
        with pytest.raises(GalleryError, match="is not encrypted, and a key was given: leave the key out, or encrypt it with"):
            open_gallery(locked(path, key), read_only=read_only)
    with open_gallery(path, read_only=True) as gallery:
        assert [person.name for person in gallery.list()] == ["ada"]


def test_a_key_for_a_gallery_in_a_database_is_refused(key: Path) -> None:
    place = "postgresql://me@db.example/faces"
    for opens in (open_gallery, gallery_to_follow):
        with pytest.raises(ConfigError, match="is in a database, and a key opens a file: leave the key out"):
            opens(locked(place, key))


def test_without_sqlcipher_it_is_said_how_to_install_it(tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sqlcipher3", None)
    with pytest.raises(MissingRuntimeError, match=r"needs SQLCipher, .*: pip install 'facestream\[encrypted\]'"):
        open_gallery(locked(tmp_path / "new.sqlite", key))
    assert not (tmp_path / "new.sqlite").exists()


def test_a_package_that_takes_a_key_and_does_nothing_with_it_is_refused(
    path: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sqlcipher3

    monkeypatch.setattr(sqlcipher3, "dbapi2", sqlite3)
    with pytest.raises(MissingRuntimeError, match="is without SQLCipher"):
        open_gallery(locked(path, key))
    assert path.read_bytes() == b""


def test_pages_that_were_changed_are_noticed(path: Path, key: Path) -> None:
    with open_gallery(locked(path, key)) as gallery:
        for number in range(40):
            add(gallery, f"person {number}", number)
    content = bytearray(path.read_bytes())
    for place in range(4096 + 100, len(content), 4096):
        content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(GalleryError, match="cannot be used"), open_gallery(locked(path, key), read_only=True) as gallery:
        gallery.tables.rows("SELECT * FROM pictures")
