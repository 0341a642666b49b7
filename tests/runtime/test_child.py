"""What a child process loads, and when."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.runtime import child
from engine.runtime.child import SPAWN, Packed, start
from tests.patience import PATIENCE_SECONDS


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
    process.join(PATIENCE_SECONDS)
    assert process.exitcode == 7
    assert (os.environ["PYTHONPATH"], "PYTHONSAFEPATH" in os.environ) == ("elsewhere", False)


class Dying:
    """In the place of a process: what it would be forked from is dying at the first attempts."""

    def __init__(self, *errors: Exception) -> None:
        self.errors, self.started = list(errors), 0

    def start(self) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.started += 1


def test_a_process_is_started_although_the_one_that_it_comes_from_was_just_killed(monkeypatch: pytest.MonkeyPatch):
    """It used to fail with an EOFError where that was still dying: a camera then stayed away for a minute."""
    monkeypatch.setattr(child, "_PAUSES", (0.0, 0.0))
    process = Dying(EOFError("unexpected EOF"), ConnectionRefusedError())
    start(process)  # type: ignore[arg-type]
    assert process.started == 1


@pytest.mark.parametrize("errors", [[OSError(24, "Too many open files")], [EOFError()] * 3])
def test_a_process_that_cannot_be_started_is_not_tried_for_ever(errors: list[Exception], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(child, "_PAUSES", (0.0, 0.0))
    process = Dying(*errors)
    with pytest.raises(type(errors[0])):
        start(process)  # type: ignore[arg-type]
    assert (process.errors, process.started) == ([], 0)
