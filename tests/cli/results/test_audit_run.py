"""``facestream audit DIR`` and ``facestream keys sign``, as a user calls them."""

import json

import pytest

from engine.cli.app import main
from tests.exhibit.results import finished

pytest.importorskip("cryptography")


def called(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    told = capsys.readouterr()
    return ended.value.code, told.out, told.err


def test_a_signed_result_is_made_and_audited(tmp_path, capsys):
    code, out, _ = called(capsys, "keys", "sign", "new", tmp_path / "desk.pem")
    assert (code, "the only copy of the secret" in out) == (0, True)
    code, out, _ = called(capsys, "keys", "sign", "show", tmp_path / "desk.pub", "--json")
    public = json.loads(out)["public"]
    finished(tmp_path / "result", sign=str(tmp_path / "desk.pem"))
    code, out, _ = called(capsys, "audit", tmp_path / "result", "--public-key", tmp_path / "desk.pub")
    assert code == 0
    assert f"is as it was written, signed with the key {public}" in out.replace("\n", "")
    assert "as written: 18 lines and vectors, 16 pictures" in out


def test_the_first_break_is_named_and_ends_with_1(tmp_path, capsys):
    result = finished(tmp_path / "result")
    (result / "faces/cam1/1/000001_original.jpg").write_bytes(b"another")
    (result / "faces/cam1/2/000004_original.jpg").write_bytes(b"another")
    code, out, _ = called(capsys, "audit", result)
    assert code == 1
    assert out.splitlines()[0].startswith("BROKEN: faces/cam1/1/000001_original.jpg: it was changed (faces.jsonl, line 2)")
    assert out.splitlines()[-1].endswith("and 1 more")
    code, out, _ = called(capsys, "audit", result, "--json")
    told = json.loads(out)
    assert (code, told["whole"], told["faults"][0]["file"]) == (1, False, "faces/cam1/1/000001_original.jpg")
    code, out, _ = called(capsys, "audit", result, "--holds", "ab")
    assert "no block has the hash ab" in out


def test_what_cannot_be_audited_is_a_usage_error(tmp_path, capsys):
    assert called(capsys, "audit", tmp_path / "nowhere")[0] == 2
    assert called(capsys, "audit", tmp_path, "--public-key", tmp_path / "none.pub")[0] == 2
    assert called(capsys, "audit", tmp_path)[0] == 2


def test_without_a_directory_it_explains_itself(capsys):
    code, out, _ = called(capsys, "audit")
    assert (code, "verify" in out, "DIRECTORY" in out) == (0, True, True)


def test_a_folder_that_is_no_run_is_not_called_broken(tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("mine")
    code, out, err = called(capsys, "audit", tmp_path)
    assert (code, out) == (2, "")
    assert "is not the output directory of a run" in err
    result = finished(tmp_path / "result")
    (result / "chain.jsonl").unlink()
    code, out, _ = called(capsys, "audit", result)
    assert (code, "BROKEN: chain.jsonl: is missing" in out) == (1, True)


def test_a_hash_that_is_there_is_said(tmp_path, capsys):
    result = finished(tmp_path / "result")
    head = json.loads(called(capsys, "audit", result, "--json")[1])["head"]
    code, out, _ = called(capsys, "audit", result, "--holds", head)
    assert (code, f"the chain still has the block {head}" in out) == (0, True)
    assert "still has" not in called(capsys, "audit", result, "--holds", "ab")[1]
