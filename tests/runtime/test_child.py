"""What a child process loads, and when."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import pytest

from engine.runtime.child import Packed


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
