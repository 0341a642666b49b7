"""What is made once for all that run tests side by side."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.made_once import made_once


def test_the_first_makes_it_for_all_and_what_failed_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    one, other = (SimpleNamespace(getbasetemp=lambda worker=worker: tmp_path / worker) for worker in ("gw0", "gw1"))

    def make(folder: Path) -> None:
        with (folder / "tries").open("a") as tries:
            tries.write("x")
        if (folder / "tries").read_text() == "x":
            raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        made_once(one, "clip", make)
    assert made_once(other, "clip", make) == made_once(one, "clip", make) == tmp_path / "clip"
    assert (tmp_path / "clip" / "tries").read_text() == "xx"
