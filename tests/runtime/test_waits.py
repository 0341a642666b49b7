"""What the kernel says of threads that wait for a core."""

from __future__ import annotations

import os
import threading

from engine.runtime.waits import waits_of


def test_each_thread_of_a_process_has_its_own_figure_which_only_grows():
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        before, after = waits_of(os.getpid()), waits_of(os.getpid())
    finally:
        done.set()
        thread.join()
    assert {os.getpid(), thread.native_id} <= before.keys()
    assert all(0 <= before[number] <= after[number] for number in before.keys() & after.keys())


def test_of_a_process_that_is_gone_nothing_is_known():
    assert waits_of(0) == {}
