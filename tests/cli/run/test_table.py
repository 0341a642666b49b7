"""The live table, as it is drawn."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from engine.cli.run.table import LiveTable, end_table, live_table
from engine.contracts.counts import Counts
from engine.pipeline.status import RunStatus
from engine.runtime.protocol import Beat
from tests.cli.statuses import SECRET, fail, overload, stall, status_of


def drawn(status: RunStatus, width: int = 80, height: int = 24) -> list[str]:
    console = Console(file=io.StringIO(), width=width, height=height, color_system=None)
    console.print(live_table(status, width, height))
    return [line.rstrip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]


def test_a_row_for_each_stream_and_a_line_for_the_run():
    status = status_of("door", "yard")
    stall(status, "yard")
    overload(status, 5)
    heading, door, yard, detail, overloaded, whole = drawn(status)
    assert heading.split() == ["stream", "state", "fps", "faces", "drops", "p50/99", "ms", "reconn.", "for"]
    assert door.split() == ["door", "live", "0.0", "1234", "3", "48/132", "0", "0s"]
    assert yard.split() == ["yard", "stalled", "timeout", "0.0", "0", "3", "-", "0", "0s"]
    assert detail == "yard: rtsp://192.0.2.1/x has sent no picture for 2.3 s"
    assert overloaded == "overload: enhancing fewer faces, detecting less often"
    assert whole == "0.0 frames/s  1,234 faces  6 drops  up 1h02m"


def test_restarts_are_told_and_no_overload_is_not():
    status = status_of("door")
    status.worker_restarted("perceive", "")
    *_, whole = drawn(status)
    assert "1 restart  up" in whole
    assert not any("overload" in line for line in drawn(status))


def test_where_they_do_not_fit_the_worst_come_first():
    names = [f"cam-{number}" for number in range(20)]
    status = status_of(*names)
    stall(status, "cam-7")
    fail(status, "cam-19")
    lines = drawn(status, height=10)
    assert len(lines) <= 9
    assert [line.split()[0] for line in lines[1:5]] == ["cam-19", "cam-7", "cam-0", "cam-1"]
    shown = sum(line.startswith("cam-") for line in lines)
    assert f"… {20 - shown} more live" in lines


@pytest.mark.parametrize("width", [40, 60, 80, 200])
@pytest.mark.parametrize("height", [6, 10, 40])
def test_it_never_leaves_the_screen(width, height):
    status = status_of(*(f"a-camera-with-a-very-long-name-{number}" for number in range(12)))
    fail(status, "a-camera-with-a-very-long-name-3")
    overload(status, 5)
    lines = drawn(status, width, height)
    assert len(lines) < height
    assert all(len(line) <= width for line in lines)


def test_credentials_never_show():
    status = status_of("door")
    fail(status, "door")
    assert any("rtsp://192.0.2.1/x refuses" in line for line in drawn(status))
    assert SECRET not in "".join(drawn(status))


def test_in_a_terminal_it_redraws_and_tells_of_deaths(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr("engine.cli.run.table.time.monotonic", lambda: clock[0])
    console = Console(file=io.StringIO(), width=80, height=24, force_terminal=True, color_system=None)
    status = status_of("door")

    def written() -> str:
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", console.file.getvalue())  # type: ignore[attr-defined]

    with LiveTable(console) as table:
        assert "loading models" in written()
        table.show(status)
        assert written().count("door") == 1
        table.show(status)  # too soon
        assert written().count("door") == 1
        status.worker_restarted("publish", "the worker publish was killed by signal SIGKILL")
        clock[0] += 1
        table.show(status)
        clock[0] += 1
        table.show(status)
    assert written().count("the worker publish was killed by signal SIGKILL; it is being restarted") == 1
    assert written().count("1 restart") >= 2


def test_the_end_says_what_each_camera_gave():
    status = status_of("door", "yard")
    fail(status, "yard")
    status.take_beat(Beat("perceive", {}, Counts({"rejected": 7}, {"door": {"rejected": 7}})))
    console = Console(file=io.StringIO(), width=100, color_system=None)
    console.print(end_table(status.streams.values()))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert re.search(r"door +│ live +│ +250 │ +1234 │ +7 │ +3 │ +0 │ +0 │ +132 ", text)
    assert re.search(r"yard +│ failed auth +│ +250 │ +0 │ +0 │ +3 │ +0 │ +0 │ +- ", text)
