"""Runs the command line in this process or in one of its own."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass

import pytest

from engine.cli import main
from tests.patience import PATIENCE_SECONDS


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


def here(capsys: pytest.CaptureFixture[str], *arguments: object) -> Outcome:
    """Run ``facestream ARGUMENTS`` in this process."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return Outcome(int(ended.value.code or 0), out, err)


def apart(*arguments: object, **options: object) -> Outcome:
    """Run ``python -m engine ARGUMENTS`` as a user would."""
    command = [sys.executable, "-m", "engine", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False, **options)  # type: ignore[call-overload]
    return Outcome(done.returncode, done.stdout, done.stderr)


def complains(outcome: Outcome, code: int, *says: str) -> None:
    """Check that a command failed with one sentence on stderr, and no traceback."""
    assert outcome.code == code, outcome
    lines = outcome.err.splitlines()
    assert len(lines) == 1, outcome.err
    assert lines[0].startswith("facestream: ")
    assert "Traceback" not in outcome.out + outcome.err
    for word in says:
        assert word in lines[0]
