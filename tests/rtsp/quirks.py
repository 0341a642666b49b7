"""What cameras of any make do, one thing each: what FFmpeg reads, and what it does not."""

from __future__ import annotations

from dataclasses import replace

from tests.rtsp.dialect import PLAIN, Dialect
from tests.rtsp.rtp import Packing

_HEAD, _MAP, _FMTP, *_REST = PLAIN.video
_UNASKED = b"$\x05\x00\x10" + b"\x80\x08" + b"x" * 14
"""Sound on a channel that nobody set up."""
_TRANSPORT = "Transport: {transport}"
DIGEST = 'WWW-Authenticate: Digest realm="{realm}", nonce="{nonce}"'
BASIC = 'WWW-Authenticate: Basic realm="{realm}"'


def _extended(packet: bytes) -> bytes:
    """Insert a header extension as ONVIF's replay has it."""
    return bytes([packet[0] | 0x10]) + packet[1:12] + b"\xab\xac\0\3" + bytes(12) + packet[12:]


def _marked(packet: bytes, marker: int) -> bytes:
    return packet[:1] + bytes([packet[1] & 0x7F | marker]) + packet[2:]


def _padded(packet: bytes) -> bytes:
    return bytes([packet[0] | 0x20]) + packet[1:] + b"\0\0\0\4"


