"""Queries an RTSP server for the reason of a failure: FFmpeg does not distinguish 453 from 454, or 500 from 503."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote, urlsplit

from engine.contracts.camera import Camera
from engine.contracts.camera_tls import verification_of
from engine.decode.camera import scheme_of, server_port
from engine.decode.rtsp_answer import Talk
from engine.decode.rtsp_password import Challenge, authorization, challenges

WAIT_SECONDS = 2.0
_VIDEO = re.compile(r"^m=video.*?(?=^m=|\Z)", re.DOTALL | re.MULTILINE)
_CONTROL = re.compile(r"^a=control:[ \t]*(\S+)", re.MULTILINE)
_BASE = re.compile(rb"^content-base:[ \t]*(\S+)", re.IGNORECASE | re.MULTILINE)
_TRACK = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
_LOCATION = re.compile(rb"^location:[ \t]*(\S+)", re.IGNORECASE | re.MULTILINE)
_SESSION = re.compile(rb"^session:\s*([^;\r\n]+)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Answer:
    """``kind`` is empty if the server answered, or ``no_video`` if it answered but offers no video; ``status`` is that of the
    first refused request, or 200; ``asked`` are the authentication schemes, if it wants a password; ``location`` is the address
    to which it redirects its readers, as given; empty: none. Only HTTP gives ``web_page``.
    """

    kind: Literal["", "refused", "closed", "silent", "garbage", "no_video", "web_page"]
    status: int
    asked: tuple[Challenge, ...] = ()
    location: str = ""


def location_in(status: int, head: bytes) -> str:
    """Return the address to which an answer redirects; empty if it does not."""
    found = _LOCATION.search(head) if 300 <= status < 400 else None
    return found[1].decode("latin-1") if found else ""


def ask(camera: Camera, with_password: bool = True) -> Answer:
    """Send OPTIONS, DESCRIBE, SETUP and PLAY, end the session, and return what was refused.

    Never raises, and takes at most ``WAIT_SECONDS`` for each request.

    Args:
        with_password: send the URL's password if the server asks for one; False if it was refused, because cameras lock
            accounts after a few attempts.
    """
    parts = urlsplit(camera.url)
    plain = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}{'?' + parts.query if parts.query else ''}"
    given = (unquote(parts.username), unquote(parts.password or "")) if with_password and parts.username else None
    try:
        connection = connected(camera)
    except (OSError, UnicodeError, ValueError):
        return Answer("refused", 0)
    with connection:
        try:
            return _Question(Talk(connection, WAIT_SECONDS), given).run(plain)
        except TimeoutError:
            return Answer("silent", 0)
        except (OSError, EOFError):
            return Answer("closed", 0)
        except ValueError:
            return Answer("garbage", 0)


def connected(camera: Camera) -> socket.socket:
    """Connect to the server of a camera, with TLS if its address says so. As with FFmpeg, any certificate is accepted unless
    the options ask for verification.

    Raises:
        OSError: it cannot be reached.
        ValueError: the address is invalid.
    """
    host = urlsplit(camera.url).hostname or ""
    connection = socket.create_connection((host, server_port(camera.url) or 0), WAIT_SECONDS)
    if scheme_of(camera.url) not in ("rtsps", "https"):
        return connection
    wanted, authorities = verification_of(camera.options)
    try:
        context = ssl.create_default_context(cafile=authorities or None)
        if not wanted:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context.wrap_socket(connection, server_hostname=host)
    except BaseException:
        connection.close()
        raise


class _Question:
    """The requests of one connection; they raise as ``Talk.request`` does."""

    def __init__(self, talk: Talk, given: tuple[str, str] | None) -> None:
        self._talk, self._given = talk, given
        self._asked: tuple[Challenge, ...] = ()

    def run(self, url: str) -> Answer:
        for method, header in (("OPTIONS", ""), ("DESCRIBE", "Accept: application/sdp\r\n")):
            status, head, body = self._request(method, url, header)
            if status != 200:
                return Answer("", status, self._asked, location_in(status, head))
        if not body:  # a description without a length, which FFmpeg does not read either
            return Answer("", 200, self._asked)
        track, whole = _urls(url, head, body.replace("\r", ""))
        if not track:
            return Answer("no_video", 200, self._asked)
        status, head, _ = self._request("SETUP", track, _TRACK)
        session = _SESSION.search(head)
        if status == 200:
            header = f"Session: {session[1].decode('latin-1').strip()}\r\n" if session else ""
            status, _, _ = self._request("PLAY", whole, header)
            self._tear_down(whole, header)
        return Answer("", status, self._asked)

    def _tear_down(self, url: str, header: str) -> None:
        """End the session, and wait for the answer: closing a connection while pictures are still coming resets it, and the
        server may then never read the request.
        """
        with contextlib.suppress(OSError, EOFError, ValueError):
            self._request("TEARDOWN", url, header)

    def _request(self, method: str, url: str, header: str) -> tuple[int, bytes, str]:
        answer = self._talk.request(method, url, header + self._password(method, url))
        if answer[0] != 401 or self._asked:
            return answer
        self._asked = tuple(challenges(answer[1]))
        password = self._password(method, url)
        return self._talk.request(method, url, header + password) if password else answer

    def _password(self, method: str, url: str) -> str:
        return authorization(self._asked, *self._given, method, url) if self._given else ""


def _urls(url: str, head: bytes, description: str) -> tuple[str, str]:
    """Return the URLs of the video (empty if there is none) and of the whole session."""
    base = _BASE.search(head)
    whole = base[1].decode("latin-1") if base else url
    control = _CONTROL.search(description.partition("\nm=")[0])
    if control is not None and "://" in control[1]:
        whole = control[1]
    video = _VIDEO.search(description)
    if video is None:
        return "", whole
    control = _CONTROL.search(video[0])
    if control is None or "://" in control[1]:
        return (control[1] if control else whole), whole
    return f"{whole.removesuffix('/')}/{control[1]}", whole
