"""People: pictures that were uploaded are decoded in a real child, and nothing of them stays."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest
from skimage.data import astronaut

from engine.control.answers import Done, Enrolled, Found, Match, People, Person, Quarantine
from engine.control.verbs import (
    DropPicture,
    EnrolPerson,
    ListPeople,
    ListQuarantine,
    NotThatPerson,
    Picture,
    ReleasePicture,
    RemovePerson,
    RenamePerson,
    SearchPerson,
)
from engine.models import find_model
from engine.service import resemblance
from engine.service.build import Parts
from engine.service.task_messages import AnyTask
from engine.service.tasks import Tasks
from engine.service.work import work
from engine.verify.gallery.sqlite.gallery import Gallery
from tests.service.parts import ask, service_in

RUN = "20260301T140500Z-5f0d7e1a"
SHA = "a" * 64


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    with service_in(tmp_path) as opened:
        yield opened


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> list[AnyTask]:
    """Let tasks be done in this process, which is quicker; return them."""
    done: list[AnyTask] = []

    def run(tasks: Tasks, task: AnyTask, wanted: type, seconds: float) -> object:
        done.append(task)
        return work(task)

    monkeypatch.setattr(Tasks, "run", run)
    return done


def code(parts: Parts, verb: object) -> str:
    problem = ask(parts, verb).problem  # type: ignore[arg-type]
    return problem.code if problem else "done"


def people(parts: Parts) -> list[Person]:
    result = ask(parts, ListPeople()).result
    assert isinstance(result, People)
    return result.people


def compares(parts: Parts) -> None:
    """Give a service the embedder that ships."""
    gallery = str(parts.directory.path.parent / "gallery.sqlite")
    verify = type(parts.life.config.verify)(gallery=gallery)
    parts.life.config = msgspec.structs.replace(parts.life.config, verify=verify)


def unit(*values: float) -> np.ndarray:
    vector = np.array(values, np.float32)
    return vector / np.linalg.norm(vector)


def enrol(parts: Parts, name: str, vector: np.ndarray) -> None:
    with Gallery(parts.directory.path.parent / "gallery.sqlite") as gallery:
        gallery.add(
            name, vector, embedder="dlib", embedder_sha256=SHA, runtime="x", source_name=name,
            picture_sha256=f"{name:0>64}", quality=0.5,
        )  # fmt: skip


def record(parts: Parts, vectors: dict[int, np.ndarray]) -> None:
    """Leave the output directory of a run with tracks."""
    folder = parts.directory.runs / RUN
    folder.mkdir()
    (folder / "run.json").write_bytes(msgspec.json.encode({"run_id": RUN, "workers": {"enhance-1": {"embedder_sha256": SHA}}}))
    lines = [
        msgspec.json.encode(
            {"run_id": RUN, "stream": "door", "track_id": track, "embedding": {"file": "embeddings_4.f32", "row": row}}
        )
        for row, track in enumerate(vectors)
    ]
    (folder / "tracks.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    (folder / "faces.jsonl").write_bytes(b"")
    (folder / "embeddings_4.f32").write_bytes(b"".join(one.astype("<f4").tobytes() for one in vectors.values()))


def test_a_track_that_is_not_this_person(parts: Parts) -> None:
    """What a run has written is read in a real child."""
    enrol(parts, "ada", unit(1, 0, 0, 0))
    record(parts, {7: unit(1, 0.5, 0, 0), 8: unit(0, 1, 0, 0)})
    wrong = NotThatPerson(name="ada", run_id=RUN, stream="door", track_id=7)
    assert ask(parts, wrong).result == Done(note="1 face is kept as not ada")
    assert people(parts) == [Person(name="ada", pictures=1, wrong_names=1)]
    with Gallery(parts.directory.path.parent / "gallery.sqlite", read_only=True) as gallery:
        np.testing.assert_allclose(gallery.snapshot(SHA).negatives["ada"], [unit(1, 0.5, 0, 0)], atol=1e-6)


@pytest.mark.parametrize(
    ("name", "run_id", "stream", "track_id"),
    [
        ("bob", RUN, "door", 7), ("ada", "other", "door", 7), ("ada", "../runs/" + RUN, "door", 7), ("ada", "..", "door", 7),
        ("ada", "", "door", 7), ("ada", RUN, "hall", 7), ("ada", RUN, "door", 9),
    ],
)  # fmt: skip
def test_one_that_there_is_not(
    at_once: list[AnyTask], parts: Parts, name: str, run_id: str, stream: str, track_id: int
) -> None:
    enrol(parts, "ada", unit(1, 0, 0, 0))
    record(parts, {7: unit(1, 0.5, 0, 0)})
    reply = code(parts, NotThatPerson(name=name, run_id=run_id, stream=stream, track_id=track_id))
    assert reply == "not_found"
    assert len(at_once) == (run_id == RUN), "what is not a run is asked of no child"
    assert people(parts)[0].wrong_names == 0


@pytest.mark.usefixtures("at_once")
def test_a_damaged_run_has_no_tracks(parts: Parts) -> None:
    enrol(parts, "ada", unit(1, 0, 0, 0))
    record(parts, {7: unit(1, 0.5, 0, 0)})
    (parts.directory.runs / RUN / "embeddings_4.f32").write_bytes(b"123")
    assert code(parts, NotThatPerson(name="ada", run_id=RUN, stream="door", track_id=7)) == "not_found"


def test_of_one_track_no_other_vectors_are_read(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    record(parts, {number: unit(1, number / 100, 0, 0) for number in range(1, 40)})
    read: list[int] = []
    rows = resemblance._mapped

    class Counted:
        def __init__(self, matrix: np.ndarray) -> None:
            self._matrix = matrix

        def __len__(self) -> int:
            return len(self._matrix)

        def __getitem__(self, row: int) -> np.ndarray:
            read.append(row)
            vector: np.ndarray = self._matrix[row]
            return vector

    def counted(directory: Path, name: str) -> Counted:
        matrix = rows(directory, name)
        assert matrix is not None
        return Counted(matrix)

    monkeypatch.setattr(resemblance, "_mapped", counted)
    (found,) = resemblance.vectors_of(parts.directory.runs / RUN, "door", 7)
    np.testing.assert_allclose(found, unit(1, 0.07, 0, 0), atol=1e-6)
    assert read == [6]


def test_names(parts: Parts) -> None:
    assert code(parts, RemovePerson(name="ada")) == "not_found"
    enrol(parts, "ada", unit(1, 0, 0, 0))
    assert code(parts, RenamePerson(name="ada", new_name=" ")) == "bad_request"
    assert code(parts, RenamePerson(name="bob", new_name="eve")) == "not_found"
    enrol(parts, "eve", unit(0, 1, 0, 0))
    assert code(parts, RenamePerson(name="bob", new_name="eve")) == "not_found"
    taken = ask(parts, RenamePerson(name="ada", new_name="eve")).problem
    assert taken is not None
    assert (taken.code, taken.field) == ("conflict", "new_name")
    assert 'with "join": true (of ctl: --join), which cannot be undone' in taken.message
    assert people(parts) == [Person(name="ada", pictures=1), Person(name="eve", pictures=1)]
    assert ask(parts, RenamePerson(name="eve", new_name="ada", join=True)).result == Done(
        note="1 picture renamed; joined with ada, who had 1 picture"
    )
    same = ask(parts, RenamePerson(name="ada", new_name=" ada")).result
    assert same == Done(note="ada is called so already: nothing was done")
    assert code(parts, RenamePerson(name="ada", new_name="Ada Lovelace")) == "done"
    assert people(parts) == [Person(name="Ada Lovelace", pictures=2)]
    assert code(parts, RemovePerson(name="Ada Lovelace")) == "done"
    assert people(parts) == []


def set_apart(parts: Parts, name: str, number: int, portrait: bytes = b"") -> str:
    digest = f"{number:064x}"[::-1]
    with Gallery(parts.directory.path.parent / "gallery.sqlite") as gallery:
        gallery.add(
            name, unit(1, number, 0, 0), embedder="dlib", embedder_sha256=SHA, runtime="x", source_name=f"{number}.jpg",
            picture_sha256=digest, quality=0.5, doubt="looks like bob (cosine 0.9)", apart=True, portrait=portrait,
        )  # fmt: skip
    return digest


def test_what_was_set_apart_is_looked_at_enrolled_or_forgotten(parts: Parts) -> None:
    assert ask(parts, ListQuarantine()).result == Quarantine(pictures=[])
    assert code(parts, ReleasePicture(name="ada", picture="1")) == "not_found", "there is no gallery"
    first, second = set_apart(parts, "ada", 1, b"jpeg"), set_apart(parts, "ada", 2)
    found = ask(parts, ListQuarantine()).result
    assert isinstance(found, Quarantine)
    told = [(one.name, one.picture, one.file, one.reason, one.portrait) for one in found.pictures]
    doubt = "looks like bob (cosine 0.9)"
    assert told == [("ada", first, "1.jpg", doubt, b"jpeg"), ("ada", second, "2.jpg", doubt, b"")]
    for wrong in (
        ReleasePicture(name="ada", picture="f"),
        DropPicture(name="bob", picture=first),
        DropPicture(name="ada", picture=""),
    ):
        assert code(parts, wrong) == "refused"
    assert code(parts, ReleasePicture(name="\n", picture=first)) == "bad_request"
    assert ask(parts, ReleasePicture(name="ada", picture=first[:8])).result == Done(note=f"{first[:8]} is enrolled for ada")
    assert people(parts) == [Person(name="ada", pictures=1)]
    assert code(parts, DropPicture(name="ada", picture=second)) == "done"
    assert ask(parts, ListQuarantine()).result == Quarantine(pictures=[])


def test_uploads_are_bounded(parts: Parts) -> None:
    large = Picture(content=bytes(parts.config.serve.upload_bytes + 1))
    assert code(parts, EnrolPerson(name="ada", pictures=[large])) == "too_large"
    assert code(parts, SearchPerson(picture=large)) == "too_large"
    assert code(parts, EnrolPerson(name="ada", pictures=[])) == "bad_request"
    assert code(parts, EnrolPerson(name="ada", pictures=[Picture(content=b"x")] * 51)) == "bad_request"
    assert code(parts, EnrolPerson(name="\n", pictures=[Picture(content=b"x")])) == "bad_request"
    assert code(parts, SearchPerson(picture=Picture(content=b""))) == "bad_request"
    for most in (0, 201):
        assert code(parts, SearchPerson(picture=Picture(content=b"x"), most=most)) == "bad_request"


@pytest.mark.usefixtures("at_once")
def test_what_of_a_picture_was_not_compared_is_said_by_enrolment_and_search(parts: Parts) -> None:
    deep = cv2.imencode(".png", np.full((90, 120, 4), (500, 600, 700, 800), np.uint16))[1].tobytes()
    said = "shows no face that could be found: give a clear frontal picture; "
    said += "it has more than 8 bits per colour, of which 8 were kept; transparent parts are shown white"
    compares(parts)
    found = ask(parts, SearchPerson(picture=Picture(content=deep))).result
    assert isinstance(found, Found)
    assert found.reason.endswith(said)
    enrolled = ask(parts, EnrolPerson(name="ada", pictures=[Picture(content=deep, name="ada.png")])).result
    assert isinstance(enrolled, Enrolled)
    assert enrolled.pictures[0].reason.endswith(said)


def bomb() -> bytes:
    """Return a picture of 60,000 x 60,000 pixels in some kilobytes."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    lines = zlib.compress(bytes(60_001 * 500), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", lines) + chunk(b"IEND", b"")


