from __future__ import annotations

import pytest

from engine.contracts.streams import StreamChanged
from engine.pipeline.stream_status import StreamStatus


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr("engine.pipeline.stream_status.time.monotonic", lambda: now[0])
    return now


def run(stream: StreamStatus, clock: list[float], seconds: float, fps: float) -> None:
    """Beats twice a second."""
    for _ in range(int(seconds * 2)):
        clock[0] += 0.5
        stream.count("frames", stream.frames + int(fps / 2))


def test_frames_per_second_are_those_of_the_last_seconds(clock: list[float]):
    stream = StreamStatus("cam")
    assert stream.fps == 0
    run(stream, clock, 20, 24)
    assert stream.fps == pytest.approx(24)
    clock[0] += 0.4  # between two beats
    assert stream.fps == pytest.approx(24)
    run(stream, clock, 6, 10)
    assert stream.fps == pytest.approx(10)
    run(stream, clock, 6, 0)
    assert stream.fps == 0


def test_a_worker_that_beats_no_more_gives_no_frames(clock: list[float]):
    stream = StreamStatus("cam")
    run(stream, clock, 10, 20)
    clock[0] += 3
    assert 0 < stream.fps < 15
    clock[0] += 3
    assert stream.fps == 0


def test_a_stream_that_is_over_gives_no_frames(clock: list[float]):
    stream = StreamStatus("cam")
    run(stream, clock, 5, 20)
    stream.enter(StreamChanged("cam", "ended", "drained"))
    assert (stream.fps, stream.is_over) == (0, True)


def test_how_long_it_is_in_a_state(clock: list[float]):
    stream = StreamStatus("cam", since=100.0)
    clock[0] += 5
    assert stream.enter(StreamChanged("cam", "connecting", "network", "attempt 2"))
    assert stream.seconds_in_state == 5  # one more attempt is the same state
    assert stream.enter(StreamChanged("cam", "live"))
    clock[0] += 2
    assert stream.seconds_in_state == 2
    assert not stream.enter(StreamChanged("cam", "live"))


def test_a_discontinuity_is_over_with_the_next_frames(clock: list[float]):
    stream = StreamStatus("cam", frames=10)
    stream.enter(StreamChanged("cam", "discontinuity", "timestamp_jump"))
    assert stream.standing == "discontinuity"
    stream.count("frames", 11)
    assert (stream.standing, stream.state) == ("live", "discontinuity")


def test_detections_are_counted_where_somebody_tells_them(clock: list[float]):
    stream = StreamStatus("cam")
    assert stream.detections_per_second == 0
    for number in range(11):
        stream.count("detections", number * 4)
        clock[0] += 0.5
    assert stream.detections_per_second == pytest.approx(8)


def test_reconnects_are_counted_by_the_reason_of_the_loss():
    stream = StreamStatus("cam")
    told = [
        ("connecting", ""), ("connecting", "network"), ("live", ""),  # never live before: no reconnect
        ("stalled", "timeout"), ("live", ""), ("discontinuity", "resolution_change"), ("live", ""),  # nor lost
        ("discontinuity", "timeout"), ("connecting", "timeout"), ("connecting", "network"), ("connecting", "auth"),
        ("live", ""),
        ("connecting", "end_of_stream"), ("live", ""), ("connecting", "timeout"), ("live", ""), ("connecting", "busy"),
    ]  # fmt: skip
    for state, reason in told:
        stream.enter(StreamChanged("cam", state, reason))
    assert stream.copy().reconnects_by == {"timeout": 2, "end_of_stream": 1}


def test_a_recording_that_waits_its_turn_is_not_without_a_picture(clock: list[float]):
    """Each of a folder's files was warned of every minute until it was opened."""
    stream = StreamStatus("clip")
    clock[0] += 300
    assert stream.seconds_dark == 0
    stream.enter(StreamChanged("clip", "connecting"))
    clock[0] += 70
    assert stream.seconds_dark == pytest.approx(70)
    stream.enter(StreamChanged("clip", "live"))
    clock[0] += 70
    assert stream.seconds_dark == 0
    stream.enter(StreamChanged("clip", "stalled"))
    clock[0] += 5
    assert stream.seconds_dark == pytest.approx(5)
