"""What was committed is there, whatever ends the process; what has no room is told, and nothing else goes."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from engine.bridge.buffer import Buffer
from engine.bridge.buffer_file import NAME
from engine.bridge.entries import Entry, Mark, joined
from engine.bridge.names import Key
from engine.errors import OutputError, PublishError
from tests.publish.samples import environment

MB = 1_000_000


def key(seq: int, stream: str = "door", run: str = "run1") -> Key:
    return Key(run, stream, "face", seq, seq)


def opened(folder: Path, limit: int = 100 * MB, **options: bool) -> Buffer:
    return Buffer(folder, limit, "site", warn=lambda _: None, **options)


def filled(folder: Path, numbers: range, size: int = 1000, **options: int) -> Buffer:
    buffer = opened(folder, **options)
    for seq in numbers:
        buffer.put(key(seq), bytes([seq % 256]) * size)
        if seq % 3 == 2 or seq == numbers[-1]:
            buffer.commit()
    return buffer


def everything(buffer: Buffer) -> list[Entry]:
    found: list[Entry] = []
    while more := buffer.after(found[-1].number if found else None, 7, 10**6):
        found += more
    return found


class AsAList(RuleBasedStateMachine):
    """A buffer is a list of which what is acknowledged goes; opened again, it is as of the last commit."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.buffer = opened(Path(self.folder.name))
        self.waits: list[tuple[Key, bytes]] = []
        self.put: list[tuple[Key, bytes]] = []
        self.gone: list[Key] = []
        self.next: dict[str, int] = {}
        self.known: dict[str, int] = {}

    @rule(stream=st.sampled_from(["door", "yard"]), body=st.binary(max_size=40))
    def puts(self, stream: str, body: bytes) -> None:
        seq = self.next.get(stream, 0)
        self.next[stream] = seq + 1
        self.buffer.put(key(seq, stream), body)
        self.put.append((key(seq, stream), body))

    @rule(index=st.integers(0, 5))
    def acknowledges(self, index: int) -> None:
        found = everything(self.buffer)
        if index < len(found):
            self.buffer.acknowledge(found[index])
            self.gone.append(found[index].key)

    @rule()
    def commits(self) -> None:
        assert self.buffer.commit()
        self.waits = [one for one in [*self.waits, *self.put] if one[0] not in self.gone]
        self.put, self.gone, self.known = [], [], dict(self.next)

    @rule()
    def begins_again(self) -> None:
        self.buffer.close()
        self.buffer = opened(Path(self.folder.name))
        self.put, self.gone, self.next = [], [], dict(self.known)
        position = self.buffer.position()
        assert {stream: n for (stream, _), n in (position.next_seq if position else {}).items()} == self.known

    @invariant()
    def holds_what_was_committed(self) -> None:
        left = [one for one in self.waits if one[0] not in self.gone]
        assert [(entry.key, entry.body) for entry in everything(self.buffer)] == left
        assert self.buffer.waiting == len(self.waits)
        assert self.buffer.waiting_bytes == sum(256 + len(body) for _, body in self.waits)

    def teardown(self) -> None:
        self.buffer.close()
        self.folder.cleanup()


AsAList.TestCase.settings = settings(max_examples=8, stateful_step_count=20, deadline=None)
test_a_buffer_is_a_list = AsAList.TestCase


