import json
import os

import cv2
import pytest

from engine.cli import main
from engine.cli.gallery import enrol
from engine.cli.gallery.pictures import existing
from engine.verify.gallery.sqlite.gallery import Gallery, default_gallery_path
from tests.crop.photographs import picture
from tests.verify.faces import portrait
from tests.verify.vectors import SHA, add, vector


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
    code, out, _ = facestream("enrol", "Ada Lovelace", "astronaut.png", "tight.png")
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
    assert facestream("gallery", "export", "people.jsonl", "--embeddings")[0] == 2  # it is there
    assert facestream("gallery", "export", "people.jsonl", "--embeddings", "--overwrite")[0] == 0
    row = json.loads((folder / "people.jsonl").read_text().splitlines()[0])
    assert len(row["embedding"]) == 128
    assert row["embedder"] == "dlib"

    code, out, _ = facestream("gallery", "remove", "Ada Lovelace")
    assert (code, out) == (0, "removed Ada Lovelace (2 pictures)\n")
    assert f"0 people in {gallery}" in facestream("gallery", "list")[1]


def test_a_refused_picture_gives_code_1_and_the_others_are_enrolled(folder, facestream):
    code, out, _ = facestream("enrol", "ada", "group.jpg", "astronaut.png", "none.jpg", "--gallery", "here.sqlite")
    assert code == 1
    assert "faces: cut it to the person you mean" in out
    assert "none.jpg cannot be read" in out
    with Gallery(folder / "here.sqlite") as gallery:
        assert [(person.name, person.pictures) for person in gallery.list()] == [("ada", 1)]
    code, out, _ = facestream("enrol", "ada", "astronaut.png", "--gallery", "here.sqlite")
    assert code == 0
    assert "duplicate" in out


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["enrol", "ada"], 2, "IMAGES is missing: pictures that show this person"),
        (["enrol", " ", "astronaut.png"], 2, "cannot be the name of a person"),
        (["enrol", "ada", "astronaut.png", "--embedder", "none"], 2, "--embedder none makes no vectors"),
        (["enrol", "ada", "astronaut.png", "--embedder", "nope"], 2, "there is no embedder 'nope'"),
        (["enrol", "ada", "astronaut.png", "--detector", "nope"], 2, "unknown detector 'nope'"),
        (["gallery", "list"], 2, "enrol someone first with `facestream enrol NAME IMAGE`"),
        (["gallery", "remove", "ada", "--gallery", "astronaut.png"], 1, "not a database"),
        (["gallery", "export", "people.csv"], 2, "there is no gallery"),
        (["gallery", "rename", "ada", "eva", "--gallery", "nope.sqlite"], 2, "there is no gallery nope.sqlite"),
        (["gallery", "release", "3fa9", "--gallery", "nope.sqlite"], 2, "there is no gallery nope.sqlite"),
        (["gallery", "drop", "3fa9", "--gallery", "nope.sqlite"], 2, "there is no gallery nope.sqlite"),
        (["enrol", "ada", "nope.png"], 2, "nope.png cannot be read"),
        (["enrol", "ada", "nope*.png"], 2, "matches no picture"),
    ],
)
def test_wrong_use_is_one_sentence(folder, facestream, arguments, code, sentence):
    got, out, err = facestream(*arguments)
    assert got == code
    assert not list(folder.glob("nope*"))
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


def test_somebody_who_is_only_in_quarantine_is_shown_renamed_and_removed(folder, facestream):
    for name in ("ada", "bob"):
        set_apart(name)
    assert facestream("gallery", "pictures", "ada")[:2] == (0, f"0 pictures enrolled in {default_gallery_path()}\n")
    code, _, err = facestream("gallery", "pictures", "eve")
    assert (code, err) == (1, "facestream: nobody in the gallery is called 'eve': see `facestream gallery list`\n")
    code, _, err = facestream("gallery", "drop", "aaaa")
    assert (code, "of several people, 'ada', 'bob': say whose with --name" in err) == (1, True)
    shown = facestream("gallery", "list")[1]
    assert shown.endswith("sqlite; 2 pictures are set apart (`facestream gallery quarantine`)\n")
    assert facestream("gallery", "rename", "ada", "bob")[0] == 2, "somebody is called so"
    assert facestream("gallery", "rename", "ada", "Ada")[:2] == (0, "renamed ada to Ada (1 picture set apart)\n")
    assert facestream("gallery", "release", "aaaa", "--name", "Ada")[:2] == (0, "enrolled aaaaaaaa (a.jpg) of Ada\n")
    assert facestream("gallery", "remove", "bob")[:2] == (0, "removed bob (1 picture set apart)\n")
    with Gallery() as opened:
        assert ([one.name for one in opened.list()], opened.quarantined()) == (["Ada"], [])


