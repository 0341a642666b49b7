"""OpenVINO changes the signal stack of a thread: a signal must find one, in whatever order sessions are closed."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from importlib.util import find_spec
from itertools import permutations

import pytest

from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.skipif(find_spec("openvino") is None, reason="needs openvino")  # importing it would report it

OPENED = """
    import ctypes, faulthandler, gc, os, signal, sys, threading
    from engine.sessions.session import SessionSpec, open_session
    from tests.onnx_models import doubling_model

    class Stack(ctypes.Structure):
        _fields_ = [("place", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t)]

    def stack():
        found = Stack()
        ctypes.CDLL(None).sigaltstack(None, ctypes.byref(found))
        return found.place, found.flags, found.size

    def opened():
        session = open_session(SessionSpec(doubling_model(), "openvino"))
        session.run({"x": numpy.ones((1, 2, 3, 5), numpy.float32)})
        return session

    def aside(work):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()

    def signals():
        thread = threading.get_ident()
        signal.pthread_kill(thread, signal.SIGUSR1)  # faulthandler's, which writes a trace
        signal.pthread_kill(thread, signal.SIGUSR2)  # Python's
        assert stack() == before or thread != threading.main_thread().ident, (before, stack())

    import numpy
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1, file=open(os.devnull, "w"))
    caught = []
    signal.signal(signal.SIGUSR2, lambda number, frame: caught.append(number))
    before = stack()
    a, b, c = opened(), opened(), opened()
    signals()
"""
DONE = """
    signals()
    assert caught == [signal.SIGUSR2] * len(caught) and len(caught) >= 2
    print("alive", flush=True)
"""


def lives(scenario: str) -> None:
    """Run a scenario in a process of its own, which must end by itself."""
    script = textwrap.dedent(OPENED) + textwrap.dedent(scenario) + textwrap.dedent(DONE)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "alive\n", "")


@pytest.mark.parametrize("order", ["".join(order) for order in permutations("abc")])
def test_every_order_of_closing(order: str):
    lives("\n".join(f"{name}.close(); signals()" for name in order))


@pytest.mark.parametrize(
    "scenario",
    [
        "",
        "for session in (b, a, c): aside(session.close); signals()",
        "del a; gc.collect(); signals(); del c; gc.collect(); signals(); del b; gc.collect()",
        """
        a.itself, c.itself = a, c  # only the collector frees them, here on another thread
        del a, c
        aside(gc.collect)
        signals()
        b.close()
        """,
        """
        import atexit
        atexit.register(signals)  # runs before what is left is freed
        b.close()
        """,
        """
        def life():  # of a thread with sessions of its own, which is signalled too
            one, two = opened(), opened()
            one.close(); signals(); two.close(); signals()
        aside(life)
        """,
        """
        aside(lambda: a.run({"x": numpy.ones((1, 2, 3, 5), numpy.float32)}))  # whose request is then collected
        a.close()
        """,
    ],
    ids=["never closed", "on other threads", "dropped", "collected on another thread", "at exit", "within a thread", "used"],
)
def test_every_way_to_be_freed(scenario: str):
    lives(scenario)
