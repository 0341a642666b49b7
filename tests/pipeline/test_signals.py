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
