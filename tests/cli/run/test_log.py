"""The log of a run, line by line."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from engine.cli.run.log import RunLog
from engine.contracts.counts import Counts
from engine.contracts.streams import StreamChanged
from engine.pipeline.run import RunResult
from engine.pipeline.status import RunStatus
from engine.pipeline.stream_status import StreamStatus
from engine.runtime.protocol import Beat
from tests.cli.statuses import SECRET, fail, overload, stall, status_of


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def result_of(status: RunStatus) -> RunResult:
    return RunResult("run-1", "drained", 12.5, status.counters, list(status.streams.values()), status, None)


def test_each_event_is_one_object_with_its_fields(capsys):
    status = status_of("door")
    with RunLog("json", quiet=False) as log:
        log.show(status)
        log.show(status)
        stall(status, "door")
        overload(status, 2)
        log.show(status)
    begun, live, stalled, overloaded = logged(capsys)
    assert (begun["event"], begun["streams"]) == ("run_started", ["door"])
    assert (live["stream"], live["state"], live["width_px"]) == ("door", "live", 640)
    assert (stalled["level"], stalled["event"], stalled["reason"]) == ("warning", "stream", "timeout")
    assert stalled["message"] == "door: stalled (timeout): rtsp://192.0.2.1/x has sent no picture for 2.3 s"
    assert (overloaded["event"], overloaded["overload_level"]) == ("overload", 2)
    assert datetime.fromisoformat(begun["ts"]).utcoffset() == timedelta(0)
    assert begun["ts"].endswith("Z")
    assert "run_id" not in begun


def test_that_there_is_no_stream_is_said_once(capsys, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr("engine.cli.run.log.time.monotonic", lambda: clock[0])
    empty, door = status_of("door"), status_of("door")
    empty.streams.clear()
    said = []
    with RunLog("json", quiet=False) as log:
        for status in (empty, empty, door, door, empty, empty):
            for _ in range(30):
                log.show(status)
                clock[0] += 1
            said.append(sum(line["event"] == "stats" for line in logged(capsys)))
    assert said == [1, 0, 1, 0, 1, 0]


def test_every_ten_seconds_the_run_as_a_whole(capsys, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr("engine.cli.run.log.time.monotonic", lambda: clock[0])
    status = status_of("door", "yard")
    status.run_id = "run-1"
    fail(status, "yard")
    with RunLog("json", quiet=False) as log:
        for _ in range(26):
            log.show(status)
            clock[0] += 1
    stats = [line for line in logged(capsys) if line["event"] == "stats"]
    assert len(stats) == 2
    assert (stats[0]["run_id"], stats[0]["faces"], stats[0]["drops"], stats[0]["overload_level"]) == (
        "run-1", 1234, {"no_slot": 6}, 0,
    )  # fmt: skip
    door, yard = stats[0]["streams"]["door"], stats[0]["streams"]["yard"]
    assert (door["state"], door["frames"], door["latency_p99_ms"]) == ("live", 250, 131.9)
    assert (yard["state"], yard["reason"], yard["latency_p99_ms"]) == ("failed", "auth", None)


def test_the_end_has_the_totals(capsys):
    status = status_of("door", "yard")
    fail(status, "yard")
    with RunLog("json", quiet=True) as log:
        log.end(result_of(status), 1)
    (end,) = logged(capsys)
    assert (end["event"], end["level"], end["run_id"], end["exit_code"]) == ("run_ended", "error", "run-1", 1)
    assert (end["outcome"], end["frames"], end["failed_streams"]) == ("drained", 500, ["yard"])


@pytest.mark.parametrize("form", ["text", "json"])
def test_nothing_holds_credentials(capsys, form):
    status = status_of("door")
    fail(status, "door")
    with RunLog(form, quiet=False) as log:
        log.show(status)
        log.fail(f"cannot read rtsp://admin:{SECRET}@192.0.2.1/x", 1)
    told = capsys.readouterr().err
    assert "rtsp://192.0.2.1/x refuses the password" in told
    assert SECRET not in told


def test_text_is_a_line_for_each_event(capsys):
    status = status_of("door")
    stall(status, "door")
    with RunLog("text", quiet=False) as log:
        log.show(status)
        log.end(result_of(status), 0)
    lines = capsys.readouterr().err.splitlines()
    assert [re.sub(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ", "", line) for line in lines] == [
        "info    all workers are ready, 1 stream",
        "info    door: live 640x480",
        "warning door: stalled (timeout): rtsp://192.0.2.1/x has sent no picture for 2.3 s",
        "info    drained after 12.5 s: 250 frames, 1,234 faces",
    ]


def test_quiet_leaves_warnings_and_errors(capsys):
    status = status_of("door")
    stall(status, "door")
    with RunLog("json", quiet=True) as log:
        log.show(status)
        log.end(result_of(status), 0)
    assert [line["level"] for line in logged(capsys)] == ["warning"]


def test_a_camera_that_stays_away_is_told_of_once_a_minute(capsys, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr("engine.cli.run.log.time.monotonic", lambda: clock[0])
    status = status_of("door")
    with RunLog("json", quiet=True) as log:
        for attempt in range(20):
            status.take_event(StreamChanged("door", "connecting", "network", f"attempt {attempt}"))
            log.show(status)
            clock[0] += 8
        status.take_event(StreamChanged("door", "connecting", "auth", "the password is wrong"))
        log.show(status)
    told = [(line["reason"], line["detail"]) for line in logged(capsys)]
    assert told == [
        ("network", "attempt 0"), ("network", "attempt 8"), ("network", "attempt 16"), ("auth", "the password is wrong"),
    ]  # fmt: skip


def test_a_run_that_goes_on_with_new_workers_is_told_of(capsys):
    with RunLog("json", quiet=False) as log:
        log.show(status_of("door"))
        log.show(replace(status_of("door"), run_id="its-second-attempt"))
    assert [line["event"] for line in logged(capsys)] == ["run_started", "stream", "run_resumed", "stream"]


def test_the_end_of_a_recording_is_said_once_where_the_run_goes_on_with_new_workers(capsys):
    """Each death of a worker told again of every recording that was over."""
    with RunLog("json", quiet=False) as log:
        for run_id in ("1", "2"):
            status = replace(RunStatus({"door": StreamStatus("door")}), run_id=run_id)
            status.take_event(StreamChanged("door", "ended", "end_of_file"))
            log.show(status)
    told = [line["state"] for line in logged(capsys) if line["event"] == "stream"]
    assert told.count("ended") == 1


def test_two_runs_in_one_process_do_not_log_twice(capsys):
    for _ in range(2):
        with RunLog("json", quiet=False) as log:
            log.fail("it broke", 1)
    assert len(logged(capsys)) == 2


def test_streams_that_are_gone_are_not_counted(capsys, monkeypatch):
    monkeypatch.setattr("engine.cli.run.log.STATS_SECONDS", 0.0)
    status = status_of("door", "yard", "gate")
    fail(status, "yard")
    status.gone = frozenset({"gate"})
    with RunLog("json", quiet=False) as log:
        log.show(status)
    begun, *_, stats = logged(capsys)
    assert begun["message"] == "all workers are ready, 2 streams"
    assert stats["message"].startswith("1 of 2 streams live")
    assert stats["streams"].keys() == {"door", "yard"}


def test_that_a_camera_gives_no_picture_is_said_again_with_its_name_and_for_how_long(capsys, monkeypatch):
    """It was said once; an hour later nothing in the log told of it, and "0 of 24 live" names none."""
    clock = [1000.0]
    monkeypatch.setattr("engine.cli.run.log.time.monotonic", lambda: clock[0])
    status = RunStatus({name: StreamStatus(name, dark_since=1000.0) for name in ("door", "yard")})
    status.take_event(StreamChanged("door", "connecting", "network", f"rtsp://admin:{SECRET}@192.0.2.1/x: no route"))
    status.take_event(StreamChanged("yard", "live", width_px=640, height_px=480))
    with RunLog("text", quiet=True) as log:
        for _ in range(150):
            log.show(status)
            clock[0] += 1
        said = capsys.readouterr().err.splitlines()
        assert [line[20:] for line in said[1:]] == [
            "warning door: no picture for 1m00s (network: rtsp://192.0.2.1/x: no route)",
            "warning door: no picture for 2m00s (network: rtsp://192.0.2.1/x: no route)",
        ]
        status.take_event(StreamChanged("yard", "stalled", "timeout"))
        clock[0] += 61
        log.show(status)
        status.take_event(StreamChanged("yard", "live"))
        status.take_event(StreamChanged("door", "ended", "drained"))
        clock[0] += 61
        log.show(status)
    assert sum("yard: no picture for 1m01s (timeout)" in line for line in capsys.readouterr().err.splitlines()) == 1


def test_recordings_tell_how_far_they_are(capsys, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr("engine.cli.run.log.time.monotonic", lambda: clock[0])
    status = status_of("clip")
    status.take_event(StreamChanged("clip", "live", width_px=640, height_px=480, frames_expected=345))
    with RunLog("text", quiet=False) as log:
        log.show(status)
        clock[0] += 11
        log.show(status)
    assert "1 of 1 stream live, 250 of 345 frames read" in capsys.readouterr().err


def test_short_recordings_one_after_another_have_a_rate_and_are_counted(capsys, monkeypatch):
    """Each was over before it had a rate of its own: the log said "0.0 frames/s" for a minute of a run that worked."""
    clock = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    names = [f"clip{number}" for number in range(6)]
    status = RunStatus({name: StreamStatus(name) for name in names}, started=clock[0])
    with RunLog("text", quiet=False) as log:
        log.show(status)
        for number, name in enumerate(names[:5], 1):
            status.take_event(StreamChanged(name, "live", width_px=640, height_px=480, frames_expected=100))
            status.take_beat(Beat("reader", {}, Counts({"frames": 100 * number}, {name: {"frames": 100}})))
            status.take_event(StreamChanged(name, "ended", "end_of_file"))
            clock[0] += 2.5
            log.show(status)
    lines = [line for line in capsys.readouterr().err.splitlines() if "frames/s" in line]
    assert len(lines) == 1
    assert "0 of 6 streams live, 4 ended, 400 of 400 frames read, 40.0 frames/s" in lines[0]


def test_the_run_as_a_whole_is_told_of_often_at_first_and_each_line_says_another_time(capsys, monkeypatch):
    """It said "up 1m" six times, and filled the log of a night with 8,640 lines a day."""
    clock = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    status = RunStatus({"door": StreamStatus("door")}, started=clock[0])
    status.take_event(StreamChanged("door", "live", width_px=640, height_px=480))
    with RunLog("text", quiet=False) as log:
        for _ in range(250):
            log.show(status)
            clock[0] += 1
    times = [line.rpartition("up ")[2] for line in capsys.readouterr().err.splitlines() if "frames/s" in line]
    assert times == ["10s", "20s", "30s", "40s", "50s", "1m00s", "2m00s", "3m00s", "4m00s"]
