"""A recording is known again by its size and time, else by its SHA-256."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.contracts.recording import Recording
from engine.errors import SourceError
from engine.footage.sameness import Compared, check_same, compared

BYTES = 4096


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    (tmp_path / "a.mp4").write_bytes(bytes(BYTES))
    return Recording("a", tmp_path / "a.mp4")


def test_the_same_time_needs_no_reading_unless_it_is_asked_for(recording: Recording) -> None:
    facts = recording.facts() | {"sha256": recording.sha256()}
    assert compared(recording, facts, BYTES).state == "unchanged"
    assert compared(recording, facts, None).state == "same"
    assert compared(recording, facts | {"sha256": "0" * 64}, BYTES).state == "unchanged"
    assert compared(recording, facts | {"sha256": "0" * 64}, None).state == "other"


def test_of_another_time_the_content_is_compared_where_that_costs_little(recording: Recording) -> None:
    facts = recording.facts() | {"sha256": recording.sha256()}
    os.utime(recording.path, (1, 1))
    assert compared(recording, facts, BYTES).state == "same"
    assert compared(recording, facts, BYTES - 1).state == "uncompared"
    recording.path.write_bytes(b"x" * BYTES)
    assert compared(recording, facts, BYTES).state == "other"
    assert compared(recording, facts, BYTES - 1).state == "uncompared"


@pytest.mark.parametrize("most_bytes", [0, None])
@pytest.mark.parametrize("hashed", [True, False])
def test_each_way_to_be_another_or_none_is_told(
    recording: Recording, monkeypatch: pytest.MonkeyPatch, most_bytes: int | None, *, hashed: bool
) -> None:
    facts = recording.facts() | ({"sha256": recording.sha256()} if hashed else {})

    def why() -> str:
        state, words = compared(recording, facts, most_bytes)
        with pytest.raises(SourceError) as raised:
            check_same(recording, facts, most_bytes)
        assert str(raised.value) == f"the recording of a, {recording.path}, {words}: say where it is now with --recording"
        assert state == ("other" if "had" in words else "gone")
        return words

    with recording.path.open("ab") as file:
        file.write(b"more")
    assert why() == "has 4,100 bytes, and had 4,096 when it was read"
    recording.path.write_bytes(b"")
    assert why() == "has 0 bytes, and had 4,096 when it was read"
    recording.path.unlink()
    assert why() == "is not there"
    recording.path.mkdir()
    assert why() == "is a folder, and was a file"
    recording.path.rmdir()
    os.mkfifo(recording.path)
    assert why() == "is not a file"
    recording.path.unlink()
    recording.path.symlink_to(recording.path)
    assert why() == "cannot be read: Too many levels of symbolic links"
    recording.path.unlink()
    recording.path.write_bytes(bytes(BYTES))
    monkeypatch.setattr(Path, "open", refused)
    assert why() == "cannot be read: Permission denied"


def refused(path: Path, mode: str = "r") -> None:
    raise PermissionError(13, "Permission denied", str(path))


def test_one_of_the_same_size_says_that_its_content_differs(recording: Recording) -> None:
    facts = recording.facts() | {"sha256": "0" * 64}
    assert compared(recording, facts, None) == Compared(
        "other", "is not the one that was read: its size is the same, its SHA-256 another one"
    )


def test_without_anything_that_was_kept_nothing_is_said(recording: Recording) -> None:
    assert compared(recording, {"path": str(recording.path)}, None).state == "uncompared"
    facts = recording.facts()
    assert compared(recording, facts, None).state == "unchanged"
