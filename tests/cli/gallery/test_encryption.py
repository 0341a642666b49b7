"""``facestream gallery encrypt``, ``decrypt`` and ``new-key``, and ``--gallery-key`` of every command that opens a gallery."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.verify.gallery.opening import open_gallery
from tests.cli.command import complains, here
from tests.verify.gallery.sqlite.keys import DIGITS, key_file, locked
from tests.verify.gallery.test_pictures import set_apart
from tests.verify.vectors import SHA, add

OPENS_A_GALLERY = (
    "annotate", "enrol", "erase", "report", "doctor", "gallery list", "gallery remove", "gallery rename",
    "gallery export", "gallery pictures", "gallery quarantine", "gallery release", "gallery drop", "gallery copy",
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    pytest.importorskip("sqlcipher3", reason="the extra `encrypted` is not installed")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    with open_gallery("people.sqlite") as gallery:
        for number, name in enumerate(("ada", "bob", "cy")):
            add(gallery, name, number)
        set_apart(gallery, "dee", 7)
    return tmp_path


def test_from_a_key_to_a_gallery_that_only_it_opens(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = here(capsys, "gallery", "new-key", "people.key")
    assert made.code == 0, made
    assert "the only copy of the key" in made.out
    digits = (folder / "people.key").read_text().strip()
    assert len(bytes.fromhex(digits)) == 32
    assert (folder / "people.key").stat().st_mode & 0o777 == 0o600
    complains(here(capsys, "gallery", "new-key", "people.key"), 2, "people.key exists: name another file")
    complains(here(capsys, "gallery", "new-key", "none/people.key"), 2, "no key was made")

    key = ("--gallery-key", "people.key")
    done = here(capsys, "gallery", "encrypt", "people.sqlite", "hidden.sqlite", *key)
    assert done.code == 0, done
    assert (
        "wrote 3 pictures, 1 picture set apart, 0 faces marked as not of somebody to hidden.sqlite, and verified it" in done.out
    )
    assert "people.sqlite is as it was, and readable" in done.out
    complains(here(capsys, "gallery", "encrypt", "people.sqlite", "hidden.sqlite", *key), 1, "hidden.sqlite exists")

    encrypted = ("--gallery", "hidden.sqlite", *key)
    assert "3 people in hidden.sqlite" in here(capsys, "gallery", "list", *encrypted).out
    assert "removed ada" in here(capsys, "gallery", "remove", "ada", *encrypted).out
    assert "renamed bob to eve" in here(capsys, "gallery", "rename", "bob", "eve", *encrypted).out
    assert "1 picture set apart" in here(capsys, "gallery", "quarantine", *encrypted).out
    assert "enrolled" in here(capsys, "gallery", "release", "00000007", *encrypted).out
    assert here(capsys, "gallery", "export", "people.jsonl", *encrypted).code == 0
    names = [json.loads(line)["identity"] for line in (folder / "people.jsonl").read_text().splitlines()]
    assert sorted(names) == ["cy", "dee", "eve"]
    complains(here(capsys, "gallery", "list", "--gallery", "hidden.sqlite"), 1, "it is encrypted, and --gallery-key FILE")

    said = [
        here(capsys, "doctor", "--json", *encrypted),
        here(capsys, "gallery", "decrypt", "hidden.sqlite", "open.sqlite", *key),
    ]
    assert "the gallery hidden.sqlite holds 3 people, encrypted" in said[0].out
    assert "open.sqlite is readable for whoever" in said[1].out
    with open_gallery("open.sqlite", read_only=True) as gallery:
        assert [person.name for person in gallery.list()] == ["cy", "dee", "eve"]
    assert not any(digits in f"{one.out}{one.err}" for one in (made, done, *said))


@pytest.mark.parametrize("help_of", [*(f"{command} --help" for command in OPENS_A_GALLERY), "run --help-more"])
def test_every_command_that_opens_a_gallery_takes_its_key(help_of: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--gallery-key" in here(capsys, *help_of.split()).out


def test_the_key_goes_with_the_file_that_is_copied(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = key_file(folder / "people.key")
    complains(
        here(capsys, "gallery", "copy", "people.sqlite", "new.sqlite", "--gallery-key", key), 2,
        "--gallery-key opens one of two files: use `facestream gallery encrypt` or `decrypt`",
    )  # fmt: skip
    complains(
        here(capsys, "gallery", "copy", "postgresql://a@b/c", "postgresql://a@b/d", "--gallery-key", key), 2,
        "is in a database, and a key opens a file",
    )  # fmt: skip


def test_an_encrypted_gallery_is_made_where_there_is_none(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = locked(folder / "new.sqlite", key_file(folder / "people.key"))
    with open_gallery(place) as gallery:
        add(gallery, "ada", 1)
    told = here(capsys, "gallery", "list", "--json", "--gallery", place.where, "--gallery-key", place.key_file)
    assert json.loads(told.out)["name"] == "ada"
    with open_gallery(place, read_only=True) as gallery:
        assert gallery.snapshot(SHA).names == ["ada"]


def test_a_configuration_names_the_key_and_is_checked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "people.key").write_text(DIGITS)
    (folder / "people.key").chmod(0o644)
    settings = folder / "run.yaml"
    settings.write_text("verify:\n  gallery: people.sqlite\n  gallery_key_file: people.key\n")
    complains(here(capsys, "check", settings), 2, "others may read the key in people.key: run `chmod 600 people.key`")
    (folder / "people.key").chmod(0o600)
    assert here(capsys, "check", settings).code == 0
    (folder / "street.mp4").write_bytes(b"")
    refused = here(capsys, "run", settings, "--source", "street.mp4", "--out", "result")
    complains(refused, 1, "people.sqlite is not encrypted, and a key was given")
    assert not (folder / "result").exists()
