import json

import cv2
import pytest

from engine.cli import main
from engine.verify.gallery import Gallery
from tests.crop.photographs import picture
from tests.verify.faces import portrait


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with pictures, where the user's own data folder is empty too."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    cv2.imwrite("astronaut.png", picture("astronaut"))
    cv2.imwrite("tight.png", portrait("astronaut", 0, margin=0.5)[0])
    cv2.imwrite("group.jpg", picture("t1"))
    return tmp_path


@pytest.fixture
def facestream(capsys):
    def call(*arguments):
        with pytest.raises(SystemExit) as stop:
            main([*map(str, arguments)])
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return stop.value.code, said.out, said.err

    return call


def test_enrol_list_export_remove(folder, facestream):
    code, out, _ = facestream("enroll", "Ada Lovelace", "astronaut.png", "tight.png")
    assert code == 0
    assert out.count("enrolled") == 2
    gallery = folder / "data" / "facestream" / "gallery.sqlite"
    assert gallery.exists()

    code, out, _ = facestream("gallery", "list")
    assert code == 0
    assert "Ada Lovelace" in out
    assert f"1 person in {gallery}" in out

    assert facestream("gallery", "export", "people.jsonl")[0] == 0
    rows = [json.loads(line) for line in (folder / "people.jsonl").read_text().splitlines()]
    assert [row["source_name"] for row in rows] == ["astronaut.png", "tight.png"]
    assert "embedding" not in rows[0]
    assert facestream("gallery", "export", "people.jsonl", "--embeddings")[0] == 0
    row = json.loads((folder / "people.jsonl").read_text().splitlines()[0])
    assert len(row["embedding"]) == 128
    assert row["embedder"] == "dlib"

    code, out, _ = facestream("gallery", "remove", "Ada Lovelace")
    assert (code, out) == (0, "removed Ada Lovelace (2 pictures)\n")
    assert f"0 people in {gallery}" in facestream("gallery", "list")[1]


def test_a_refused_picture_gives_code_1_and_the_others_are_enrolled(folder, facestream):
    code, out, _ = facestream("enroll", "ada", "group.jpg", "astronaut.png", "none.jpg", "--gallery", "here.sqlite")
    assert code == 1
    assert "faces: cut it to the person you mean" in out
    assert "none.jpg cannot be read" in out
    with Gallery(folder / "here.sqlite") as gallery:
        assert [(person.name, person.pictures) for person in gallery.list()] == [("ada", 1)]
    code, out, _ = facestream("enroll", "ada", "astronaut.png", "--gallery", "here.sqlite")
    assert code == 0
    assert "duplicate" in out


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["enroll", "ada"], 2, "no picture to enrol for ada: give at least one image file"),
        (["enroll", " ", "astronaut.png"], 2, "cannot be the name of a person"),
        (["enroll", "ada", "astronaut.png", "--embedder", "none"], 2, "the embedder none makes no vectors"),
        (["enroll", "ada", "astronaut.png", "--embedder", "nope"], 2, "there is no embedder 'nope'"),
        (["enroll", "ada", "astronaut.png", "--detector", "nope"], 2, "unknown detector 'nope'"),
        (["gallery", "list"], 1, "enrol someone first with `facestream enroll NAME IMAGE`"),
        (["gallery", "remove", "ada", "--gallery", "astronaut.png"], 1, "not a database"),
        (["gallery", "export", "people.csv"], 1, "there is no gallery"),
    ],
)
def test_wrong_use_is_one_sentence(folder, facestream, arguments, code, sentence):
    got, out, err = facestream(*arguments)
    assert got == code
    assert sentence in err
    assert out == ""
    assert len(err.strip().splitlines()) == 1


def test_removing_a_stranger_or_exporting_to_another_format_fails(folder, facestream):
    Gallery().close()
    code, _, err = facestream("gallery", "remove", "bob")
    assert (code, err) == (1, "facestream: nobody in the gallery is called 'bob': see `facestream gallery list`\n")
    code, _, err = facestream("gallery", "export", "people.xlsx")
    assert code == 1
    assert "choose a name that ends in .jsonl or .csv" in err


@pytest.mark.parametrize("command", ["list", "remove", "export"])
def test_help_shows_examples(command, facestream):
    code, out, _ = facestream("gallery", command, "--help")
    assert code == 0
    assert f"    facestream gallery {command}" in out
    assert "facestream sample" not in out
