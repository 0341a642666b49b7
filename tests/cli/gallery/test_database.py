"""The commands that name a gallery take one in a database, and say of it what they say of a file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.cli.gallery.gallery import list_people, remove, rename
from engine.cli.gallery.pictures import pictures
from engine.cli.setup.doctor_gallery import say_gallery
from engine.contracts.gallery import GalleryPlace
from engine.errors import ConfigError, FacestreamError, NameTakenError
from engine.privacy import erase
from engine.verify.gallery.opening import gallery_to_follow, open_gallery
from tests.servers.postgres import PostgresServer, require_postgres
from tests.verify.vectors import SHA, add


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    require_postgres()
    with PostgresServer() as started:
        yield started


@pytest.fixture
def database(server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    where = f"{server.url}?tenant={tmp_path.name[-40:]}"
    with open_gallery(where) as gallery:
        add(gallery, "ada", 1)
        add(gallery, "bob", 2)
    return where


def test_people_are_listed_renamed_and_removed(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert list_people(gallery=database, json=True) == 0
    assert [json.loads(line)["name"] for line in capsys.readouterr().out.splitlines()] == ["ada", "bob"]
    with pytest.raises(NameTakenError, match="join them on purpose with --join"):
        rename("ada", "bob", gallery=database)
    assert rename("ada", "Ada", gallery=database) == 0
    assert pictures("Ada", gallery=database) == 0
    assert f"1 picture enrolled in {database}" in capsys.readouterr().out.replace("\n", "")
    assert remove("Ada", gallery=database) == 0
    with pytest.raises(FacestreamError, match="nobody in the gallery is called 'Ada'"):
        remove("Ada", gallery=database)


def test_a_person_is_erased(database: str) -> None:
    for is_dry in (True, False):
        receipt = erase(["ada"], gallery=database, outputs=[], dry_run=is_dry)
        assert receipt.gallery is not None
        assert (receipt.gallery.file, receipt.gallery.pictures, receipt.is_complete) == (database, 1, True)
    with open_gallery(database, read_only=True) as gallery:
        assert [person.name for person in gallery.list()] == ["bob"]


def test_the_doctor_says_what_there_is_and_what_is_kept_here(server: PostgresServer, database: str) -> None:
    said = list(say_gallery(GalleryPlace(database)))
    assert said[0] == ("ok", f"the gallery {database} holds 2 people")
    assert "keeps no copy of it yet" in said[1][1]
    news = gallery_to_follow(database).follow(SHA)
    assert news.news() is not None
    news.close()
    assert "this machine keeps what it held at 20" in list(say_gallery(GalleryPlace(database)))[1][1]
    server.stop()
    try:
        said = list(say_gallery(GalleryPlace(database)))
    finally:
        server.start()
    assert said[0][0] == "broken"
    assert "check that the server runs" in said[0][1]
    assert "this machine keeps what it held at 20" in said[1][1]
    with pytest.raises(ConfigError, match="holds a password"):
        list(say_gallery(GalleryPlace("postgresql://me:secret@db/faces")))
