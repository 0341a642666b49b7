"""``search``, ``compare`` and ``people`` on small results, and on photographs."""

from __future__ import annotations

import html
import json
import os
import re
import shlex
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from engine.config import PublishConfig
from engine.publish.encode import encode_enhanced
from tests.cli.command import complains
from tests.desk.results import write_result


@pytest.fixture(scope="module")
def photograph(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("photographs") / "eileen.png"
    cv2.imwrite(str(path), cv2.cvtColor(astronaut()[:300, 100:400], cv2.COLOR_RGB2BGR))
    return path


def test_people_are_listed_named_and_undone(facestream, results):
    listed = json.loads(facestream("people", *results, "--json").out)
    assert [(one["name"], len(one["tracks"])) for one in listed["people"]] == [("Cid", 1), ("", 2), ("", 2)]
    someone = listed["people"][1]["id"]
    named = facestream("people", *results, "--name", someone, "Dora", "--note", "her badge", "--who", "eve", "--page", "p.html")
    assert named.code == 0
    assert "Dora" in named.out
    assert "Dora" in Path("p.html").read_text()
    [correction] = json.loads(facestream("people", *results, "--json").out)["corrections"]
    assert (correction["who"], correction["note"], correction["name"]) == ("eve", "her badge", "Dora")
    history = facestream("people", "one", "--history")
    assert "her badge" in history.out
    facestream("people", *results, "--undo", correction["id"])
    assert "Dora" not in [one["name"] for one in json.loads(facestream("people", *results, "--json").out)["people"]]
    told = facestream("people", *results, "--name", "yard/1", "Ann")
    assert "grouping gives Ann to 1 other track, too, unconfirmed: two:gate/2" in told.out
    complains(facestream("people", *results, "--page", "p.html"), 2, "p.html is there already")
    for command in (("people", *results), ("compare", "one:yard/1", "two:gate/2"), ("search", "missing.png", "one")):
        complains(facestream(*command, "--page", "one/p.html"), 2, "one/p.html lies inside the run's directory")
    complains(facestream("people", *results, "--note", "why"), 2, "belong to a correction")
    complains(facestream("people", *results, "--merge", "P-NOBODY", "gate/1"), 2, "nobody in these results")
    complains(facestream("people", "nothing"), 2, "is not the output directory of a run")
    Path("a.mkv").write_bytes(b"")
    for command in (("people", "a.mkv"), ("search", "a.mkv", "a.mkv"), ("clip", "a.mkv", "--track", 1)):
        complains(facestream(*command), 2, "a.mkv is not the output directory of a run: it is a file")
    complains(facestream("search", "one", "a.mkv"), 2, "one is a folder: give the photograph first, then the results")
    complains(facestream("people"), 2, "RESULTS is missing")


def test_two_tracks_are_compared(facestream, results):
    same = facestream("compare", "one:yard/1", "two:gate/2", "--page", "c.html")
    assert same.code == 0
    assert "if it is one person than if it is two people" in same.out
    assert "Between two recordings" in same.out
    assert "What limits it" in Path("c.html").read_text()
    told = json.loads(facestream("compare", "one:yard/1", "one:yard/2", "--json").out)
    assert told["log10_lr"] < 0
    figures = [told["log10_lr"], *told["log10_lr_bounds"], told["cosine"]]
    assert figures == [round(one, digits) for one, digits in zip(figures, (2, 2, 2, 4), strict=True)]
    complains(facestream("compare", "one:yard/1", "one:yard/9"), 2, "has no track 9 of yard")
    write_result(Path("three"), [("ann", "", 0)], sha256="ab" * 32)
    complains(facestream("compare", "one:yard/1", "three:yard/1"), 2, "two embedders cannot be compared")


def test_a_photograph_is_looked_for_and_compared(facestream, results, photograph):
    found = json.loads(facestream("search", photograph, *results, "--json", "--page", "h.html").out)
    assert (found["faces"], found["tracks"], len(found["hits"])) == (10, 5, 5)
    assert found["photograph"]["quality"]["size_px"] > 60
    assert "eileen.png" in Path("h.html").read_text()
    compared = json.loads(facestream("compare", photograph, "one:yard/1", "--json").out)
    assert compared["sides"][0]["photograph"]
    complains(facestream("search", photograph, *results, "--limit", "0"), 2, "--limit 0 must be 1 or more")
    complains(facestream("search", photograph, *results, "--face", "2"), 2, "shows 1 face: leave --face out")


def test_a_photograph_of_nobody_and_of_two_people(facestream, results, photograph):
    cv2.imwrite("nobody.png", np.full((200, 200, 3), 128, np.uint8))
    complains(facestream("search", "nobody.png", "one"), 1, "nobody.png shows no face")
    complains(facestream("search", "missing.png", "one"), 1, "missing.png")
    face = cv2.imread(str(photograph))
    small = cv2.resize(face, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    two = np.full((300, 540, 3), 90, np.uint8)
    two[:, :300], two[60 : 60 + small.shape[0], 340 : 340 + small.shape[1]] = face, small
    cv2.imwrite("two.png", two)
    largest = json.loads(facestream("search", "two.png", "one", "--json").out)["photograph"]
    second = json.loads(facestream("search", "two.png", "one", "--json", "--face", "2").out)["photograph"]
    assert largest["remarks"][0].startswith("the photograph shows 2 faces (")
    assert second["remarks"] == []
    assert second["quality"]["size_px"] < largest["quality"]["size_px"]


def test_people_name_their_tracks_as_split_takes_them_and_the_page_warns_of_nothing(facestream, tmp_path):
    write_result(tmp_path / "one", [("ann", "", 10 * at) for at in range(7)] + [("bea", "", 90)], "asl_eat")
    seen = facestream("people", "one", "--page", "p.html")
    found = re.findall(r"asl_eat/\d", seen.out)
    assert len(found) == 5
    assert re.search(r"and\s+\d more", seen.out)
    assert '<p class="soft">1 stranger was seen once' in Path("p.html").read_text()
    assert 'class="notice"' not in Path("p.html").read_text()
    assert facestream("people", "one", "--split", found[0]).code == 0


def test_a_name_that_two_galleries_gave_to_two_people_is_pointed_out_and_parted(facestream, tmp_path):
    write_result(tmp_path / "one", [("ann", "Ann", 0)], gallery_epoch="a")
    write_result(tmp_path / "two", [("bea", "Ann", 0)], "gate", "run2", gallery_epoch="b")
    told = " ".join(facestream("people", "one", "two", "--page", "p.html").out.split())
    assert "Ann was named by two galleries, and the faces do not look like one person" in told
    assert "Ann was named by two galleries" in Path("p.html").read_text()
    parted = facestream("people", "one", "two", "--split", "two:gate/1").out
    assert "two galleries" not in parted


@pytest.mark.parametrize(
    ("walks", "says"),
    [
        ([], "nobody was seen: there is no track"),
        ([("ann", "", 0)], "nobody has a name, and nobody was seen more than once"),
    ],
)
def test_why_nobody_is_listed_is_told_as_it_is(facestream, tmp_path, walks, says):
    write_result(tmp_path / "one", walks)
    told = facestream("people", "one", "--page", "p.html")
    assert told.out.startswith(f"{says}\n")
    assert f'<p class="soft">{says.capitalize()}.</p>' in Path("p.html").read_text()
    assert "<h2>Who was seen" not in Path("p.html").read_text()


def test_the_commands_of_the_page_do_what_they_say(facestream, results):
    assert facestream("people", *results, "--page", "p.html").code == 0
    page = Path("p.html").read_text()
    commands = [shlex.split(html.unescape(one)) for one in re.findall(r"<code>(facestream people .*?)</code>", page)]
    assert [words[-3] for words in commands].count("--name") == 3, "one for each person"
    name = next(words for words in commands if "--name" in words and {"one", "two"} < set(words))
    assert facestream(*["O'Hara & Söhne" if word == "NAME" else word for word in name[1:]]).code == 0
    split = next(words for words in commands if "--split" in words)
    assert facestream(*split[1:]).code == 0
    merge = [words for words in commands if "--merge" in words]
    assert facestream("people", *results, *[merge[0][-2] if word == "OTHER" else word for word in merge[1][-3:]]).code == 0
    said = json.loads(facestream("people", *results, "--json").out)["corrections"]
    assert [one["what"] for one in said] == ["name", "split", "merge"]
    assert said[0]["name"] == "O'Hara & Söhne"


def test_a_photograph_that_cannot_be_read_is_said_before_models_are_loaded(facestream, results, monkeypatch):
    monkeypatch.setattr("engine.cli.desk.options.open_embedder", lambda *_: pytest.fail("a model was loaded"))
    Path("notes.png").write_text("no picture")
    for photo in ("missing.png", "notes.png"):
        complains(facestream("search", photo, *results), 1, photo)
        complains(facestream("compare", photo, "one:yard/1"), 1, photo)


def test_where_there_is_no_result_the_command_was_wrong_and_where_one_is_unreadable_it_failed(facestream, results):
    for missing in ("nowhere", "."):
        complains(facestream("people", missing), 2, "is not the output directory of a run")
    complains(facestream("compare", "nowhere:yard/1", "one:yard/1"), 2, "nowhere is not the output directory of a run")
    assert facestream("people", "nowhere", "one").code == 0  # the others go on
    Path("two/run.json").write_text("no record")
    complains(facestream("people", "nowhere", "two"), 1, "two/run.json is not the record of a run")


def test_a_name_that_no_disk_takes_is_a_wrong_path_for_every_command(facestream):
    name = "x" * 300
    for command in (
        ("people", name), ("compare", f"{name}:yard/1", name), ("audit", name), ("expire", name, "--pictures-days", "1"),
        ("report", name), ("erase", "Ann", "--output", name, "--dry-run"), ("enhance", "a.png", "--out", name),
    ):  # fmt: skip
        complains(facestream(*command), 2, "File name too long")


def test_a_folder_whose_name_is_not_utf8_is_told_to_programs_with_an_escape(facestream, tmp_path):
    result = write_result(tmp_path / os.fsdecode(b"lat\xe9in"), [("ann", "", 0)])
    run = json.loads((result / "run.json").read_bytes()) | {"inputs": {"yard": {"path": "yard.mp4"}}}
    (result / "run.json").write_text(json.dumps(run))
    for command in (("audit", result), ("expire", result, "--pictures-days", "1", "--dry-run"), ("report", result)):
        assert "lat\\\\udce9in" in facestream(*command, "--json").out, command
    complains(facestream("erase", "Ann", "--output", result, "--dry-run", "--json"), 1, "nothing of 'Ann' was found")
    assert "lat\\udce9in" in (result / "report.html").read_text()


def test_a_track_without_a_vector_is_not_said_to_be_of_another_embedder(facestream, results, tmp_path):
    write_result(tmp_path / "none", [("ann", "", 0)], run_id="run3", sha256="")
    (tmp_path / "none/embeddings_128.f32").write_bytes(b"")
    complains(facestream("compare", "none:yard/1", "one:yard/1"), 1, "none:yard/1 has no vector")


def test_a_track_is_named_in_the_ways_that_people_write_it(facestream, results):
    """`RESULT:12` and `RESULT#12` were taken for photographs that are not there."""
    for words in ("two:gate/2", "two:2", "two#2", "two#gate/2"):
        assert json.loads(facestream("compare", "one:yard/1", words, "--json").out)["sides"][1]["label"] == "two:gate/2"
    complains(
        facestream("compare", "one", "one:yard/1"), 2, "one is a folder: give a photograph, or a track of a result as one:"
    )
    complains(facestream("compare", "one:yard", "one:yard/1"), 2, "one:yard names no track: write it as one:stream/track")
    complains(facestream("compare", "one:9", "one:yard/1"), 2, "one has no track 9: there are 1, 2, 3")
    complains(facestream("compare", "one:hall/1", "one:yard/1"), 2, "has no stream 'hall' with faces: it has yard")
    complains(facestream("search", "one", "two"), 2, "one is a folder: give the photograph first, then the results")


def test_a_result_whose_name_has_a_colon_a_line_break_and_no_latin_letter(facestream, tmp_path):
    for name in ("a:b", "lin\ne", "  ", "結果", "-x", "run#1"):
        write_result(tmp_path / name, [("ann", "", 0), ("bea", "", 9)], run_id=name.strip() or "blank")
        shown = facestream("compare", f"./{name}:yard/1", f"./{name}:2")
        assert (shown.code, shown.err) == (0, ""), name
        assert "\ne" not in shown.out


def test_of_several_streams_with_that_track_it_is_asked_which(facestream, tmp_path):
    write_result(tmp_path / "both", [("ann", "", 0)])
    other = write_result(tmp_path / "other", [("bea", "", 0)], "gate")
    for name in ("faces.jsonl", "tracks.jsonl"):
        with (tmp_path / "both" / name).open("ab") as file:
            file.write((other / name).read_bytes())
    complains(
        facestream("compare", "both:1", "other:1"), 2, "both:1 is a track of several streams: say which, as both:yard/1 or"
    )


def test_one_and_the_same_face_is_said_to_be_it(facestream, results, photograph):
    for one in (photograph, "one:yard/1"):
        shown = facestream("compare", one, one)
        assert shown.code == 0
        assert "- Both are one and the same face in one picture: their likeness says nothing." in shown.out
        assert "There is nothing to weigh" in shown.out
        assert "more probable" not in shown.out
        told = json.loads(facestream("compare", one, one, "--json").out)
        assert (told["log10_lr"], told["strangers_as_alike"]) == (None, None)
    assert "one and the same" not in facestream("compare", "one:yard/1", "two:gate/2").out


def test_which_face_is_for_the_photograph_that_shows_several(facestream, results, photograph):
    """The other one has but one face, and `--face 2` used to be refused for it."""
    face = cv2.imread(str(photograph))
    cv2.imwrite("two.png", np.hstack([face, cv2.resize(face, None, fx=1, fy=1)[:, ::-1]]))
    shown = facestream("compare", "two.png", photograph, "--face", "2")
    assert (shown.code, shown.err) == (0, "")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7])
