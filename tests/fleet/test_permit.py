"""Until when something may go on: seen by other processes at once, and not outliving the machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from engine.fleet import permit as module
from engine.fleet.permit import Permit, now_seconds

ASK = "import sys; from pathlib import Path; from engine.fleet.permit import Permit; print(Permit(Path(sys.argv[1])).is_good)"


def test_another_process_sees_what_is_written(tmp_path: Path) -> None:
    path = tmp_path / "permit"

    def seen() -> str:
        return subprocess.run([sys.executable, "-c", ASK, str(path)], capture_output=True, text=True, check=True).stdout.strip()

    with Permit(path, writes=True) as mine:
        assert not mine.is_good, "nothing was ever permitted"
        mine.until = now_seconds() + 60.0
        assert seen() == "True"
        mine.until = now_seconds()
        assert seen() == "False"
    assert path.stat().st_mode & 0o777 == 0o600


def test_it_outlives_its_process_and_not_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, until = tmp_path / "permit", now_seconds() + 60.0
    with Permit(path, writes=True) as mine:
        mine.until = until
    with Permit(path, writes=True) as mine:
        assert mine.until == pytest.approx(until)
    other = tmp_path / "boot_id"
    other.write_bytes(b"0" * 36 + b"\n")
    monkeypatch.setattr(module, "_BOOT_ID", other)
    with Permit(path, writes=True) as mine:
        assert mine.until == 0.0


def test_what_is_no_permit_is_none(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        Permit(tmp_path / "missing")
    (tmp_path / "short").write_bytes(b"x")
    with pytest.raises(OSError, match="is not a permit"):
        Permit(tmp_path / "short")
    (tmp_path / "link").symlink_to(tmp_path / "short")
    with pytest.raises(OSError, match="symbolic links"):
        Permit(tmp_path / "link", writes=True)
