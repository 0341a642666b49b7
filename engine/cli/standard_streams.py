"""Standard input, output and error, whatever state they are in when a command starts."""

from __future__ import annotations

import os
import sys


def open_closed_streams() -> None:
    """Open those that are closed, as a service manager may leave them, on nothing: otherwise the next file that is opened takes
    their number, and what is printed ends in it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest number that is free
    sys.stdin = sys.stdin or os.fdopen(0, closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)


def give_up_output() -> None:
    """Let what is still to be printed go nowhere: nobody reads it, or it cannot be written, and the interpreter's own flush at
    its end must not complain.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