def test_a_result_that_was_copied_in_part_is_told_or_used_as_far_as_it_goes(facestream, tmp_path, share):
    for name in ("faces.jsonl", "tracks.jsonl", "embeddings_128.f32", "run.json"):
        result = write_result(tmp_path / f"cut-{name}", [("ann", "", 0), ("bea", "", 9)], run_id=f"run-{name}")
        content = (result / name).read_bytes()
        (result / name).write_bytes(content[: int(len(content) * share)])
        for command in (("people", result), ("compare", f"{result}:yard/1", f"{result}:yard/2")):
            shown = facestream(*command)
            assert "Traceback" not in shown.err
            assert shown.code == 0 or len(shown.err.splitlines()) == 1, (command, shown)


def test_two_of_one_name_are_told_apart(facestream, results, photograph, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "face.png").write_bytes(photograph.read_bytes())
    assert "a/face.png (" in facestream("compare", "a/face.png", "b/face.png").out


def test_options_for_photographs_are_refused_where_there_is_none(facestream, results):
    for option in (("--face", "2"), ("--embedder", "dlib")):
        complains(facestream("compare", "one:yard/1", "one:yard/2", *option), 2, f"{option[0]} is for a photograph")


def test_a_search_knows_the_names_that_people_gave(facestream, results, photograph):
    facestream("people", *results, "--merge", "yard/1", "gate/1")
    facestream("people", *results, "--name", "gate/1", "Dora")
    facestream("people", *results, "--name", "yard/3", "Cid Campeador")
    hits = json.loads(facestream("search", photograph, *results, "--json").out)["hits"]
    named = {f"{one['stream']}/{one['track_id']}": (one["name"], one["named_by"]) for one in hits}
    assert named["gate/1"] == named["yard/1"] == ("Dora", "person")
    assert named["yard/3"] == ("Cid Campeador", "person")
    facestream("people", *results, "--unname", "Cid Campeador")
    shown = facestream("search", photograph, *results).out
    assert re.search(r"one:yard/3 .* Cid ", shown), "the gallery's again; and the track as `compare` takes it"
    Path("one/corrections.jsonl").write_text("damaged\n")
    assert "names that people gave are not shown" in facestream("search", photograph, *results).err


def test_of_a_file_with_several_pictures_it_is_said_which_shows_nobody(facestream, results, photograph):
    blank, face = (Image.fromarray(one) for one in (np.full((300, 300, 3), 128, np.uint8), astronaut()[:300, 100:400]))
    blank.save("scan.tiff", save_all=True, append_images=[face])
    complains(facestream("search", "scan.tiff", "one"), 1, "shows no face", "the first of the file's 2 pictures was taken")
    refused = facestream("enrol", "Eileen", "scan.tiff", "--gallery", "g.sqlite")
    assert "give a clear frontal picture; the first of the file's 2 pictures was taken" in refused.out


def test_a_photograph_that_a_machine_has_enhanced_is_said_to_be_one(facestream, photograph):
    Path("e.png").write_bytes(encode_enhanced(PublishConfig(codec="png"), cv2.imread(str(photograph)), "any", in_place=True))
    shown = facestream("compare", "e.png", photograph)
    assert "a machine has enhanced it, its file says: what it resembles may be made up" in " ".join(shown.out.split())
