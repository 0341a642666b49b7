from __future__ import annotations

import pytest

from engine.contracts.counts import Calls, Counting
from engine.errors import InferenceError
from engine.sessions.model_calls import HOPELESS_CALLS, ModelCalls

ERROR = InferenceError("the model grey.onnx failed on luma (1, 1, 64, 96): out of memory")


class Account:
    def __init__(self) -> None:
        self.counts = Counting()
        self.said: list[tuple[str, str]] = []
        self.calls = ModelCalls(self.counts, lambda *said: self.said.append(said))


@pytest.fixture
def account() -> Account:
    return Account()


def test_a_failure_is_counted_and_the_first_one_said(account: Account):
    for _ in range(3):
        account.calls.failed("cam", "super_resolve", ERROR)
    account.calls.failed("cam", "verify", ValueError("no"))
    assert account.counts.now().flat() == {"errors.super_resolve": 3, "errors.verify": 1, "errored.cam": 4}
    assert account.said[0] == ("cam", f"super resolve failed: {ERROR}")
    assert account.said[1][1].startswith("verify failed: ValueError: no")
    assert len(account.said) == 2


def test_an_extra_is_counted_and_said_and_is_no_fault_of_its_stream(account: Account):
    calls = ModelCalls(account.counts, lambda *said: account.said.append(said), frozenset({"fuse"}))
    for _ in range(HOPELESS_CALLS):
        calls.failed("cam", "fuse", ERROR)
    assert account.counts.now().flat() == {"errors.fuse": HOPELESS_CALLS}
    assert account.said == [("cam", f"fuse failed: {ERROR}")]
    assert calls.close("cam") == {}


def test_what_was_counted_of_a_stream_is_forgotten_with_it(account: Account):
    account.calls.failed("cam", "detect", ERROR)
    account.calls.worked("cam", "track")
    account.calls.worked("other", "track")
    assert account.calls.close("cam") == {"detect": Calls(1, 1, f"detect failed: {ERROR}"), "track": Calls(1, 0)}
    assert account.calls.close("cam") == {}


def test_a_stream_becomes_hopeless_only_from_its_start(account: Account):
    for number in range(HOPELESS_CALLS):
        assert not account.calls.hopeless("cam", "detect"), number
        account.calls.failed("cam", "detect", ERROR)
    assert account.calls.hopeless("cam", "detect") == f"detect failed: {ERROR} (none of {HOPELESS_CALLS} calls worked)"
    account.calls.worked("other", "detect")
    for _ in range(2 * HOPELESS_CALLS):
        account.calls.failed("other", "detect", ERROR)
    assert not account.calls.hopeless("other", "detect")
