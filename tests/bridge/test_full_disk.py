"""Where something else fills the disk, the oldest give way or the publisher is held back, and messages still pass."""

from __future__ import annotations

import os
import subprocess
from contextlib import closing

import pytest

from tests.bridge.test_buffer import everything, filled, key, opened
from tests.patience import until


@pytest.fixture
def full_disk(tmp_path):
    """A buffer that cannot grow any more, with 40 messages of 100 kB."""
    with closing(filled(tmp_path, range(40), 100_000)) as buffer:
        pages = buffer._writer.execute("PRAGMA page_count").fetchone()[0]
        buffer._writer.execute(f"PRAGMA max_page_count={pages}")
        yield buffer


def test_on_a_full_disk_the_oldest_give_way_and_what_comes_is_kept(full_disk):
    for seq in range(40, 300):
        full_disk.put(key(seq), bytes([seq % 256]) * 100_000)
        assert full_disk.commit()
    gap, *messages = everything(full_disk)
    assert gap.missing == "buffer_full"
    assert gap.key.last_seq + 1 == messages[0].key.first_seq
    assert messages[-1].key.first_seq == 299
    assert all(entry.body == bytes([entry.key.first_seq % 256]) * 100_000 for entry in messages)


def test_on_a_full_disk_one_that_does_not_give_way_holds_what_came(full_disk):
    full_disk._gives_way = False
    seq = 40
    while full_disk.commit():
        full_disk.put(key(seq), bytes(100_000))
        seq += 1
    assert len(everything(full_disk)) == seq - 1
    for entry in everything(full_disk)[:10]:
        full_disk.acknowledge(entry)
    until(full_disk.commit, "what was held")
    assert [entry.key.first_seq for entry in everything(full_disk)] == list(range(10, seq))


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 100 MB."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=100m", "tmpfs", str(place)]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs a file system that can be mounted")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.mark.parametrize("gives_way", [True, False])
def test_a_disk_that_is_really_full_costs_the_oldest_or_holds_back_and_nothing_else(small_disk, gives_way):
    """SQLite's log cannot be written back there, and what is to let go of something needs room itself."""
    with closing(opened(small_disk / "waits", 10**10, gives_way=gives_way)) as buffer:
        seq = 0
        while buffer.commit() and not buffer.gave_way:
            for _ in range(20):
                buffer.put(key(seq), bytes([seq % 256]) * 50_000)
                seq += 1
        if not gives_way:
            assert [entry.key.first_seq for entry in everything(buffer)] == list(range(seq - 20))
            for entry in everything(buffer)[:200]:
                buffer.acknowledge(entry)
            until(buffer.commit, "what was held")
        found = [entry for entry in everything(buffer) if not entry.missing]
        assert [entry.key.first_seq for entry in found] == list(range(found[0].key.first_seq, seq))
        assert found[0].key.first_seq == (buffer.gave_way if gives_way else 200)
        assert all(entry.body == bytes([entry.key.first_seq % 256]) * 50_000 for entry in found)
