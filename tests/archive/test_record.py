"""``run.json`` that somebody has changed is read as far as it is one."""

import json

import pytest

from engine.archive.reader import as_written, read_run
from engine.archive.record import attempts, settings, shaped
from engine.client.results import load_run
from engine.errors import SourceError
from engine.results.tracks_of import recording_in
from tests.cli.command import here
from tests.results.runs import make_run

WHOLE = {
    "run_id": "run1",
    "started_ns": 5,
    "ended_ns": 6,
    "outcome": "completed",
    "inputs": {"door": {"path": "/a.mp4", "size_bytes": 1, "mtime_ns": 2, "sha256": "ab", "reading": {"video_stream": 1}}},
    "config": {"profile": "balanced", "publish": {"redact": "blur", "parts": ["original"]}, "verify": {"gallery": ""}},
    "workers": {"enhance-1": {"embedder": "dlib"}},
    "counters": {"faces": 5},
    "versions": {"facestream": "0.1.0"},
    "attempts": [{"run_id": "run0", "started_ns": 4}],
    "received_from": "tcp://127.0.0.1:5556",
}


def test_what_a_run_writes_stays_as_it_is():
    assert shaped(WHOLE) == WHOLE
    assert settings(WHOLE, "publish")["redact"] == "blur"
    assert settings({}, "publish") == {}
    assert [one["run_id"] for one in attempts(WHOLE)] == ["run0"]
    assert attempts({"run_id": "run1"}) == [{"run_id": "run1"}]


@pytest.mark.parametrize("wrong", [[1], "x", 7, None, {"door": "x"}, {"door": [1]}])
def test_parts_of_another_shape_are_left_out(wrong):
    found = shaped({**WHOLE, **dict.fromkeys(["inputs", "workers", "streams", "counters", "versions", "attempts"], wrong)})
    empty = {"door": {}} if isinstance(wrong, dict) else {}
    assert all(found[name] == empty for name in ("inputs", "workers", "streams"))
    assert found["counters"] == {}
    assert found["attempts"] == []
    for name in ("publish", "output", "verify"):
        assert settings(shaped({"config": wrong}), name) == {}
        assert settings(shaped({"config": {name: wrong}}), name) == (wrong if isinstance(wrong, dict) else {})
    assert settings(shaped({"config": {"publish": {"redact": [1], "parts": 1, "mark": True}}}), "publish") == {"mark": True}


@pytest.mark.parametrize(
    "facts",
    [
        {"reading": {"video_stream": "x"}}, {"reading": {"video_stream": -1}}, {"reading": [1]}, {"pictures": 0}, {"fps": "x"},
        {"reading": {"appearance": {"aspect": "1:0"}}}, {"path": 5}, {"size_bytes": "x"}, {"sha256": 5},
    ],
)  # fmt: skip
def test_facts_of_a_recording_of_another_shape_are_left_out(facts):
    assert shaped({"inputs": {"door": {"mtime_ns": 1} | facts}})["inputs"] == {"door": {"mtime_ns": 1}}


@pytest.mark.parametrize("number", [10**21, -(10**21), 1.5, "x"])
def test_times_that_no_clock_shows_are_left_out(number):
    found = shaped({"started_ns": number, "ended_ns": 5, "attempts": [{"started_ns": number}]})
    assert found == {"ended_ns": 5, "attempts": [{}]}


def test_counts_that_no_message_carries_are_left_out():
    assert shaped({"counters": {"faces": 5, "frames": 10**30, "drops": -(10**30)}}) == {"counters": {"faces": 5}}


def test_commands_go_on_without_what_cannot_be_read(tmp_path, capsys):
    made = make_run(tmp_path)
    path = made.run.directory / "run.json"
    whole = json.loads(path.read_text())
    for wrong in ({"config": [1]}, {"workers": [1]}, {"attempts": [1], "counters": 5, "versions": [1]}, {"inputs": [1]}):
        path.write_text(json.dumps(whole | wrong))
        assert as_written(made.run.directory) == whole | wrong
        assert read_run(made.run.directory)["run_id"] == "run1"
        report, audit = here(capsys, "report", made.run.directory), here(capsys, "audit", made.run.directory)
        assert (report.code, audit.code) == (0, 1)
        assert "run.json: it was changed" in audit.err + audit.out
    path.write_text(json.dumps(whole | {"inputs": {"door": "x"}}))
    with pytest.raises(SourceError, match="does not say where the recording of door is: say it with --recording"):
        recording_in(load_run(made.run.directory), "door")
    path.write_text(json.dumps(whole | {"config": [1]}))
    out = tmp_path / "a.mp4"
    assert here(capsys, "clip", made.run.directory, "--track", 1, "--out", out).code == 0
    assert recording_in(made.run, "door").path == made.recording