READ: dict[str, Dialect] = {
    "lines end with LF": replace(PLAIN, newline="\n", body_newline="\n"),
    "other channels": replace(
        PLAIN, setup=("CSeq: {cseq}", "Session: 1", "Transport: RTP/AVP/TCP;unicast;interleaved={channels}"), channels="4-5"
    ),
    "no channels named": replace(PLAIN, setup=("CSeq: {cseq}", "Session: 1", "Transport: RTP/AVP/TCP;unicast;ssrc=12345678")),
    "no session": replace(PLAIN, setup=("CSeq: {cseq}", _TRANSPORT), play=("CSeq: {cseq}",)),
    "sound that nobody asked for": replace(PLAIN, stray=_UNASKED),
    "requests of its own": replace(PLAIN, stray=b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n"),
    "no CSeq": replace(
        PLAIN,
        options=("Public: OPTIONS",),
        describe=("Content-Length: {length}",),
        setup=("Session: 1", _TRANSPORT),
        play=("Session: 1",),
        base="{url}",
    ),
    "wrong CSeq": replace(PLAIN, setup=("CSeq: 77", "Session: 1", _TRANSPORT)),
    "names in lower case": replace(
        PLAIN,
        describe=("cseq: {cseq}", "content-base: {base}", "content-length: {length}"),
        setup=("cseq: {cseq}", "session: 1", "transport: {transport}"),
    ),
    "its address behind a router": replace(PLAIN, base="rtsp://192.168.1.108:554/cam/"),
    "no control": replace(PLAIN, video=(_HEAD, _MAP, _FMTP)),
    "sets in the description only": replace(PLAIN, sets_sent=False),
    "fmtp before rtpmap": replace(PLAIN, video=(_HEAD, _FMTP, _MAP, *_REST)),
    "two payload types": replace(PLAIN, video=(f"{_HEAD} 97", _MAP, "a=rtpmap:97 H265/90000", _FMTP, *_REST)),
    "a second stream ahead": replace(PLAIN, before=("m=video 0 RTP/AVP 97", "a=rtpmap:97 H264/90000", "a=control:second")),
    "JPEG beside it": replace(PLAIN, after=("m=video 0 RTP/AVP 26", "a=control:second")),
    "parameter sets in one packet": replace(PLAIN, packing=Packing(together=True)),
    "whole pictures in one packet": replace(PLAIN, packing=Packing(mtu_bytes=60_000)),
    "tiny packets": replace(PLAIN, packing=Packing(mtu_bytes=100)),
    "a header that is longer": replace(PLAIN, packing=Packing(changed=_extended)),
    "padded packets": replace(PLAIN, packing=Packing(changed=_padded)),
    "no marker": replace(PLAIN, packing=Packing(changed=lambda packet: _marked(packet, 0))),
    "every packet marked": replace(PLAIN, packing=Packing(changed=lambda packet: _marked(packet, 0x80))),
    "no SSRC": replace(PLAIN, packing=Packing(changed=lambda packet: packet[:8] + bytes(4) + packet[12:])),
}
"""Gives pictures."""

READ_BY_UDP: dict[str, Dialect] = {
    "its ports": replace(PLAIN, setup_udp=("CSeq: {cseq}", "Session: 1", "Transport: RTP/AVP;unicast;{ports};{server_ports}")),
    "SSRC first": replace(
        PLAIN, setup_udp=("CSeq: {cseq}", "Session: 1", "Transport: RTP/AVP;ssrc=22345685;unicast;{ports};{server_ports}")
    ),
    "an address that is none": replace(
        PLAIN,
        setup_udp=(
            "Cseq: {cseq}",
            "Session: 231970;timeout=60",
            "Transport: RTP/AVP;unicast;mode=PLAY;source=127.0.0.0;{ports};{server_ports};ssrc=0",
        ),
    ),
    "another destination": replace(
        PLAIN,
        setup_udp=("CSeq: {cseq}", "Session: 1", "Transport: RTP/AVP;unicast;destination=10.1.2.3;{ports};{server_ports}"),
    ),
    "no ports of its own": replace(PLAIN, setup_udp=("CSeq: {cseq}", "Session: 1", "Transport: RTP/AVP/UDP;unicast;{ports}")),
}
"""Gives pictures by UDP."""

WAYS: dict[str, tuple[str, ...]] = {
    "digest": (DIGEST,),
    "digest MD5": (DIGEST + ', algorithm="MD5", stale=FALSE',),
    "digest for each request": (DIGEST + ', qop="auth", opaque="xyz"',),
    "digest for each request or body": (DIGEST + ', qop="auth,auth-int", algorithm=MD5',),
    "digest, then basic": (DIGEST, BASIC),
    "basic, then digest": (BASIC, DIGEST),
    "both in one line": (f'{BASIC}, Digest realm="{{realm}}", nonce="{{nonce}}"',),
    "SHA-256, then MD5": (f"{DIGEST}, algorithm=SHA-256", f"{DIGEST}, algorithm=MD5"),
    "basic": (BASIC,),
    "lower case, no blanks": (DIGEST.lower().replace(", ", ","),),
    "no quotes": ("Www-Authenticate: Digest realm={realm}, nonce={nonce}",),
}
"""Of asking for a password that FFmpeg can answer."""

_NOT_FOLLOWED = ("server_error", "FFmpeg cannot follow")
UNREAD: dict[str, tuple[Dialect, str, str]] = {
    "SHA-256 alone": (replace(PLAIN, challenges=(f"{DIGEST}, algorithm=SHA-256",)), "auth", "by SHA-256, which this FFmpeg"),
    "MD5, then SHA-256": (
        replace(PLAIN, challenges=(*WAYS["digest MD5"], f"{DIGEST}, algorithm=SHA-256")),
        "auth",
        "by SHA-256",
    ),
    "an unheard-of algorithm": (
        replace(PLAIN, challenges=(f'{DIGEST}, algorithm="x\x07"',)),
        "auth",
        "by an unknown algorithm",
    ),
    "basic, then SHA-256": (replace(PLAIN, challenges=(BASIC, f"{DIGEST}, algorithm=SHA-256")), "auth", "by SHA-256"),
    "SHA-256, then basic": (replace(PLAIN, challenges=(f"{DIGEST}, algorithm=SHA-256", BASIC)), "auth", "by SHA-256"),
    "a bearer's token": (
        replace(PLAIN, challenges=('WWW-Authenticate: Bearer realm="x"',)),
        "auth",
        "by Bearer, which this FFmpeg",
    ),
    "NTLM": (
        replace(PLAIN, challenges=("WWW-Authenticate: Negotiate", "WWW-Authenticate: NTLM")),
        "auth",
        "by Negotiate or NTLM",
    ),
    "no way to give the password": (replace(PLAIN, challenges=("Server: x",)), "auth", "does not say how"),
    "blank lines before answers": (replace(PLAIN, stray=b"\r\n"), *_NOT_FOLLOWED),
    "no Transport": (replace(PLAIN, setup=("CSeq: {cseq}", "Session: 1")), *_NOT_FOLLOWED),
    "no Content-Length": (replace(PLAIN, describe=("CSeq: {cseq}", "Content-Base: {base}")), *_NOT_FOLLOWED),
    "no rtpmap": (replace(PLAIN, video=(_HEAD, _FMTP, *_REST)), "codec", "no decoder"),
    "another codec": (replace(PLAIN, video=(_HEAD, "a=rtpmap:96 X-H26Z/90000", *_REST)), "codec", "no decoder"),
}
"""Gives no pictures, but this reason and a sentence with these words."""
