"""Standard streams that are closed, or that cannot be written."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.cli.command import Outcome, complains
from tests.patience import PATIENCE_SECONDS


def redirected(how: str, *arguments: object) -> Outcome:
    """Run ``python -m engine ARGUMENTS`` as a shell does with redirections."""
    command = ["sh", "-c", f'exec "$0" -m engine "$@" {how}', sys.executable, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    return Outcome(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["models", "list"], ["check", "--example", "recordings"], ["run", "--help"]]
)
def test_output_that_cannot_be_written_is_one_sentence(arguments):
    complains(redirected(">/dev/full", *arguments), 1, "cannot be written: No space left on device: make room")


@pytest.mark.parametrize("how", [">&-", "2>&-", "<&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_a_stream_that_is_closed_is_nothing(how, tmp_path):
    assert redirected(how, "--help").code == 0
    outcome = redirected(how, "licences", "--sbom", tmp_path / "bom.json")
    assert (outcome.code, "Traceback" in outcome.err) == (0, False)
    assert json.loads((tmp_path / "bom.json").read_text())["components"]


@pytest.mark.parametrize("how", [">&-", "<&- >&- 2>&-"])
def test_what_is_wrong_is_told_by_the_code_at_least(how):
    assert redirected(how, "export", "none").code == 2
