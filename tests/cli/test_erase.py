import json

import pytest

from engine.archive.lock import DirectoryLock
from engine.audit import verify
from tests.cli.command import complains, here
from tests.privacy.output import all_bytes, enrol, write_run


@pytest.fixture
def facestream(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return lambda *arguments: here(capsys, *arguments)


@pytest.fixture
def result(tmp_path):
    enrol(tmp_path / "g.sqlite", "Ada", "Bob")
    return write_run(tmp_path / "result", [("known", ["Ada", "Bob"]), ("known", ["Bob", "Ada"])])


def test_a_person_is_erased_with_a_receipt_that_does_not_name_them(facestream, result, tmp_path):
    erase = ("erase", "Ada", "--gallery", "g.sqlite", "--output", result)
    tried = facestream(*erase, "--dry-run")
    assert "1 track, 2 faces, 4 pictures, 3 vectors would go" in tried.out
    assert not list(tmp_path.glob("erasure-*"))
    done = facestream(*erase, "--receipt", "receipt.json")
    assert done.code == 0
    assert "gallery g.sqlite: 1 picture went" in done.out
    assert "3 lines of others no longer name them" in done.out
    receipt = json.loads((tmp_path / "receipt.json").read_text())
    assert (receipt["format"], receipt["runs"][0]["tracks"], receipt["gallery"]["pictures"]) == ("facestream/erasure/1", 1, 1)
    assert all(one["sha256_before"] != one["sha256_after"] for one in receipt["runs"][0]["files"])
    assert b"Ada" not in all_bytes(tmp_path)
    assert verify(tmp_path / "state" / "facestream" / "audit.jsonl").lines == 1
    complains(facestream(*erase, "--receipt", "receipt.json"), 2, "cannot write the receipt receipt.json")


def test_a_name_that_is_not_there_is_said_with_who_may_be_meant(facestream, result):
    missing = facestream("erase", "ada", "--gallery", "g.sqlite", "--output", result)
    assert missing.code == 1
    assert "nothing of 'ada' was found: did you mean Ada?" in missing.err


def test_json_is_the_receipt_with_the_name_only_where_it_is_asked_for(facestream, tmp_path):
    result = write_run(tmp_path / "Ada", [("known", ["Ada"])])
    erase = ("erase", "Ada", "--gallery", "none.sqlite", "--output", result, "--json")
    assert "Ada" not in facestream(*erase, "--dry-run").out
    told = json.loads(facestream(*erase, "--name-in-receipt").out)
    assert (told["names"], told["runs"][0]["directory"]) == (["Ada"], str(result))


def test_a_name_that_is_a_word_of_the_receipt_leaves_it_readable(facestream, tmp_path):
    result = write_run(tmp_path / "result", [("known", ["pictures"])])
    done = facestream("erase", "pictures", "--gallery", "none.sqlite", "--output", result, "--json")
    assert json.loads(done.out)["runs"][0]["pictures"] == 4


def test_a_run_that_goes_on_is_exit_code_1(facestream, result):
    lock = DirectoryLock(result)
    done = facestream("erase", "Ada", "--gallery", "g.sqlite", "--output", result)
    lock.close()
    assert done.code == 1
    assert "NOT DONE: a run is writing to" in done.out


def test_what_cannot_be_a_name_or_a_directory_is_one_sentence(facestream, result):
    complains(facestream("erase", "\u202eAda", "--output", result), 2, "cannot be the name of a person")
    complains(facestream("erase", "Ada", "--output", "none"), 2, "none is not a directory")


def test_expire_says_what_went_and_wants_a_number_of_days(facestream, result):
    complains(facestream("expire", result), 2, "nothing is to expire")
    assert "0 pictures, 0 vectors went" in facestream("expire", result, "--pictures-days", "1").out
    told = json.loads(facestream("expire", result, "--pictures-days", "0.0000001", "--json").out)
    assert (told["pictures"], told["error"]) == (8, "")
    assert "and the run with them" in facestream("expire", result, "--records-days", "0.0000001").out
    assert not result.exists()


@pytest.mark.parametrize("command", ["erase", "expire"])
def test_each_command_has_an_example(facestream, command):
    assert f"facestream {command}" in facestream(command, "--help").out.split("For example:")[1]
