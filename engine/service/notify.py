"""Notifies the service manager, if there is one, by systemd's protocol of single datagrams."""

from __future__ import annotations

import os
import socket
from contextlib import suppress


class ServiceManager:
    """Says nothing where nobody listens. ``NOTIFY_SOCKET`` and ``WATCHDOG_USEC`` are read once, and no child inherits them."""

    def __init__(self) -> None:
        self._address = os.environ.pop("NOTIFY_SOCKET", "")
        usec, pid = os.environ.pop("WATCHDOG_USEC", ""), os.environ.pop("WATCHDOG_PID", "")
        is_for_us = not pid or pid == str(os.getpid())
        self.watchdog_seconds = int(usec) / 1e6 if usec.isdigit() and is_for_us else 0.0
        """How often it wants to hear ``alive`` at least; 0: never."""

    def ready(self, words: str) -> None:
        """The service does its work."""
        self._tell(f"READY=1\nSTATUS={words}")

    def stopping(self) -> None:
        """The service ends."""
        self._tell("STOPPING=1")

    def alive(self) -> None:
        """The service is not stuck."""
        self._tell("WATCHDOG=1")

    def _tell(self, text: str) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as way:
            way.setblocking(False)
            way.sendto(text.encode(), address)