@pytest.mark.parametrize("command", [("remove", "ada"), ("rename", "ada", "Ada")])
def test_who_goes_while_the_command_begins_is_not_said_to_have_gone_by_it(folder, facestream, monkeypatch, command):
    with Gallery() as opened:
        add(opened, "ada", 1)

    def existing_then_removed(gallery):
        with Gallery() as another:
            another.remove("ada")
        return existing(gallery)

    monkeypatch.setattr("engine.cli.gallery.gallery.existing", existing_then_removed)
    code, out, err = facestream("gallery", *command)
    assert (code, out) == (1, "")
    assert err == "facestream: somebody else has just removed or renamed ada: nothing was done\n"


def test_lists_are_objects_for_programs(folder, facestream):
    set_apart("ada")
    with Gallery() as opened:
        add(opened, "bob", 2)
    (person,) = _objects(facestream("gallery", "list", "--json"))
    assert (person["name"], person["pictures"]) == ("bob", 1)
    assert [one["identity"] for one in _objects(facestream("gallery", "pictures", "--json"))] == ["bob"]
    (apart,) = _objects(facestream("gallery", "quarantine", "--json"))
    assert (apart["identity"], apart["doubt"], apart["picture_sha256"]) == ("ada", "is blurred", "a" * 64)


def _objects(said):
    code, out, err = said
    assert (code, err) == (0, "")
    return [json.loads(line) for line in out.splitlines()]


def set_apart(name):
    with Gallery() as opened:
        opened.add(
            name, vector(1), embedder="x", embedder_sha256=SHA, runtime="x", source_name="a.jpg", picture_sha256="a" * 64,
            quality=0.5, doubt="is blurred", apart=True,
        )  # fmt: skip


def test_the_last_enrolled_picture_goes_while_others_are_set_apart(folder, facestream):
    with Gallery() as opened:
        add(opened, "ada", 1)
    set_apart("ada")
    said = facestream("gallery", "remove", "ada", "--picture", "0000", "--receipt", "gone.json")[1]
    assert "; it was the last one that was enrolled, others are set apart (`facestream gallery quarantine`)" in said
    assert json.loads((folder / "gone.json").read_text())["person_is_left"] is True


def test_nothing_is_loaded_to_enrol_into_what_is_no_gallery(folder, facestream, monkeypatch):
    monkeypatch.setattr(enrol, "open_embedder", lambda *_: pytest.fail("a model was loaded"))
    assert facestream("enrol", "ada", "astronaut.png", "--gallery", "astronaut.png")[0] == 1
    assert facestream("enrol", "ada", "astronaut.png", "--detector", "nope")[0] == 2


def test_a_file_whose_name_is_not_utf8_is_a_gallery(tmp_path, facestream):
    path = tmp_path / os.fsdecode(b"lat\xe9.sqlite")
    with Gallery(path) as gallery:
        add(gallery, "ada", 1)
    (tmp_path / "notes.png").write_text("no picture")
    code, out, _ = facestream("gallery", "list", "--gallery", path)
    assert (code, "1 person in" in out, "lat\\udce9.sqlite" in out) == (0, True, True)
    code, out, _ = facestream("enrol", "ada", tmp_path / "notes.png", "--gallery", path)
    assert (code, "lat\\udce9.sqlite" in out) == (1, True)


@pytest.mark.parametrize("new", ["José", "Jose\u0301", " José  ", "José\u200b"])
def test_a_name_that_somebody_has_is_not_given_again(folder, facestream, new):
    """`rename Ada Ada` said that a picture was renamed, and every reader compared all tracks again."""
    with Gallery() as opened:
        add(opened, "José", 1)
        before = opened.version()
    assert facestream("gallery", "rename", "Jose\u0301", new)[:2] == (0, "José is called so already: nothing was done\n")
    assert facestream("gallery", "rename", "José", new, "--join")[0] == 0
    with Gallery(read_only=True) as opened:
        assert (opened.version(), [one.name for one in opened.list()]) == (before, ["José"])


def test_pictures_that_do_not_go_with_each_other_are_shown(folder, facestream):
    assert facestream("enrol", "ada", "astronaut.png")[0] == 0
    assert facestream("gallery", "check")[:2] == (0, f"0 pictures in question in {default_gallery_path()}\n")
    assert facestream("enrol", "bob", "tight.png", "--force")[0] == 0
    code, out, _ = facestream("gallery", "check", "--json")
    assert code == 1
    assert [json.loads(line)["identity"] for line in out.splitlines()] == ["ada", "bob"]
    code, out, _ = facestream("gallery", "check")
    assert code == 1
    assert "looks like bob (cosine 0.9" in out
    assert facestream("gallery", "check", "--embedder", "none")[0] == 2
