from __future__ import annotations

import io
import signal
from pathlib import Path

import pytest
from rich.console import Console

from engine.cli.output.long_work import check_place, ends_cleanly, progress_bar
from engine.errors import UsageError
from engine.whole_file import replacing


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_no_half_written_file(tmp_path: Path, number: signal.Signals) -> None:
    before = signal.getsignal(number)

    def work() -> None:
        with ends_cleanly(), replacing(tmp_path / "a.mp4") as beside:
            beside.write_bytes(b"half")
            signal.raise_signal(number)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(number) == before


def test_what_was_ignored_before_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ends_cleanly():
            signal.raise_signal(signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_name_of_a_file_is_no_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, width=100)
    monkeypatch.setattr("engine.cli.output.share_bar.Console", lambda **_: console)
    with progress_bar("a[red][/blue].mp4") as tell:
        tell(0.5)
    assert "a[red][/blue].mp4" in shown.getvalue()


def test_a_place_is_refused_before_the_work(tmp_path: Path) -> None:
    check_place(None, overwrite=False)
    check_place(tmp_path / "a.mp4", overwrite=False)
    (tmp_path / "b.mp4").write_bytes(b"")
    with pytest.raises(UsageError, match="is there already"):
        check_place(tmp_path / "b.mp4", overwrite=False)
    check_place(tmp_path / "b.mp4", overwrite=True)
    with pytest.raises(UsageError, match="is a folder"):
        check_place(tmp_path, overwrite=True)
    with pytest.raises(UsageError, match="there is no folder"):
        check_place(tmp_path / "no" / "a.mp4", overwrite=True)
