import os
import time

import msgspec
import pytest

from engine.archive.reader import FaceLine, TrackRecord
from engine.report.pdf.facts import models, source_name, times
from tests.publish.samples import as_sent, face, stream_event, track

NOON_NS = 1_795_953_600 * 10**9
"""2026-11-29 12:00:00 UTC."""


@pytest.fixture(autouse=True)
def _utc(monkeypatch):
    monkeypatch.setitem(os.environ, "TZ", "UTC")
    time.tzset()


def a_record(recorded=False, **of_face):
    said = as_sent(track(track_id=1, first=60.0, last=62.0)[0])
    if recorded:
        said = msgspec.structs.replace(said, first_recorded_ns=NOON_NS, last_recorded_ns=NOON_NS + 2 * 10**9)
    return TrackRecord("cam1", 1, said, [FaceLine(as_sent(face(track_id=1)[0], **of_face), {})])


def told(record, clock=""):
    events = [msgspec.structs.replace(as_sent(stream_event()), clock=clock)]
    return dict(times(record, events))


def test_the_clock_of_a_recording_is_told_with_how_it_is_known():
    clock = told(a_record(recorded=True), "file_name")["clock time"]
    assert clock == "2026-11-29 12:00:00 +0000 to 2026-11-29 12:00:02 +0000, by the name of the recording's file"
    assert told(a_record(recorded=True), "creation_time")["clock time"].endswith("which may be when it was written")


def test_a_recording_without_a_clock_says_so():
    assert told(a_record()) == {
        "first, last seen": "00:01:00.0 to 00:01:02.0 after the beginning",
        "clock time": "not known: nothing says when this recording begins",
    }


def test_a_camera_has_its_own_clock_or_that_of_the_computer():
    own = told(a_record(live=True, ntp_ns=NOON_NS))["clock time"]
    assert own == "2026-11-29 12:00:00 +0000 (best face), by the camera's own clock"
    other = told(a_record(live=True, captured_ns=NOON_NS))["clock time"]
    assert other == "2026-11-29 12:00:00 +0000 (best face), by the clock of the computer that received it"


def test_a_source_is_named_without_its_folder():
    run = {"inputs": {"a": {"path": "/secret/folder/gate.mp4"}}}
    assert source_name(run, "a") == "gate.mp4"
    assert source_name(run, "b") == source_name({}, "a") == ""


def test_each_model_is_told_once_in_the_order_of_its_work():
    facts = {"generator": "fine", "generator_sha256": "cd", "embedder": "dlib", "embedder_sha256": "ef"}
    run = {"workers": {"enhance-1": facts, "enhance-2": facts, "perceive": {"detector": "grey", "detector_sha256": "ab"}}}
    assert [name for _, name, _ in models(run, "average of fine")] == ["grey", "dlib", "fine"]
    assert [name for _, name, _ in models(run, "bicubic")] == ["grey", "dlib"]
