"""A push socket that waits for its reader says so."""

from __future__ import annotations

from engine.config import PublishConfig
from engine.publish import patience, publisher
from engine.publish.opening import open_publisher
from engine.publish.patience import Patience
from tests.publish.samples import stream_event


def test_it_is_said_after_some_seconds_and_then_once_a_minute(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(patience.time, "monotonic", lambda: clock[0])
    said = []
    waiting = Patience(said.append)
    for clock[0] in (0.0, 4.9, 5.0, 5.1, 64.0, 65.0):
        waiting.waits("tcp://127.0.0.1:5556")
    assert [sentence[:72] for sentence in said] == [
        "no reader has taken a message from tcp://127.0.0.1:5556 for 5 s, so the ",
        "no reader has taken a message from tcp://127.0.0.1:5556 for 65 s, so the",
    ]
    waiting.is_over()
    clock[0] = 100.0
    waiting.waits("tcp://127.0.0.1:5556")
    assert len(said) == 2


def test_a_run_that_nobody_reads_says_why_it_stands_still(monkeypatch, tmp_path):
    monkeypatch.setattr(patience, "_FIRST_SECONDS", 0.0)
    monkeypatch.setattr(publisher, "_BLOCKED_POLL_MS", 1)
    said = []
    config = PublishConfig(endpoint=f"ipc://{tmp_path}/folder/faces", socket="push")
    with open_publisher(config, "run1", warn=said.append) as opened:
        opened.send(stream_event("cam1", "live"), [], lambda: bool(said))
        assert opened.counters["abandoned"] == 1
    (sentence,) = said
    assert "facestream watch ipc://" in sentence
    assert "--socket pull" in sentence
