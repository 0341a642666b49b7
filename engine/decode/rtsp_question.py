"""Asks an RTSP server by hand what it objects to: FFmpeg tells 453 and 454, or 500 and 503, not apart."""

from __future__ import annotations

import re
import socket
import time
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from engine.contracts.camera import Camera
from engine.decode.camera import server_port

WAIT_SECONDS = 2.0
_HEAD_BYTES = 65_536
_STATUS = re.compile(rb"RTSP/1\.\d (\d{3})\b")
_CONTROL = re.compile(r"^m=video.*?^a=control:(\S+)", re.DOTALL | re.MULTILINE)
_TRACK = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
_SESSION = re.compile(rb"^session:\s*([^;\r\n]+)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Answer:
    """``kind`` is empty where the server answered, ``no_video`` where it did and offers no pictures; ``status`` is that of the
    first request that it did not grant, or 200."""

    kind: Literal["", "refused", "closed", "silent", "garbage", "no_video"]
    status: int


def ask(camera: Camera) -> Answer:
    """Go through OPTIONS, DESCRIBE, SETUP and PLAY without a password, end the session, and return what was not granted.

    Never raises, and takes ``WAIT_SECONDS`` at most for each request.
    """
    parts = urlsplit(camera.url)
    plain = f"rtsp://{parts.netloc.rpartition('@')[2]}{parts.path}{'?' + parts.query if parts.query else ''}"
    try:
        connection = socket.create_connection((parts.hostname or "", server_port(camera.url) or 0), WAIT_SECONDS)
    except (OSError, UnicodeError, ValueError):
        return Answer("refused", 0)
    with connection:
        try:
            return _talk(connection, plain)
        except TimeoutError:
            return Answer("silent", 0)
        except (OSError, EOFError):
            return Answer("closed", 0)
        except ValueError:
            return Answer("garbage", 0)


def _talk(connection: socket.socket, url: str) -> Answer:
    for method, header in (("OPTIONS", ""), ("DESCRIBE", "Accept: application/sdp\r\n")):
        status, head, body = _request(connection, method, url, header)
        if status != 200:
            return Answer("", status)
    found = _CONTROL.search(body.replace("\r", ""))
    if found is None:
        return Answer("" if "m=video" in body else "no_video", 200)
    track = found[1] if "://" in found[1] else f"{url.rstrip('/')}/{found[1]}"
    status, head, _ = _request(connection, "SETUP", track, _TRACK)
    session = _SESSION.search(head)
    if status == 200 and session is not None:
        header = f"Session: {session[1].decode('latin-1').strip()}\r\n"
        status, _, _ = _request(connection, "PLAY", url, header)
        connection.sendall(f"TEARDOWN {url} RTSP/1.0\r\nCSeq: 9\r\n{header}\r\n".encode())
    return Answer("", status)


def _request(connection: socket.socket, method: str, url: str, header: str) -> tuple[int, bytes, str]:
    """Return status, head and body of the answer.

    Raises:
        EOFError: the connection was closed.
        TimeoutError: there was no whole answer in time.
        ValueError: it was no answer of an RTSP server.
    """
    connection.sendall(f"{method} {url} RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: facestream\r\n{header}\r\n".encode())
    deadline = time.monotonic() + WAIT_SECONDS
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(connection, deadline)
        if not data.startswith(b"RTSP/1."[: len(data)]) or len(data) > _HEAD_BYTES:
            raise ValueError("not RTSP")
    head, _, body = data.partition(b"\r\n\r\n")
    status = _STATUS.match(head)
    if status is None:
        raise ValueError("not RTSP")
    length = re.search(rb"^content-length:\s*(\d{1,5})\s*$", head, re.IGNORECASE | re.MULTILINE)
    while length is not None and len(body) < int(length[1]):
        body += _more(connection, deadline)
    return int(status[1]), head, body.decode("latin-1")


def _more(connection: socket.socket, deadline: float) -> bytes:
    connection.settimeout(max(0.01, deadline - time.monotonic()))
    data = connection.recv(4096)
    if not data:
        raise EOFError
    return data
