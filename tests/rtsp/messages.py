"""The text of RTSP: requests, passwords, session descriptions."""

from __future__ import annotations

import asyncio
import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import md5, sha256

from tests.rtsp import rtp
from tests.rtsp.clips import Clip
from tests.rtsp.dialect import NONCE, REALM, Dialect
from tests.rtsp.script import REASONS, Behaviour


@dataclass(frozen=True)
class Request:
    """One request."""

    method: str
    url: str
    fields: Mapping[str, str]
    """By name in lower case."""


async def read_request(reader: asyncio.StreamReader) -> Request:
    """Read the next request; the client's reports, and its answers to what it took for requests, are passed over.

    Raises:
        EOFError: the client closed the connection, or sent what is no request.
    """
    while (first := await reader.readexactly(1)) == b"$":
        await reader.readexactly(int.from_bytes((await reader.readexactly(3))[1:], "big"))
    text = (first + await reader.readuntil(b"\r\n\r\n")).decode()
    start, *lines = text.strip().splitlines()
    if start.startswith("RTSP/"):
        return await read_request(reader)
    words = start.split()
    if len(words) != 3:
        raise EOFError("no request")
    method, url, _version = words
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    await reader.readexactly(int(fields.get("content-length", 0)))
    return Request(method, url, fields)


def answer(
    dialect: Dialect, behaviour: Behaviour, request: Request, status: int, words: Mapping[str, str], body: str = ""
) -> bytes:
    """Return the answer to a request; ``words``: what its lines may hold, see ``Dialect``."""
    known = dialect.words(request.url) | {"cseq": request.fields.get("cseq", "0"), "length": str(len(body)), "id": "12345678"}
    known |= {"seconds": str(behaviour.session_seconds), "realm": REALM, "nonce": NONCE, **words}
    lines = dialect.lines_of(request.method, "ports" in words) if status == 200 else dialect.refused
    if status == 401:
        lines += challenges(dialect, behaviour)
    text = [f"RTSP/1.0 {status} {REASONS[status]}", *(line.format(**known) for line in lines), ""]
    return ("".join(line + dialect.newline for line in text) + body).encode()


def challenges(dialect: Dialect, behaviour: Behaviour) -> tuple[str, ...]:
    """Return the lines that ask for a password."""
    basic, digest = 'WWW-Authenticate: Basic realm="{realm}"', 'WWW-Authenticate: Digest realm="{realm}", nonce="{nonce}"'
    return dialect.challenges or ((basic,) if behaviour.auth == "basic" else (digest,))


def permitted(request: Request, dialect: Dialect, behaviour: Behaviour) -> bool:
    """Whether a request carries the right password, by a scheme that was asked for."""
    scheme, _, rest = request.fields.get("authorization", "").partition(" ")
    if not any(f": {scheme} ".lower() in line.lower() for line in challenges(dialect, behaviour)):
        return False
    if scheme.lower() == "basic":
        return b64decode(rest).decode() == behaviour.credentials
    user, _, password = behaviour.credentials.partition(":")
    given = {name: quoted or bare for name, quoted, bare in re.findall(r'(\w+)=(?:"([^"]*)"|([^",]*))', rest)}
    kind = sha256 if given.get("algorithm") == "SHA-256" else md5

    def hashed(*parts: str) -> str:
        return kind(":".join(parts).encode()).hexdigest()

    once = [given[name] for name in ("nc", "cnonce", "qop")] if "qop" in given else []
    secret, asked = hashed(user, REALM, password), hashed(request.method, given.get("uri", ""))
    return given.get("response") == hashed(secret, NONCE, *once, asked)


def spoken(behaviour: Behaviour) -> Dialect:
    """Return the dialect with the media that the behaviour offers."""
    dialect = behaviour.dialect
    if behaviour.sdp in ("audio", "nothing"):
        dialect = replace(dialect, video=())
    if behaviour.sdp in ("audio", "both"):
        sound = (f"m=audio 0 RTP/AVP {rtp.AUDIO_TYPE}", f"a=rtpmap:{rtp.AUDIO_TYPE} PCMA/8000", "a=control:audio")
        dialect = replace(dialect, after=(*dialect.after, *sound))
    return dialect


def description(url: str, clip: Clip, dialect: Dialect, behaviour: Behaviour) -> str:
    """Return the session description (SDP) that the behaviour asks for."""
    if behaviour.sdp == "garbage":
        return "\r\n".join(["\x01\x02=what", "m=video", "a=rtpmap:", "v=0", "zzz"]) + "\r\n"
    h264 = (clip.codec == "h264") != (behaviour.sdp == "wrong_codec")
    told = behaviour.sdp not in ("wrong_codec", "no_parameters")
    return dialect.description(url, clip, "H264" if h264 else "H265", told)
