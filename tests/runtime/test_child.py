"""What a child process loads, and when."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.runtime.child import SPAWN, Packed, start


class Called:
    """Loading it calls a function and gives its result."""

    def __init__(self, function: Callable[[], object]) -> None:
        self._function = function

    def __reduce__(self) -> tuple[Callable[[], object], tuple[()]]:
        return self._function, ()


def missing() -> None:
    raise ModuleNotFoundError("No module named 'a_codec'")


def test_what_cannot_be_loaded_fails_where_it_was_asked_for():
    packed = Packed(pickle.dumps(Called(missing)))
    with pytest.raises(ModuleNotFoundError, match="a_codec"):
        packed.load()


def test_a_file_in_the_working_directory_is_no_module_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A file ``av.py`` or a folder ``engine`` of the user's used to be loaded in the place of the real one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    (tmp_path / "pickle.py").write_text("raise SystemExit('the wrong one')\n")
    process = SPAWN.Process(target=os._exit, args=(7,))
    start(process)
    process.join(60)
    assert process.exitcode == 7
    assert (os.environ["PYTHONPATH"], "PYTHONSAFEPATH" in os.environ) == ("elsewhere", False)
