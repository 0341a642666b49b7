"""A recording is known again by its size and time, else by its SHA-256."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.contracts.recording import Recording
from engine.errors import SourceError
from engine.footage.sameness import check_same, sameness

BYTES = 4096


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    (tmp_path / "a.mp4").write_bytes(bytes(BYTES))
    return Recording("a", tmp_path / "a.mp4")


def test_the_same_time_needs_no_reading_unless_it_is_asked_for(recording: Recording) -> None:
    facts = recording.facts() | {"sha256": recording.sha256()}
    assert sameness(recording, facts, BYTES) == "unchanged"
    assert sameness(recording, facts, None) == "same"
    assert sameness(recording, facts | {"sha256": "0" * 64}, BYTES) == "unchanged"
    assert sameness(recording, facts | {"sha256": "0" * 64}, None) == "other"


def test_of_another_time_the_content_is_compared_where_that_costs_little(recording: Recording) -> None:
    facts = recording.facts() | {"sha256": recording.sha256()}
    os.utime(recording.path, (1, 1))
    assert sameness(recording, facts, BYTES) == "same"
    assert sameness(recording, facts, BYTES - 1) == "uncompared"
    recording.path.write_bytes(b"x" * BYTES)
    assert sameness(recording, facts, BYTES) == "other"
    assert sameness(recording, facts, BYTES - 1) == "uncompared"


def test_another_size_is_another_recording_and_none_is_none(recording: Recording) -> None:
    facts = recording.facts()
    with recording.path.open("ab") as file:
        file.write(b"more")
    assert sameness(recording, facts, 0) == "other"
    recording.path.unlink()
    assert sameness(recording, facts, None) == "other"
    with pytest.raises(SourceError, match="say where that is now with --recording"):
        check_same(recording, facts, None)


def test_without_anything_that_was_kept_nothing_is_said(recording: Recording) -> None:
    assert sameness(recording, {"path": str(recording.path)}, None) == "uncompared"
    facts = recording.facts()
    assert sameness(recording, facts, None) == "unchanged"
