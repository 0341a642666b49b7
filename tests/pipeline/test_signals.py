from __future__ import annotations

import os
import signal

from engine.pipeline.signals import CountedSignals


def test_signals_are_counted_inside_only():
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with CountedSignals() as signals:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
            os.kill(os.getpid(), number)
        assert signals.count == 3
    assert {number: signal.getsignal(number) for number in before} == before


def test_a_terminal_that_is_closed_asks_once():
    """The kernel, the shell and a multiplexer each send SIGHUP; a second one must not force what the first one asked for."""
    with CountedSignals() as signals:
        os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGHUP)
        assert signals.count == 1
        os.kill(os.getpid(), signal.SIGINT)
        assert signals.count == 2
        os.kill(os.getpid(), signal.SIGHUP)
        assert signals.count == 2


def test_what_was_told_to_ignore_it_goes_on():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with CountedSignals() as signals:
            os.kill(os.getpid(), signal.SIGHUP)
            assert signals.count == 0
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
