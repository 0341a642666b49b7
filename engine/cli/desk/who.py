"""The name of the user at the command line."""

from __future__ import annotations

import getpass


def user_name() -> str:
    """Return the name of the user; ``unknown`` where the machine has none, as in a container."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
