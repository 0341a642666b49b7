"""What a program imports to work with what it gets: every class that a signature names, and every error that one tells of."""

from __future__ import annotations

import builtins
import inspect
import re
import typing
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType

import pytest

import engine.client

PUBLIC = {name: getattr(engine.client, name) for name in engine.client.__all__}
CHECKED_ONLY = {one.__name__: one for one in (AsyncIterator, Callable, Iterable, Iterator, Path, TracebackType)}
"""What our modules import for annotations."""


def members(one: object) -> list[object]:
    inner = vars(one) if isinstance(one, type) else {}
    own = [value for name, value in inner.items() if not name.startswith("_") or name in ("__init__", "__iter__")]
    return [one, *(value.fget if isinstance(value, property) else value for value in own)]


def named(hint: object) -> set[type]:
    """Return the classes of ours that a type is made of."""
    own = {hint} if isinstance(hint, type) and hint.__module__.startswith("engine.") else set()
    return own.union(*map(named, typing.get_args(hint)))


@pytest.mark.parametrize("name", PUBLIC)
def test_every_class_that_a_signature_names_can_be_imported(name):
    """Who annotated functions of his own had to look for some in our modules."""
    for member in members(PUBLIC[name]):
        if inspect.isfunction(member) or isinstance(member, type):
            for hint in typing.get_type_hints(member, localns=CHECKED_ONLY).values():
                assert {kind.__name__ for kind in named(hint) if kind not in PUBLIC.values()} == set()


def test_every_error_that_is_told_of_can_be_imported():
    """`except FatalError` needed a module that no page names."""
    told = set()
    for one in PUBLIC.values():
        for member in members(one):
            raises = (inspect.getdoc(member) or "").partition("Raises:")[2]
            told |= {word for names in re.findall(r"^ +(\w+(?:, \w+)*):", raises, re.M) for word in names.split(", ")}
    assert told >= {"ConfigError", "FatalError", "Malformed", "PublishError", "TimeoutError"}
    assert {name for name in told if name not in PUBLIC and not hasattr(builtins, name)} == set()
