"""A track that was not believed is written, and sent to nobody."""

from __future__ import annotations

import errno

import numpy as np
import pytest

from engine.archive import rejected as archived
from engine.archive.rejected import rejected_lines
from engine.config import OutputConfig
from engine.delivery.delivery import Delivery
from engine.delivery.record import Record
from engine.errors import OutputError
from engine.runtime.telemetry import Telemetry
from tests.delivery.test_unwritten import Bench, Heard
from tests.publish.samples import rejected


def give(delivery: Delivery, track_id: int) -> None:
    body, payloads = rejected(track_id=track_id)
    delivery.take(body, [np.frombuffer(payload, np.uint8) for payload in payloads])


def test_it_is_written_and_no_message(tmp_path, monkeypatch):
    bench = Bench(tmp_path / "out", monkeypatch, survives=True)
    give(bench.delivery, 7)
    bench.send(0)
    bench.delivery.sink.close("completed")
    assert [message.seq for message in bench.heard.sent] == [0], "nor has it a number"
    assert [line.track_id for line in rejected_lines(tmp_path / "out")] == [7]


def test_without_a_directory_it_goes_nowhere():
    delivery = Delivery(heard := Heard(), Telemetry("publish"), [], lambda: False, print, Record(OutputConfig(), {}))
    delivery.open({})
    give(delivery, 7)
    assert heard.sent == []


@pytest.mark.parametrize("survives", [True, False])
def test_a_full_disk_ends_what_any_message_would(tmp_path, monkeypatch, survives):
    bench = Bench(tmp_path / "out", monkeypatch, survives=survives)

    def full(path, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(archived, "write_new", full)
        if survives:
            give(bench.delivery, 7)
        else:
            with pytest.raises(OutputError, match="No space left on device"):
                give(bench.delivery, 7)
    if survives:
        give(bench.delivery, 8)
        assert bench.telemetry.counters["unwritten"] == 1
        assert "No space left on device" in bench.said[0]
        assert [line.track_id for line in rejected_lines(tmp_path / "out")] == [8]
    bench.delivery.sink.close("failed")
