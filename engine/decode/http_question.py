"""Queries an HTTP camera for the reason of a refusal, which FFmpeg does not report."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import urlsplit

from engine.contracts.camera import Camera
from engine.decode.rtsp_password import challenges
from engine.decode.rtsp_question import WAIT_SECONDS, Answer, connected, location_in

_HEAD_BYTES = 65_536
_WEB_PAGE = re.compile(rb"^content-type:[ \t]*text/html", re.IGNORECASE | re.MULTILINE)
_STATUS = re.compile(rb"HTTP/1\.\d (\d{3})\b")


def ask_over_http(camera: Camera) -> Answer:
    """Return its answer to a request without a password; status 0 if there is no valid answer. Never raises, and takes at most
    ``WAIT_SECONDS`` for each step.
    """
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
        return Answer("closed", 0)
    head = head.partition(b"\r\n\r\n")[0]
    found = _STATUS.match(head)
    status = int(found[1]) if found else 0
    kind: Literal["", "web_page"] = "web_page" if status == 200 and _WEB_PAGE.search(head) else ""
    return Answer(kind, status, tuple(challenges(head)), location_in(status, head))
