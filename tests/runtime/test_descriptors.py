"""The limit on open files, as the system would answer."""

from __future__ import annotations

import errno
import resource

import pytest

from engine.errors import FatalError
from engine.runtime import descriptors
from engine.runtime.descriptors import raise_limit, require_descriptors, shortage


class Limits:
    """In the place of the system's."""

    def __init__(self, soft: int, hard: int) -> None:
        self.now = (soft, hard)

    def getrlimit(self, kind: int) -> tuple[int, int]:
        return self.now

    def setrlimit(self, kind: int, limits: tuple[int, int]) -> None:
        self.now = limits


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Limits:
    made = Limits(*request.param)
    monkeypatch.setattr(descriptors.resource, "getrlimit", made.getrlimit)
    monkeypatch.setattr(descriptors.resource, "setrlimit", made.setrlimit)
    return made


INFINITE = resource.RLIM_INFINITY


@pytest.mark.parametrize(
    ("limits", "needed", "after"),
    [
        ((1024, 4096), 700, (1024, 4096)),
        ((1024, 4096), 1500, (1500, 4096)),
        ((1024, INFINITE), 9000, (9000, INFINITE)),
        ((INFINITE, INFINITE), 9000, (INFINITE, INFINITE)),
        ((256, 512), 512, (512, 512)),
    ],
    indirect=["limits"],
)
def test_the_limit_is_raised_to_what_is_needed_and_never_lowered(limits: Limits, needed: int, after: tuple[int, int]):
    require_descriptors(needed, "the 206 processes of this run")
    assert limits.now == after


@pytest.mark.parametrize("limits", [(64, 512)], indirect=True)
def test_too_few_is_one_sentence_with_what_is_needed_and_allowed_and_how_to_raise_it(limits: Limits):
    with pytest.raises(FatalError) as caught:
        require_descriptors(700, "the 206 processes of this run")
    assert str(caught.value) == (
        "the 206 processes of this run need 700 open files in one process, and this system allows 512 (ulimit -Hn): raise the "
        "limit (ulimit -n 700 as root, LimitNOFILE=700 in a systemd unit, --ulimit nofile=700 for a container) or read fewer "
        "sources in one run"
    )


@pytest.mark.parametrize("limits", [(1024, 2048)], indirect=True)
def test_as_many_as_may_be(limits: Limits):
    assert raise_limit(65_536) == 2048
    assert raise_limit(10) == 2048


def test_only_a_shortage_is_called_one():
    assert shortage(OSError(errno.ENOENT, "not there")) == ""
    assert shortage(ValueError("24")) == ""
    assert "open files" in shortage(OSError(errno.EMFILE, "Too many open files"))
    assert "whole system" in shortage(OSError(errno.ENFILE, "Too many open files in system"))
