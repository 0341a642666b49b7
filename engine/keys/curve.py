"""CURVE on a socket that connects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import zmq

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


def use_key(socket: zmq.Socket[bytes], key: ClientKey | None) -> None:
    """Let a socket show a client's key, and talk to nobody but the key's engine; before ``connect``. None: in the clear.

    Raises:
        MissingRuntimeError: the installed libzmq cannot.
    """
    if key is not None:
        require_curve()
        socket.curve_serverkey = key.server.encode()
        socket.curve_publickey = key.public.encode()
        socket.curve_secretkey = key.secret.encode()