@pytest.fixture(scope="module")
def torn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A buffer whose process was killed: nothing was written back from the log."""
    folder = tmp_path_factory.mktemp("torn")
    code = (
        "import os; from pathlib import Path; from engine.bridge import buffer_file\n"
        "from tests.bridge.test_buffer import filled; buffer_file.RESERVE_BYTES = 1 << 16\n"
        f"filled(Path({str(folder)!r}), range(40), 3000); os.kill(os.getpid(), {int(signal.SIGKILL)})"
    )
    assert subprocess.run([sys.executable, "-c", code], env=environment()).returncode == -signal.SIGKILL
    assert (folder / f"{NAME}-wal").stat().st_size > 40 * 3000
    return folder


@settings(max_examples=15, deadline=None)
@given(share=st.floats(0, 1), garbled=st.booleans())
def test_a_torn_end_costs_what_was_torn_and_nothing_before(torn: Path, share: float, garbled: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copytree(torn, Path(folder) / "copy"))
        log = copy / f"{NAME}-wal"
        cut = int(share * log.stat().st_size)
        with log.open("r+b") as file:
            if garbled:
                file.seek(cut)
                file.write(os.urandom(64))
            else:
                file.truncate(cut)
        with closing(opened(copy)) as buffer:
            found = everything(buffer)
            assert [entry.key.first_seq for entry in found] == list(range(len(found)))
            assert all(entry.body == bytes([entry.key.first_seq]) * 3000 for entry in found)
            position = buffer.position()
            assert (position.next_seq[("door", "face")] if position else 0) == len(found)


def test_when_it_is_full_the_oldest_give_way_and_gaps_say_so(tmp_path):
    with closing(filled(tmp_path, range(300), 1000, limit=100_000)) as buffer:
        found = everything(buffer)
        assert buffer.waiting_bytes <= 100_000
        assert [entry.missing for entry in found] == ["buffer_full"] + [""] * (len(found) - 1)
        gap, *messages = found
        assert gap.key == Key("run1", "door", "face", 0, messages[0].key.first_seq - 1)
        assert [entry.key.first_seq for entry in messages] == list(range(messages[0].key.first_seq, 300))
        assert buffer.gave_way == len(range(gap.key.first_seq, gap.key.last_seq + 1))
        assert buffer.waiting == len(found)
    with closing(opened(tmp_path)) as again:
        assert everything(again) == found


def test_one_that_does_not_give_way_says_that_it_is_full_and_keeps_all(tmp_path):
    with closing(opened(tmp_path, 10_000, gives_way=False)) as buffer:
        for seq in range(20):
            buffer.put(key(seq), bytes(1000))
        assert buffer.commit()
        assert buffer.is_full
        assert len(everything(buffer)) == 20
        for entry in everything(buffer)[:15]:
            buffer.acknowledge(entry)
        assert buffer.commit()
        assert not buffer.is_full


@st.composite
def going(draw: st.DrawFn) -> list[tuple[Key, str]]:
    """Numbers of two series that follow each other, in any order of the series, partly gaps already."""
    next_seq = {"door": 0, "yard": 0}
    found = []
    for stream, length in draw(st.lists(st.tuples(st.sampled_from(["door", "yard"]), st.integers(1, 3)), max_size=12)):
        first = next_seq[stream]
        next_seq[stream] = first + length
        found.append((Key("run1", stream, "face", first, first + length - 1), draw(st.sampled_from(["missed", "buffer_full"]))))
    return found


@given(going())
def test_what_gives_way_of_a_series_is_one_gap(ranges):
    found = joined(ranges)
    assert len(found) == len({one.stream for one, _ in ranges})
    for one, reason in found:
        of_it = [(other, why) for other, why in ranges if other.stream == one.stream]
        assert (one.first_seq, one.last_seq) == (of_it[0][0].first_seq, of_it[-1][0].last_seq)
        assert reason == ("missed" if {why for _, why in of_it} == {"missed"} else "buffer_full")


def test_one_bridge_for_one_buffer(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.lock.WAIT_SECONDS", 0.1)
    with closing(opened(tmp_path)), pytest.raises(PublishError, match="another bridge uses the buffer"):
        opened(tmp_path)


def test_its_files_are_its_owners_alone(tmp_path):
    with closing(filled(tmp_path / "new", range(3))):
        assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in (tmp_path / "new").iterdir()} == {0o600}


def test_a_file_that_is_none_is_set_aside_and_said(tmp_path):
    (tmp_path / NAME).write_bytes(b"not a database, " * 1000)
    said = []
    with closing(Buffer(tmp_path, MB, "site", warn=said.append)) as buffer:
        assert everything(buffer) == []
    assert "set aside as damaged-" in said[0]
    assert (next(tmp_path.glob("damaged-*"))).read_bytes().startswith(b"not a database")


def test_a_kill_while_the_reserve_was_taken_does_no_harm(tmp_path):
    filled(tmp_path, range(3)).close()
    with closing(sqlite3.connect(tmp_path / NAME, isolation_level=None)) as connection:
        connection.execute("INSERT INTO reserve VALUES (zeroblob(100000))")
    for _ in range(2):
        with closing(opened(tmp_path)) as buffer:
            assert [entry.key.first_seq for entry in everything(buffer)] == [0, 1, 2]
            assert buffer._writer.execute("SELECT count(*) FROM reserve").fetchone() == (0,)


def test_a_file_of_another_version_is_left_alone(tmp_path):
    filled(tmp_path, range(1)).close()
    with closing(sqlite3.connect(tmp_path / NAME)) as connection:
        connection.execute("PRAGMA user_version=9")
    with pytest.raises(OutputError, match="another version"):
        opened(tmp_path)


def test_a_message_that_rots_on_the_disk_is_a_gap_and_the_others_are_whole(tmp_path):
    filled(tmp_path, range(5), 3000).close()
    content = (tmp_path / NAME).read_bytes()
    at = content.index(bytes([2]) * 2000)
    (tmp_path / NAME).write_bytes(content[:at] + b"\xff" + content[at + 1 :])
    with closing(opened(tmp_path)) as buffer:
        found = everything(buffer)
        assert [(entry.missing, len(entry.body)) for entry in found] == [
            ("damaged", 0) if seq == 2 else ("", 3000) for seq in range(5)
        ]
        for entry in found:
            buffer.acknowledge(entry)
        buffer.commit()
        assert (buffer.waiting, buffer.waiting_bytes) == (0, 0)


def test_a_place_that_cannot_be_one_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"the buffer .*file.* cannot be used"):
        opened(tmp_path / "file")


def test_room_that_an_outage_took_is_given_back(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.bridge.buffer.RESERVE_BYTES", MB)
    with closing(filled(tmp_path, range(6), 5 * MB, limit=10**9)) as buffer:
        for entry in everything(buffer):
            buffer.acknowledge(entry)
        buffer.commit()
        before = (tmp_path / NAME).stat().st_size
        for _ in range(10):
            buffer.tend()
        with closing(sqlite3.connect(tmp_path / NAME)) as other:
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        assert before > 30 * MB
        assert (tmp_path / NAME).stat().st_size < 5 * MB


def test_a_mark_is_there_when_what_it_stands_behind_is_gone_and_not_before(tmp_path):
    buffer = filled(tmp_path, range(3))
    buffer.set_marks({"topic/0": 5, "topic/1": 7})
    first, second, _ = everything(buffer)
    buffer.acknowledge(first, Mark("topic/0", 6))
    buffer.acknowledge(second, Mark("topic/0", 9))
    buffer.close()  # as a kill: neither is on the disk
    with closing(opened(tmp_path)) as again:
        assert (again.waiting, again.marks()) == (3, {"topic/0": 5, "topic/1": 7})
        for entry, mark in zip(everything(again), (Mark("topic/0", 6), Mark("topic/0", 9), None), strict=True):
            again.acknowledge(entry, mark)
        again.commit()
    with closing(opened(tmp_path)) as again:
        assert (again.waiting, again.marks()) == (0, {"topic/0": 9, "topic/1": 7})


def test_a_file_of_before_there_were_marks_has_none_yet(tmp_path):
    filled(tmp_path, range(2)).close()
    with closing(sqlite3.connect(tmp_path / NAME, isolation_level=None)) as file:
        file.execute("DROP TABLE mark")
    with closing(opened(tmp_path)) as buffer:
        assert (buffer.waiting, buffer.marks()) == (2, {})
