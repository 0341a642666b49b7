"""The bars of a run over recordings, as they are drawn."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from engine.cli.run.progress import run_progress
from engine.contracts.orders import Warned
from engine.contracts.streams import StreamChanged
from engine.errors import ConfigError
from engine.pipeline.status import RunStatus
from tests.cli.statuses import status_of


def recording(*last: str) -> RunStatus:
    """Return a run over one recording of 345 frames, of which 250 are read."""
    status = status_of("clip")
    status.take_event(StreamChanged("clip", "live", width_px=640, height_px=480, frames_expected=345))
    if last:
        status.take_event(StreamChanged("clip", *last))
    return status


@pytest.fixture
def terminal() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=120, color_system=None)


def drawn(console: Console, *statuses: RunStatus) -> str:
    with run_progress(console) as show:
        for status in statuses:
            show(status)
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def test_one_that_was_stopped_is_not_at_its_end(terminal):
    """It stood there as 345/345, ended."""
    shown = drawn(terminal, recording("ended", "drained"))
    assert "250/345 frames" in shown
    assert "250/250 frames" not in shown
    assert "stopped" in shown


def test_one_that_was_read_to_its_end_is(terminal):
    """Whatever its header said how long it is."""
    shown = drawn(terminal, recording("ended", "end_of_file"))
    assert "250/250 frames" in shown
    assert "ended" in shown


def test_a_warning_is_a_line_above_the_bars_once(terminal):
    status = recording()
    status.events.take_warning(Warned("", "no reader has taken a message"))
    assert drawn(terminal, status, status).count("note: no reader has taken a message") == 1


def test_a_run_that_is_refused_shows_no_bar_of_what_it_loads(terminal):
    with pytest.raises(ConfigError), run_progress(terminal):
        raise ConfigError("there is no gallery")
    assert "loading models" not in terminal.file.getvalue().splitlines()[-1]  # type: ignore[attr-defined]
