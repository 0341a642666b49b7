"""Asks an HTTP camera by hand how it wants the password: FFmpeg says that it was refused, and not why."""

from __future__ import annotations

from urllib.parse import urlsplit

from engine.contracts.camera import Camera
from engine.decode.rtsp_password import Challenge, challenges
from engine.decode.rtsp_question import WAIT_SECONDS, connected

_HEAD_BYTES = 65_536


def asked_over_http(camera: Camera) -> list[Challenge]:
    """Return the ways in which it asks; empty where it does not, or does not answer. Gives it no password, never raises, and
    takes ``WAIT_SECONDS`` at most for each step."""
    parts = urlsplit(camera.url)
    path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    request = f"GET {path} HTTP/1.0\r\nHost: {parts.netloc.rpartition('@')[2]}\r\nUser-Agent: facestream\r\n\r\n"
    head = b""
    try:
        with connected(camera) as connection:
            connection.settimeout(WAIT_SECONDS)
            connection.sendall(request.encode(errors="surrogateescape"))
            while b"\r\n\r\n" not in head and len(head) < _HEAD_BYTES and (more := connection.recv(4096)):
                head += more
    except (OSError, UnicodeError, ValueError):
        return []
    return challenges(head.partition(b"\r\n\r\n")[0])
