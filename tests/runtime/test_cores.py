"""A process uses the cores that it may run on, not those of the machine."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

from engine.runtime.cores import usable_cores
from engine.workers.policy import policy_of


def test_the_cores_are_those_on_which_this_may_run():
    assert usable_cores() == len(os.sched_getaffinity(0))

    def on_one() -> tuple[int, int, int]:  # in a thread, whose affinity ends with it
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        return usable_cores(), policy_of(has_camera=False).threads(4), policy_of(has_camera=True).threads(4)

    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(on_one).result() == (1, 1, 1)
