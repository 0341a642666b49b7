"""How threads of OpenMP wait for each other: asleep, so that they take no core from what has work to do."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_POLICY = "OMP_WAIT_POLICY"


@contextmanager
def sleeping_threads() -> Iterator[None]:
    """Import what brings its OpenMP along in here: it reads how to wait when it is loaded, and only then.

    By default those of GNU's spin first. On two cores that had other work a face on two threads of ncnn took 580 to 880 ms of
    processor time, asleep 68 to 81, as on one. (They hardly spin once more of them were started than there are cores, as in a
    worker that enhances on two.) What the user has set stays.
    """
    if _POLICY in os.environ:
        yield
        return
    os.environ[_POLICY] = "PASSIVE"
    try:
        yield
    finally:
        os.environ.pop(_POLICY, None)  # another thread that was here meanwhile may have taken it away
