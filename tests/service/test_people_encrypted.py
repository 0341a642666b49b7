"""The verbs about people with a gallery that is encrypted."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.control.answers import Done, Person
from engine.control.verbs import NotThatPerson, RemovePerson
from engine.verify.gallery.opening import open_gallery
from tests.service import parts as service_parts
from tests.service.parts import ask, service_in
from tests.service.test_people import RUN, SHA, people, record, unit
from tests.verify.gallery.sqlite.keys import key_file, locked


def test_the_service_and_its_child_open_it_with_its_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sqlcipher3", reason="the extra `encrypted` is not installed")
    place = locked(tmp_path / "gallery.sqlite", key_file(tmp_path / "people.key"))
    with_key = service_parts.FILE.replace("gallery:", f'gallery_key_file: "{place.key_file}", gallery:')
    monkeypatch.setattr(service_parts, "FILE", with_key)
    with open_gallery(place) as gallery:
        gallery.add(
            "ada", unit(1, 0, 0, 0), embedder="dlib", embedder_sha256=SHA, runtime="x", source_name="",
            picture_sha256="a", quality=1.0,
        )  # fmt: skip
    with service_in(tmp_path) as parts:
        record(parts, {7: unit(1, 0.5, 0, 0)})
        wrong = NotThatPerson(name="ada", run_id=RUN, stream="door", track_id=7)
        assert ask(parts, wrong).result == Done(note="1 face is kept as not ada")
        assert people(parts) == [Person(name="ada", pictures=1, wrong_names=1)]
        assert ask(parts, RemovePerson(name="ada")).result == Done(note="1 picture removed")
        assert people(parts) == []
