"""How a socket connects: over which addresses, and encrypted (CURVE) where there is a key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import zmq

from engine.contracts.address import is_ipv6
from engine.errors import MissingRuntimeError

if TYPE_CHECKING:  # reading a key needs this module
    from engine.keys.files import ClientKey


def require_curve() -> None:
    """Check that the installed libzmq can encrypt.

    Raises:
        MissingRuntimeError: it cannot.
    """
    if not zmq.has("curve"):
        raise MissingRuntimeError(
            "this pyzmq has no CURVE, which keys need: install one with libsodium (`pip install --force-reinstall pyzmq`)"
        )


def connect(socket: zmq.Socket[bytes], endpoint: str, key: ClientKey | None = None) -> None:
    """Connect a socket; with a client's key it shows that, and talks to nobody but the key's engine. None: in the clear.

    Raises:
        zmq.ZMQError: the endpoint is none.
        MissingRuntimeError: the installed libzmq cannot.
    """
    if key is not None:
        require_curve()
        socket.curve_serverkey = key.server.encode()
        socket.curve_publickey = key.public.encode()
        socket.curve_secretkey = key.secret.encode()
    socket.setsockopt(zmq.IPV6, is_ipv6(endpoint))
    socket.connect(endpoint)
