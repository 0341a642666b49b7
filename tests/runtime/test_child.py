"""A child process that loads gently gives way while it loads, and not a moment longer."""

from __future__ import annotations

import os
import pickle
import sys
import threading
from collections.abc import Callable

import pytest

from engine.runtime.child import Packed


class Called:
    """Loading it calls a function and gives its result."""

    def __init__(self, function: Callable[[], object]) -> None:
        self._function = function

    def __reduce__(self) -> tuple[Callable[[], object], tuple[()]]:
        return self._function, ()


def priority() -> tuple[int, str]:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id()), threading.current_thread().name


def missing() -> None:
    raise ModuleNotFoundError("No module named 'a_codec'")


@pytest.mark.skipif(sys.platform != "linux", reason="a thread has no priority of its own elsewhere")
def test_only_the_thread_that_loads_gives_way():
    before, name = priority()
    packed = Packed(pickle.dumps(Called(priority)))
    assert packed.load() == (before, name)
    assert packed.load_gently() == (min(19, before + 10), "load")
    assert priority() == (before, name)


def test_what_cannot_be_loaded_fails_where_it_was_asked_for():
    packed = Packed(pickle.dumps(Called(missing)))
    for load in (packed.load, packed.load_gently):
        with pytest.raises(ModuleNotFoundError, match="a_codec"):
            load()
