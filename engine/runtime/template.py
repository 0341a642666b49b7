"""Loaded by the process that others are forked from, and by no other: it ends when they all do.

A service that is stopped signals all of its processes: those that work end in good order when they are told to, and must not
lose the one that they come from before.
"""

from __future__ import annotations

import signal

from engine.runtime.bond import die_with_parent

signal.signal(signal.SIGTERM, signal.SIG_IGN)
die_with_parent()
