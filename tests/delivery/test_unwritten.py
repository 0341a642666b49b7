"""A full disk under the output directory, and what goes on all the same."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest

from engine.archive import writer
from engine.archive.resume import reopen
from engine.config import OutputConfig
from engine.contracts.orders import Warned
from engine.delivery import unwritten
from engine.delivery.delivery import Delivery
from engine.delivery.record import Record
from engine.errors import OutputError
from engine.publish.numbering import Numbering
from engine.runtime.telemetry import Telemetry
from tests.publish.samples import face


class Heard:
    """In the place of the publisher: numbers what is sent, and remembers it."""

    def __init__(self):
        self.numbering, self.sent, self.counters = Numbering("run1"), [], {}

    def send(self, body, payloads, should_stop):
        self.sent.append(self.numbering.stamp(body))
        return self.sent[-1]


class Bench:
    """A delivery whose disk is full while ``is_full``."""

    def __init__(self, directory: Path, monkeypatch, *, survives: bool):
        self.is_full, self.told, self.heard, self.directory = False, [], Heard(), directory
        self.telemetry = Telemetry("publish")
        record = Record(OutputConfig(directory=str(directory)), {"run_id": "run1"}, survives=survives)
        self.delivery = Delivery(self.heard, self.telemetry, ["enhance-1"], lambda: False, self.told.append, record)
        self.delivery.open({})
        write = writer.write_new

        def write_or_not(path, content):
            if self.is_full:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            write(path, content)

        monkeypatch.setattr(writer, "write_new", write_or_not)

    def send(self, *indices: int) -> None:
        for index in indices:
            body, payloads = face(index=index)
            self.delivery.send(body, [np.frombuffer(payload, np.uint8) for payload in payloads])

    @property
    def said(self) -> list[str]:
        return [one.detail for one in self.told if isinstance(one, Warned)]

    @property
    def written(self) -> list[int]:
        return [json.loads(line)["seq"] for line in (self.directory / "faces.jsonl").read_text().splitlines()]


def test_subscribers_get_everything_while_the_disk_is_full_and_what_fits_again_is_written(tmp_path, monkeypatch):
    """The run ended, and with it the cameras and what was published."""
    bench = Bench(tmp_path / "out", monkeypatch, survives=True)
    bench.send(0, 1)
    bench.is_full = True
    bench.send(2, 3)
    bench.is_full = False
    bench.send(4)
    assert [message.seq for message in bench.heard.sent] == [0, 1, 2, 3, 4]
    assert bench.written == [0, 1, 4]
    assert [sentence.partition(": ")[0] for sentence in bench.said] == [
        f"cannot write to the output directory {tmp_path / 'out'}",
        f"the output directory {tmp_path / 'out'} can be written again; 2 messages missing",
    ]
    bench.delivery.end("completed", "")
    run = json.loads((tmp_path / "out/run.json").read_text())
    assert (run["outcome"], run["counters"]["unwritten"]) == ("failed", 2)
    assert bench.heard.sent[-1].outcome == "completed"  # for subscribers it is


def test_it_is_said_again_after_a_minute_and_not_for_each_message(tmp_path, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(unwritten.time, "monotonic", lambda: clock[0])
    bench = Bench(tmp_path / "out", monkeypatch, survives=True)
    bench.is_full = True
    for clock[0] in (0.0, 1.0, 59.0, 61.0, 62.0):
        bench.send(int(clock[0]))
    assert len(bench.said) == 2
    bench.delivery.sink.close("failed")


def test_an_end_that_cannot_be_written_is_no_end_of_what_is_sent(tmp_path, monkeypatch):
    bench = Bench(tmp_path / "out", monkeypatch, survives=True)
    monkeypatch.setattr(writer, "write_whole", lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, "No space left")))
    bench.delivery.end("completed", "")
    assert bench.heard.sent[-1].outcome == "completed"
    assert bench.telemetry.counters["unwritten"] == 1
    reopen(tmp_path / "out")  # its files are closed, and its lock is free


def test_where_nobody_else_gets_the_results_the_run_ends(tmp_path, monkeypatch):
    bench = Bench(tmp_path / "out", monkeypatch, survives=False)
    bench.is_full = True
    with pytest.raises(OutputError, match="No space left on device"):
        bench.send(0)
    bench.delivery.sink.close("failed")
