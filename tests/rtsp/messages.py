"""The text of RTSP: requests, passwords, session descriptions."""

from __future__ import annotations

import asyncio
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import md5

from tests.rtsp import rtp
from tests.rtsp.clips import Clip, nals
from tests.rtsp.script import REASONS, Behaviour

REALM = "camera"
NONCE = "4f1c2d"


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


def answer(request: Request, status: int, fields: Mapping[str, str], body: str = "") -> bytes:
    """Return the answer to a request."""
    lines = [f"RTSP/1.0 {status} {REASONS[status]}", f"CSeq: {request.fields.get('cseq', '0')}"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    if body:
        lines += ["Content-Type: application/sdp", f"Content-Length: {len(body)}"]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def challenge(behaviour: Behaviour) -> str:
    """Return what asks for a password."""
    return f'Basic realm="{REALM}"' if behaviour.auth == "basic" else f'Digest realm="{REALM}", nonce="{NONCE}"'


def permitted(request: Request, behaviour: Behaviour) -> bool:
    """Whether a request carries the right password, by the scheme that was asked for."""
    scheme, _, rest = request.fields.get("authorization", "").partition(" ")
    if scheme.lower() != behaviour.auth:
        return False
    if behaviour.auth == "basic":
        return b64decode(rest).decode() == behaviour.credentials
    user, _, password = behaviour.credentials.partition(":")
    given = dict(re.findall(r'(\w+)="([^"]*)"', rest))
    secret = _md5(f"{user}:{REALM}:{password}")
    asked = _md5(f"{request.method}:{given.get('uri', '')}")
    return given.get("response") == _md5(f"{secret}:{NONCE}:{asked}")


def _md5(text: str) -> str:
    return md5(text.encode()).hexdigest()


def description(clip: Clip, behaviour: Behaviour) -> str:
    """Return the session description (SDP) that the behaviour asks for."""
    if behaviour.sdp == "garbage":
        return "\r\n".join(["\x01\x02=what", "m=video", "a=rtpmap:", "v=0", "zzz"]) + "\r\n"
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=camera", "c=IN IP4 0.0.0.0", "t=0 0", "a=range:npt=0-"]
    if behaviour.sdp not in ("audio", "nothing"):
        lines += _video(clip, behaviour)
    if behaviour.sdp in ("audio", "both"):
        lines += [f"m=audio 0 RTP/AVP {rtp.AUDIO_TYPE}", f"a=rtpmap:{rtp.AUDIO_TYPE} PCMA/8000", "a=control:audio"]
    return "\r\n".join(lines) + "\r\n"


def _video(clip: Clip, behaviour: Behaviour) -> list[str]:
    h264 = (clip.codec == "h264") != (behaviour.sdp == "wrong_codec")
    lines = [f"m=video 0 RTP/AVP {rtp.VIDEO_TYPE}", f"a=rtpmap:{rtp.VIDEO_TYPE} {'H264' if h264 else 'H265'}/{rtp.CLOCK_HZ}"]
    if clip.codec == "h264" and h264:
        parameters = [nal for nal in nals(clip.units[0]) if nal[0] & 0x1F in (7, 8)]
        sets = ",".join(b64encode(nal).decode() for nal in parameters)
        known = "" if behaviour.sdp == "no_parameters" else f";sprop-parameter-sets={sets}"
        lines.append(f"a=fmtp:{rtp.VIDEO_TYPE} packetization-mode=1{known}")
    elif clip.codec == "h265" and not h264 and behaviour.sdp != "no_parameters":
        names = {32: "sprop-vps", 33: "sprop-sps", 34: "sprop-pps"}
        found = {names[nal[0] >> 1]: b64encode(nal).decode() for nal in nals(clip.units[0]) if nal[0] >> 1 in names}
        lines.append(f"a=fmtp:{rtp.VIDEO_TYPE} " + ";".join(f"{name}={value}" for name, value in found.items()))
    return [*lines, f"a=framerate:{clip.fps}", "a=control:video"]
