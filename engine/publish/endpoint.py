"""Bind a socket, or say in one sentence why not; and bound what strangers can do to it."""

from __future__ import annotations

import errno
import os
import socket as stdlib_socket
from pathlib import Path

import zmq

from engine.contracts.address import ENDPOINT_FORMS, check_form, is_ipv6
from engine.errors import ConfigError, PublishError
from engine.publish.exposure import check_folder

_HANDSHAKE_MS = 5_000
"""A connection that has not said by then that it speaks ZeroMQ is closed."""
_RECEIVE_HWM = 64
_RECEIVE_BUFFER_BYTES = 8 * 1024
"""Readers say little; by default the kernel would hold megabytes of a flood, and hand them over after the connection is cut."""


def harden(socket: zmq.Socket[bytes], message_bytes: int) -> None:
    """Bound what a stranger can make ``socket`` hold: call it before ``bind``.

    Args:
        socket: one that others connect to.
        message_bytes: the longest message that may come in; a longer one ends its connection.
    """
    socket.setsockopt(zmq.MAXMSGSIZE, message_bytes)
    socket.setsockopt(zmq.HANDSHAKE_IVL, _HANDSHAKE_MS)
    socket.setsockopt(zmq.RCVHWM, _RECEIVE_HWM)
    socket.setsockopt(zmq.RCVBUF, _RECEIVE_BUFFER_BYTES)


def bind(socket: zmq.Socket[bytes], endpoint: str, key: str, *, is_private: bool = True) -> str:
    """Bind ``socket`` and return the real endpoint, with the port that ``tcp://127.0.0.1:*`` was given.

    An ipc endpoint gets its parent directory with mode 0700 if that is missing, and takes over a socket file that nobody
    serves any more.

    Args:
        socket: options already set.
        endpoint: ``tcp://``, ``ipc://`` or ``inproc://``.
        key: the configuration key that holds it, for the message.
        is_private: refuse an ipc endpoint in a folder that others may use.

    Raises:
        ConfigError: this is not an endpoint, or others may use its folder.
        PublishError: it is in use, or may not be used by this user.
    """
    check_form(endpoint, key)
    if endpoint.startswith("ipc://") and not endpoint.startswith(("ipc://@", "ipc://*")):
        _prepare_ipc(endpoint, is_private)
    socket.setsockopt(zmq.IPV6, is_ipv6(endpoint))
    try:
        socket.bind(endpoint)
    except zmq.ZMQError as error:
        raise _explained(error, endpoint, key) from error
    return bytes(socket.getsockopt(zmq.LAST_ENDPOINT)).rstrip(b"\0").decode()


def _prepare_ipc(endpoint: str, is_private: bool) -> None:
    path = Path(endpoint.removeprefix("ipc://"))
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        if is_private:
            check_folder(path.parent, endpoint)
        if not path.exists():
            return
        if not path.is_socket():
            raise PublishError(f"{path} exists and is not a socket: choose another endpoint than {endpoint}")
        # libzmq takes the path over even from a living process: ask who serves it first.
        if _is_served(path):
            raise _in_use(endpoint)
        path.unlink(missing_ok=True)
    except OSError as error:
        raise PublishError(f"cannot make a socket in {path.parent} for {endpoint}: {error.strerror}") from error


def _is_served(path: Path) -> bool:
    with stdlib_socket.socket(stdlib_socket.AF_UNIX, stdlib_socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            return False
        return True


def _in_use(endpoint: str) -> PublishError:
    return PublishError(
        f"{endpoint} is in use, by another process or by another key of this configuration: choose another endpoint, or stop "
        "that process"
    )


def _explained(error: zmq.ZMQError, endpoint: str, key: str) -> ConfigError | PublishError:
    match error.errno:
        case errno.EADDRINUSE:
            return _in_use(endpoint)
        case errno.ENODEV | errno.EADDRNOTAVAIL:
            return PublishError(f"{key}: this machine has no address as in {endpoint}: use 127.0.0.1, or * for all of them")
        case errno.EACCES | errno.EPERM:
            return PublishError(f"{key}: this user may not bind {endpoint}: choose a port above 1023 or another path")
        case errno.ENAMETOOLONG:
            most, got = zmq.IPC_PATH_MAX_LEN, len(os.fsencode(endpoint.removeprefix("ipc://")))
            return ConfigError(f"{key}: the path in {endpoint} is too long for a socket: {got} bytes, {most} at most")
        case errno.EINVAL | errno.EPROTONOSUPPORT:
            return ConfigError(f"{key}: {endpoint!r} cannot be bound ({error.strerror}): {ENDPOINT_FORMS}")
    return PublishError(f"{key}: cannot bind {endpoint}: {error.strerror}")
