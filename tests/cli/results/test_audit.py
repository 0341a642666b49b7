import json

import pytest

from engine.audit import AuditLog
from tests.cli.command import complains, here


@pytest.fixture
def facestream(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return lambda *arguments: here(capsys, *arguments)


@pytest.fixture
def log(tmp_path):
    log = AuditLog(tmp_path / "state" / "facestream" / "audit.jsonl")
    log.record("anna", "enrol", on="door", people=["Ada [b]Lovelace[/b]"], detail="Ada [b]Lovelace[/b] has 2 pictures")
    log.record("bert", "remove", on="yard", outcome="refused")
    return log


def test_a_whole_log_is_shown_and_verified(facestream, log):
    shown = facestream("audit", "show")
    assert shown.code == 0
    assert "Ada" in shown.out
    assert "2 of 2 lines" in shown.out
    first, second = map(json.loads, facestream("audit", "show", "--json").out.splitlines())
    assert (first["people"], first["detail"]) == (["Ada [b]Lovelace[/b]"], "Ada [b]Lovelace[/b] has 2 pictures")
    assert (second["who"], second["outcome"]) == ("bert", "refused")
    assert len(facestream("audit", "show", "--json", "--last", "1").out.splitlines()) == 1
    verdict = json.loads(facestream("audit", "verify", "--json").out)
    assert (verdict["whole"], verdict["lines"], verdict["faults"]) == (True, 2, [])
    assert facestream("audit", "verify", "--holds", verdict["sha256"]).code == 0
    assert "is whole: 2 lines" in facestream("audit", "verify").out


def test_a_changed_log_has_exit_code_1_and_says_where(facestream, log):
    log.path.write_bytes(log.path.read_bytes().replace(b"anna", b"anne"))
    found = facestream("audit", "verify")
    assert found.code == 1
    assert "FAULT: line 2 does not hold the hash of the line before" in found.out
    assert facestream("audit", "verify", "--json").code == 1


def test_what_would_steer_a_terminal_is_shown_as_an_escape(facestream, log):
    name = "a\x1b[31mb\0"
    log.record("web:\x1b]0;x\a", "people.enrol", on="door\x9b2J", people=[name], detail=f"{name} is refused")
    out = facestream("audit", "show", "--last", "1").out
    assert not [letter for letter in out if letter in "\x1b\0\a\x9b"]
    assert "a\\x1b[31mb" in "".join(out.split())
    log.path.rename(log.path.with_name("b\x1b[31m.jsonl"))
    said = facestream("audit", "show", "--log", log.path.with_name("c\x1b[31m.jsonl")).err
    assert "c\\x1b[31m.jsonl" in said


def test_without_a_log_it_is_one_sentence(facestream):
    complains(facestream("audit", "verify"), 1, "cannot read the audit log", "No such file")
    complains(facestream("audit", "show"), 1, "cannot read the audit log", "No such file")


@pytest.mark.parametrize("command", ["verify", "show"])
def test_each_command_has_an_example(facestream, command):
    assert f"facestream audit {command}" in facestream("audit", command, "--help").out.split("For example:")[1]
