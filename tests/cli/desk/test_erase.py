import json

import pytest

from engine.audit import AuditLog, verify
from engine.control.answers import Done, Reply, encode_reply
from engine.lock import DirectoryLock
from engine.service.desired import Answer, Desired, DesiredFile
from engine.verify.gallery.sqlite.gallery import Gallery
from tests.cli.command import complains, here
from tests.privacy.output import all_bytes, enrol, write_run


@pytest.fixture
def facestream(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    Gallery(tmp_path / "nobody.sqlite").close()
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


def test_nothing_is_erased_where_the_receipt_cannot_be_written(facestream, result, tmp_path):
    before = all_bytes(tmp_path)
    erase = ("erase", "Ada", "--gallery", "g.sqlite", "--output", result)
    for file in ("/proc/self/receipt.json", tmp_path / "no folder" / "receipt.json", tmp_path / "g.sqlite"):
        complains(facestream(*erase, "--receipt", file), 2, f"cannot write the receipt {file}")
    assert all_bytes(tmp_path) == before


def test_a_name_that_is_not_there_is_said_with_who_may_be_meant(facestream, result):
    missing = facestream("erase", "ada", "--gallery", "g.sqlite", "--output", result)
    assert missing.code == 1
    assert "nothing of 'ada' was found: did you mean Ada?" in missing.err


def test_what_is_left_to_the_user_is_not_called_done(facestream, result):
    (result / "ours").symlink_to(result.parent)
    (result / "notes.txt").write_text("Ada")
    done = facestream("erase", "Ada", "--gallery", "g.sqlite", "--output", result)
    assert done.code == 0
    assert "the name still stands in: notes.txt" in done.out
    assert "done, except for what is listed above" in done.out


def test_what_no_run_has_written_is_listed_whatever_it_holds(facestream, result, tmp_path):
    write_run(result / "inner", [("known", ["Bob"])])
    for name in ("v.npy", "clips/Ada.mp4", "faces/cam1/2/mine.jpg"):
        (result / name).parent.mkdir(exist_ok=True)
        (result / name).write_bytes(b"")
    (result / "ours").symlink_to(tmp_path)
    erase = ("erase", "Ada", "--gallery", "g.sqlite", "--output", result)
    listed = "not of the run, and left as it is: clips/Ada.mp4, faces/cam1/2/mine.jpg, inner.mp4, ours, v.npy"
    assert listed in facestream(*erase, "--dry-run").out
    done = facestream(*erase, "--receipt", "receipt.json")
    assert (done.code, listed in done.out, "everything is done" in done.out) == (0, True, False)
    told = json.loads((tmp_path / "receipt.json").read_text())["runs"][0]["unknown"]
    assert told == ["clips/[name].mp4", "faces/cam1/2/mine.jpg", "inner.mp4", "ours", "v.npy"]


def test_json_is_the_receipt_with_the_name_only_where_it_is_asked_for(facestream, tmp_path):
    result = write_run(tmp_path / "Ada", [("known", ["Ada"])])
    erase = ("erase", "Ada", "--gallery", "nobody.sqlite", "--output", result, "--json")
    assert "Ada" not in facestream(*erase, "--dry-run").out
    told = json.loads(facestream(*erase, "--name-in-receipt").out)
    assert (told["names"], told["runs"][0]["directory"]) == (["Ada"], str(result))


def test_a_name_that_is_a_word_of_the_receipt_leaves_it_readable(facestream, tmp_path):
    result = write_run(tmp_path / "result", [("known", ["pictures"])])
    done = facestream("erase", "pictures", "--gallery", "nobody.sqlite", "--output", result, "--json")
    assert json.loads(done.out)["runs"][0]["pictures"] == 4


def test_a_run_that_goes_on_is_exit_code_1(facestream, result):
    lock = DirectoryLock(result)
    done = facestream("erase", "Ada", "--gallery", "g.sqlite", "--output", result)
    lock.close()
    assert done.code == 1
    assert "NOT DONE: a run is writing to" in done.out
    assert "do it again when it is over" in done.out
    assert "done: the gallery, the audit log; NOT DONE, so the name may still be there: 1 run\n" in done.out


def test_a_run_of_a_service_is_never_over_by_itself(facestream, tmp_path):
    enrol(tmp_path / "g.sqlite", "Ada")
    runs = tmp_path / "srv" / "runs"
    for name in ("now", "before"):
        write_run(runs / name, [("known", ["Ada"])])
    erase = ("erase", "Ada", "--gallery", "g.sqlite", "--output", runs)
    lock = DirectoryLock(runs / "now")
    done = facestream(*erase, "--receipt", "1.json")
    lock.close()
    assert done.code == 1
    assert "begin a new run (`facestream ctl settings set SECTION.KEY=VALUE`" in done.out
    assert "done: the gallery, the audit log, 1 run; NOT DONE, so the name may still be there: 1 run\n" in done.out
    again = facestream(*erase, "--receipt", "2.json")
    assert (again.code, "everything is done\n" in again.out) == (0, True)


@pytest.mark.parametrize("named", ["srv", "srv/runs", "srv/runs/one"])
def test_the_log_of_a_service_forgets_too(facestream, tmp_path, named):
    service = tmp_path / "srv"
    write_run(service / "runs" / "one", [("known", ["Ada", "Bob"])])
    log = AuditLog(service / "audit.jsonl")
    log.record("local:0", "people.enrol", people=["Ada"])
    log.record("local:0", "people.enrol", people=["Bob"])
    tried = facestream("erase", "Ada", "--gallery", "nobody.sqlite", "--output", named, "--dry-run")
    assert f"{log.path}: 1 name would go" in tried.out
    assert set(log.names().values()) == {"Ada", "Bob"}
    done = facestream("erase", "Ada", "--gallery", "nobody.sqlite", "--output", named, "--receipt", "receipt.json")
    assert done.code == 0, done
    assert f"{log.path}: 1 name went" in done.out
    receipt = json.loads((tmp_path / "receipt.json").read_text())
    assert receipt["service_logs"] == [{"file": str(log.path), "names": 1, "line": 2, "error": ""}]
    assert list(log.names().values()) == ["Bob"]
    assert not verify(log.path).faults
    assert b"Ada" not in all_bytes(tmp_path)


def test_a_file_outside_of_runs_that_has_the_name_is_exit_code_1(facestream, tmp_path):
    service = tmp_path / "srv"
    write_run(service / "runs" / "one", [("known", ["Ada"])])
    reply = Reply(request_id="1", result=Done(note="3 faces are kept as not Ada"))
    answer = Answer(key="local:0 k", asked="", reply=encode_reply(reply), time_ns=1)
    DesiredFile(service / "desired.json").save(Desired(answers=(answer,)))
    assert b"Ada" not in (service / "desired.json").read_bytes()
    (service / "people.csv").write_text("name,quality\nAda,0.5\n")
    (service / "Bob.csv").write_text("name,quality\nBob,0.5\nAdam,0.5\n")
    (service / "clip.mp4").write_bytes(b"Ada")
    (service / "linked.json").symlink_to(service / "people.csv")
    done = facestream("erase", "Ada", "--gallery", "nobody.sqlite", "--output", service, "--receipt", "receipt.json")
    assert done.code == 1
    told = json.loads((tmp_path / "receipt.json").read_text())["mentions"]
    assert told == [str(service / "desired.json"), str(service / "people.csv")]
    assert f"{told[0]}: NOT DONE: the name still stands in it" in done.out


def test_a_log_of_a_service_that_leads_elsewhere_is_left_and_said(facestream, tmp_path):
    write_run(tmp_path / "srv" / "runs" / "one", [("known", ["Ada"])])
    other = AuditLog(tmp_path / "other.jsonl")
    other.record("anna", "enrol", people=["Ada"])
    (tmp_path / "srv" / "audit.jsonl").symlink_to(other.path)
    (tmp_path / "srv" / "audit.jsonl.people").symlink_to(tmp_path / "other.jsonl.people")
    done = facestream("erase", "Ada", "--gallery", "nobody.sqlite", "--output", "srv/runs")
    assert done.code == 1
    assert "audit.jsonl: NOT DONE: " in done.out
    assert list(other.names().values()) == ["Ada"]


def test_what_cannot_be_a_name_or_a_directory_is_one_sentence(facestream, result):
    complains(facestream("erase", "\u202eAda", "--output", result), 2, "cannot be the name of a person")
    complains(facestream("erase", "Ada", "--output", "none"), 2, "none is not a directory")


def test_expire_says_what_went_and_wants_a_number_of_days(facestream, result):
    complains(facestream("expire", result), 2, "nothing is to expire")
    complains(facestream("expire", result, "--pictures-days", "0"), 2, "0 days keep it for ever")
    assert "0 keeps them for ever" in " ".join(facestream("expire", "--help").out.replace("│", " ").split())
    assert "0 pictures, 0 vectors went" in facestream("expire", result, "--pictures-days", "1").out
    told = json.loads(facestream("expire", result, "--pictures-days", "0.0000001", "--json").out)
    assert (told["pictures"], told["error"]) == (8, "")
    assert "and the run with them" in facestream("expire", result, "--records-days", "0.0000001").out
    assert not result.exists()


@pytest.mark.parametrize("command", [("erase", "Ada", "--output"), ("expire", "--pictures-days", "1")])
def test_what_would_steer_a_terminal_is_shown_as_an_escape(facestream, tmp_path, command):
    write_run(tmp_path / "a\x1b[31mb", [("known", ["Ada"])])
    said = facestream(*command, "a\x1b[31mb")
    assert "a\\x1b[31mb: " in said.out
    assert "\x1b" not in said.out + said.err


@pytest.mark.parametrize("command", ["erase", "expire"])
def test_each_command_has_an_example(facestream, command):
    assert f"facestream {command}" in facestream(command, "--help").out.split("For example:")[1]


def test_a_gallery_that_is_misspelt_is_refused_and_nothing_is_erased(facestream, result, tmp_path):
    """The person stayed in the gallery that was meant, and the receipt said that all of it was done."""
    complains(facestream("erase", "Ada", "--gallery", "gg.sqlite", "--output", result), 2, "there is no gallery gg.sqlite")
    assert b"Ada" in all_bytes(tmp_path)
    assert not list(tmp_path.glob("erasure-*"))
