"""How people, tracks and results are called on the command line of ``people``, ``compare`` and ``report``."""

from __future__ import annotations

import json
import os

from tests.cli.command import complains
from tests.desk.results import write_result


def test_people_and_tracks_are_found_however_they_are_written(facestream, results, tmp_path):
    facestream("people", *results, "--name", "yard/1", "Jos\u00e9")
    for words in ("Jose\u0301", "  Jos\u00e9"):
        taken_back = facestream("people", *results, "--unname", words)
        assert taken_back.code == 0, words
        facestream("people", *results, "--name", "yard/1", "Jos\u00e9")
    complains(
        facestream("people", *results, "--unname", "jose"), 2, "nobody in these results is 'jose': did you mean Jos\u00e9?"
    )
    for words in (f"{tmp_path}/one:yard/2", "./one:yard/2", "one/:yard/2", "one#yard/2", "one:2", "two/../one:yard/2"):
        assert facestream("people", *results, "--name", words, "Bea").code == 0, words
    write_result(tmp_path / "else/one", [("dan", "", 0)], "hall", "run9")
    assert facestream("people", "else/one", "--name", "one:hall/1", "Dan").code == 0, "as `search` and the page call it"


def test_a_name_by_which_somebody_else_is_called_is_refused(facestream, results):
    ids = [one["id"] for one in json.loads(facestream("people", *results, "--json").out)["people"]]
    for name in (ids[1], ids[1].lower(), "yard/2", "one:yard/2"):
        complains(facestream("people", *results, "--name", ids[2], name), 2, "use --merge")
    assert json.loads(facestream("people", *results, "--json").out)["corrections"] == []


def test_one_person_who_is_there_twice_at_a_time_is_pointed_out(facestream, tmp_path):
    write_result(tmp_path / "one", [("ann", "", 0), ("bea", "", 1), ("cid", "", 9)])
    merged = facestream("people", "one", "--merge", "yard/1", "yard/2")
    assert "now one person, but seen in two places at the same time: one:yard/1 and one:yard/2" in merged.out
    assert "at the same time" not in facestream("people", "one", "--merge", "yard/1", "yard/3").out.splitlines()[0]
    assert "they are two people" in facestream("compare", "one:yard/1", "one:yard/2").out
    for other in ("one:yard/1", "one:yard/3"):
        assert "they are two people" not in facestream("compare", "one:yard/1", other).out


def test_what_is_said_in_letters_that_are_not_utf8_is_kept_with_escapes(facestream, results):
    said = os.fsdecode(b"lat\xe9in")
    facestream("people", *results, "--name", "yard/1", "Ann", "--who", said, "--note", said)
    [one] = json.loads(facestream("people", *results, "--json").out)["corrections"]
    assert (one["who"], one["note"]) == ("lat\\udce9in", "lat\\udce9in")


def test_of_a_folder_of_runs_it_is_said_how_to_name_them(facestream, tmp_path):
    for name in ("runs/a", "runs/b", "lone/a"):
        write_result(tmp_path / name, [("ann", "", 0)], run_id=name)
    for command in ("people", "report"):
        complains(facestream(command, "runs"), 2, "it holds several: name those, as runs/*")
    complains(facestream("people", "lone"), 2, "it holds one: name lone/a")
