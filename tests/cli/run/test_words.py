"""The words for a run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.cli.run.words import drops_words, event_words, how_long, overload_words, printable, removed_words, state_words
from engine.contracts.counts import Counts
from engine.contracts.streams import StreamChanged
from engine.perception.overload import LEVELS
from engine.pipeline.stream_status import StreamStatus
from tests.cli.statuses import SECRET, fail, overload, status_of


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0s"), (59.9, "59s"), (60, "1m00s"), (3599, "59m59s"), (3600, "1h00m"), (86_399, "23h59m"), (90_000, "1d01h")],
)
def test_time_spans_are_short(seconds, words):
    assert how_long(seconds) == words
    assert how_long(-1) == "0s"


@given(st.floats(0, 86_400 * 99))
def test_time_spans_fit_their_column(seconds):
    assert len(how_long(seconds)) <= 6


def test_every_level_of_overload_has_words():
    assert overload_words(0) == ""
    assert overload_words(1) == "enhancing fewer faces"
    assert overload_words(len(LEVELS) - 1) == overload_words(99) == "enhancing fewer faces, detecting less often"
    assert all(overload_words(level) for level in range(1, len(LEVELS)))


def test_a_state_has_its_reason():
    stream = StreamStatus("cam", "stalled", "end_of_stream", "nothing came")
    assert state_words(stream) == "stalled end of stream"


def test_a_discontinuity_is_soon_forgotten(monkeypatch):
    stream = StreamStatus("cam")
    stream.enter(StreamChanged("cam", "discontinuity", "timestamp_jump"))
    stream.count("frames", 1)
    assert state_words(stream) == "live timestamp jump"
    stream.since -= 60
    assert state_words(stream) == "live"


def test_drops_are_told_by_cause():
    assert drops_words(Counts({"frames": 9})) == "0 drops"
    assert drops_words(Counts(drops={"no_slot": 1})) == "1 drop: 1 no slot"
    assert drops_words(Counts(drops={"no_slot": 3, "stale": 12, "late": 0})) == "15 drops: 12 stale, 3 no slot"


def test_events_are_sentences_without_secrets():
    status = status_of("door", "yard")
    fail(status, "yard")
    overload(status, 4)
    overload(status, 0)
    status.worker_restarted("perceive", "the worker perceive was killed by signal SIGKILL")
    status.worker_restarted("publish")
    overload(status, 0)
    status.events.take_text("decode-1", f"[rtsp] rtsp://admin:{SECRET}@192.0.2.1/x\t\x07is odd")
    words = [event_words(event) for event in status.events]
    assert words == [
        "door: live 640x480",
        "yard: live 640x480",
        "yard: failed (auth): rtsp://192.0.2.1/x refuses the password",
        "overload level 4: enhancing fewer faces, detecting less often",
        "overload is over",
        "the worker perceive was killed by signal SIGKILL; it is being restarted",
        "the worker publish died; it is being restarted",
        "the worker perceive is back after 1 restart",
        "decode-1: [rtsp] rtsp://192.0.2.1/x  is odd",
    ]
    assert SECRET not in "".join(words)


@given(st.text())
def test_nothing_from_a_camera_steers_the_terminal(text):
    assert printable(text).isprintable()


def test_what_retention_has_deleted_is_said():
    assert removed_words({"frames": 3}) == ""
    counters = {"removed.pictures": 2100, "removed.tracks": 1, "removed.bytes": 12_340_000}
    assert removed_words(counters) == "2,100 pictures of 1 track deleted (12.3 MB), as output.keep_* asks"
