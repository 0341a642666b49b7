"""Authentication with an RTSP server (RFC 7616, RFC 7617); FFmpeg supports fewer schemes than cameras use."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import md5, sha256
from secrets import token_hex

_LINE = re.compile(rb"^www-authenticate:[ \t]*([^\r\n]+)", re.IGNORECASE | re.MULTILINE)
_FIELD = re.compile(r'(?:\b(\w+)\s+)?(\w+)=(?:"([^"]*)"|([^\s",]+))')
"""The scheme precedes its first field."""
_ALONE = re.compile(r"\b([A-Za-z][\w-]*)\s*(?:,|$)")
"""Schemes without fields, such as ``Negotiate, NTLM``."""
_KNOWN = ("basic", "digest")
_ABBREVIATED = 4
"""Abbreviations in capitals, such as NTLM."""
_NAME = re.compile(r"[A-Z0-9-]{1,20}")
_FFMPEG_DIGESTS = {"", "MD5", "MD5-SESS"}
_HASHES = {"": md5, "MD5": md5, "SHA-256": sha256}


@dataclass(frozen=True)
class Challenge:
    """One authentication scheme that a server offers."""

    scheme: str
    """In lower case, such as ``basic``, ``digest`` or ``ntlm``."""
    fields: dict[str, str] = field(default_factory=dict)
    """Values by name in lower case."""

    @property
    def algorithm(self) -> str:
        """In upper case; empty: MD5."""
        return self.fields.get("algorithm", "").upper()


def challenges(head: bytes) -> list[Challenge]:
    """Return the schemes that the head of an answer names, in order."""
    found: list[Challenge] = []
    for line in _LINE.findall(head):
        text = line.decode(errors="surrogateescape")
        if not (fields := _FIELD.findall(text)):
            found += [Challenge(name.lower()) for name in _ALONE.findall(text)]
        for scheme, name, quoted, bare in fields:
            if scheme:
                found.append(Challenge(scheme.lower()))
            if found:
                found[-1].fields[name.lower()] = quoted or bare
    return [one for one in found if one.scheme not in _KNOWN or one.fields]


def unknown_to_ffmpeg(asked: Sequence[Challenge]) -> str:
    """Return what FFmpeg does not support: an algorithm such as ``SHA-256``, or schemes such as ``NTLM or Bearer``; empty if it
    can answer.

    FFmpeg uses the last digest, and basic only if there is none.
    """
    digests = [challenge for challenge in asked if challenge.scheme == "digest"]
    if asked and not any(challenge.scheme in _KNOWN for challenge in asked):
        names = dict.fromkeys(one.scheme.upper() if len(one.scheme) <= _ABBREVIATED else one.scheme.title() for one in asked)
        return " or ".join(name for name in names if _NAME.fullmatch(name.upper())) or "an unknown way"
    if not digests or digests[-1].algorithm in _FFMPEG_DIGESTS:
        return ""
    return digests[-1].algorithm if _NAME.fullmatch(digests[-1].algorithm) else "an unknown algorithm"


def authorization(asked: Sequence[Challenge], user: str, password: str, method: str, url: str) -> str:
    """Return the header line, with its line end, that answers the strongest supported scheme; empty if none is."""
    digests = [one for one in asked if one.scheme == "digest" and one.algorithm in _HASHES]
    if digests:
        return _digest(max(digests, key=lambda one: one.algorithm == "SHA-256"), user, password, method, url)
    if any(one.scheme == "basic" for one in asked):
        return f"Authorization: Basic {b64encode(f'{user}:{password}'.encode()).decode()}\r\n"
    return ""


def _digest(challenge: Challenge, user: str, password: str, method: str, url: str) -> str:
    def hashed(*parts: str) -> str:
        return _HASHES[challenge.algorithm](":".join(parts).encode(errors="surrogateescape")).hexdigest()

    realm, nonce = challenge.fields.get("realm", ""), challenge.fields.get("nonce", "")
    once = ["00000001", token_hex(8), "auth"] if "auth" in challenge.fields.get("qop", "").split(",") else []
    response = hashed(hashed(user, realm, password), nonce, *once, hashed(method, url))
    line = f'Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{url}", response="{response}"'
    line += f", algorithm={challenge.fields['algorithm']}" if challenge.algorithm else ""
    line += f', opaque="{challenge.fields["opaque"]}"' if "opaque" in challenge.fields else ""
    line += f', nc={once[0]}, cnonce="{once[1]}", qop=auth' if once else ""
    return f"Authorization: {line}\r\n"
