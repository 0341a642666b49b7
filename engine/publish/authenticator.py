"""Answers libzmq, which asks for each new connection whether it may come in (ZAP)."""

from __future__ import annotations

from contextlib import suppress

import zmq
from zmq.auth.thread import ThreadAuthenticator

_ZAP = "inproc://zeromq.zap.01"


class Authenticator(ThreadAuthenticator):
    """Tells the list from where a connection comes."""

    async def handle_zap_message(self, msg: list[bytes]) -> None:
        for provider in self.credentials_providers.values():
            provider.address = msg[3].decode("ascii", "replace") if len(msg) > 3 else ""
        await super().handle_zap_message(msg)

    def stop(self) -> None:
        if not self.is_alive():  # else the word to end would wait for ever, and the addresses stay taken for a while
            for socket, address in ((self.pipe, self.pipe_endpoint), (self.zap_socket, _ZAP)):
                with suppress(zmq.ZMQError):
                    if socket is not None:
                        socket.unbind(address)
            if self.pipe is not None:
                self.pipe.close(linger=0)
                self.pipe = None  # type: ignore[assignment]  # as pyzmq does
        super().stop()