@pytest.mark.e2e
def test_a_face_is_enrolled_and_found_in_a_real_child(tmp_path: Path) -> None:
    assert find_model("grey")
    photograph = cv2.imencode(".jpg", np.ascontiguousarray(astronaut()[..., ::-1]))[1].tobytes()  # type: ignore[no-untyped-call]
    with service_in(tmp_path) as parts:
        compares(parts)
        pictures = [
            Picture(content=photograph, name="../../astronaut.jpg"), Picture(content=b"GIF89a" + bytes(50), name="torn.gif"),
            Picture(content=photograph[:3000], name="cut.jpg"), Picture(content=photograph, name="again.jpg"),
            Picture(content=bomb(), name="bomb.png"), Picture(content=b"<svg onload=x>" + photograph, name="poly.svg"),
        ]  # fmt: skip
        result = ask(parts, EnrolPerson(name="Eileen", pictures=pictures)).result
        assert isinstance(result, Enrolled)
        assert [one.outcome for one in result.pictures] == ["enrolled", "refused", "refused", "duplicate", "refused", "refused"]
        assert [one.name for one in result.pictures] == [picture.name for picture in pictures]
        assert str(tmp_path) not in "".join(one.reason for one in result.pictures)
        found = ask(parts, SearchPerson(picture=Picture(content=photograph))).result
        assert isinstance(found, Found)
        assert [(one.identity, round(one.cosine, 2)) for one in found.people] == [("Eileen", 1.0)]
        nothing = ask(parts, SearchPerson(picture=Picture(content=photograph[:3000]))).result
        assert isinstance(nothing, Found)
        assert (nothing.people, bool(nothing.reason)) == ([], True)
        assert list((parts.directory.path / "uploads").iterdir()) == []
        assert Match(cosine=1.0) not in found.tracks
