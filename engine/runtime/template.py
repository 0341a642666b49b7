"""Loaded by the process that others are forked from, and by no other: it ends when they all do.

A service that is stopped signals all of its processes: those that work end in good order when they are told to, and must not
lose the one that they come from before. What it prints while it loads is nothing to the terminal of a run; what they print is
a record of that.
"""

from __future__ import annotations

import os
import signal

from engine.runtime.bond import die_with_parent

signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
die_with_parent()
_nowhere = os.open(os.devnull, os.O_WRONLY)
for _descriptor in (1, 2):
    os.dup2(_nowhere, _descriptor)
os.close(_nowhere)
