"""How threads of OpenMP wait for each other: asleep, so that they take no core from the cameras' decoders and the detector."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_POLICY = "OMP_WAIT_POLICY"


@contextmanager
def sleeping_threads() -> Iterator[None]:
    """Import what brings its OpenMP along in here: it reads how to wait when it is loaded, and only then.

    By default those of GNU's spin first. Where both cores had other work, a face on two threads of ncnn took 580 to 880 ms of
    processor time; asleep it takes 70, as on one. What the user has set stays.
    """
    if _POLICY in os.environ:
        yield
        return
    os.environ[_POLICY] = "PASSIVE"
    try:
        yield
    finally:
        del os.environ[_POLICY]
