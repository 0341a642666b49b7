"""Makes of which one answer is known, mostly the description; the rest is said as the default says it."""

from __future__ import annotations

from tests.rtsp.dialect import Dialect
from tests.rtsp.dialects import DATE, MEDIA_HEADER, METADATA

_H264 = ("m=video 0 RTP/AVP 96", "a=rtpmap:96 {codec}/90000", "a=fmtp:96 packetization-mode=1;{sets}")
_NO_BASE = ("CSeq: {cseq}", "Content-Type: application/sdp", "Content-Length: {length}")
_KNOWN_DIGEST = 'WWW-Authenticate: Digest realm="{realm}", nonce="{nonce}"'

DESCRIBED: dict[str, Dialect] = {
    "foscam": Dialect(
        path="videoMain",
        session=("a=type:broadcast", "a=control:*", "a=range:npt=0-"),
        video=(*_H264, "a=control:track1"),
        after=("m=audio 0 RTP/AVP 0", "b=AS:64", "a=control:track2"),
    ),
    "geovision": Dialect(
        path="media/video1",
        base="{url}",
        session=(),
        video=(
            "m=video 0 RTP/AVP 105",
            "a=control:rtsp://{host}/media/video1/video",
            "a=rtpmap:105 {codec}/90000",
            "a=fmtp:105 profile-level-id=4d4032; packetization-mode=1; {sets}",
            "a=recvonly",
        ),
        after=(*METADATA, "a=control:rtsp://{host}/media/video1/metadata", "a=fmtp:107 DecoderTag=h3c-v3 RTCP=0"),
        describe=_NO_BASE,
    ),
    "axis": Dialect(
        path="axis-media/media.amp?videocodec=h264",
        base="rtsp://{host}/axis-media/media.amp/",
        session=("a=range:npt=now-", "a=control:rtsp://{host}/axis-media/media.amp?videocodec=h264"),
        video=(
            *_H264,
            "a=control:rtsp://{host}/axis-media/media.amp/stream=0?videocodec=h264",
            "a=framerate:30.000000",
            "a=transform:-1.000000,0.000000,0.000000;0.000000,-1.000000,0.000000;0.000000,0.000000,1.000000",
        ),
    ),
    "tp_link": Dialect(
        codec="h265",
        path="stream1",
        session=(),
        video=(
            "m=video 0 RTP/AVP 96",
            "a=range:npt=0-",
            "a=control:track1",
            "a=rtpmap:96 {codec}/90000",
            "a=fmtp:96 profile-space=0;profile-id=1;tier-flag=0;level-id=150;{sets}",
        ),
        after=("m=application/TP-LINK 0 RTP/AVP smart/1/90000", "a=rtpmap:95 TP-LINK/90000", "a=control:track3"),
        challenges=('WWW-Authenticate: Basic realm="{realm}"', _KNOWN_DIGEST),
    ),
    "ubiquiti": Dialect(
        path="68D79AE46148_0",
        session=("a=recvonly", "a=control:*", "a=range:npt=now-"),
        before=(
            "m=audio 0 RTP/AVP 96",
            "a=rtpmap:96 mpeg4-generic/48000/1",
            "a=control:trackID=0",
            "m=audio 0 RTP/AVP 96",
            "a=rtpmap:96 opus/48000/2",
            "a=control:trackID=1",
            "a=fmtp:96",
        ),
        video=(
            "m=video 0 RTP/AVP 97",
            "a=control:trackID=2",
            "a=rtpmap:97 {codec}/90000",
            "a=fmtp:97 packetization-mode=1; {sets}",
        ),
    ),
    "vstarcam": Dialect(
        path="tcp/av0_0",
        base="{url}",
        session=(),
        video=(
            "m=video 0 RTP/AVP 96",
            "a=control:track0",
            "a=rtpmap:96 {codec}/90000",
            "a=fmtp:96 packetization-mode=1;sprop-parameter-sets=6QAq1x/l,6O48gA==",
        ),
        after=("m=audio 0 RTP/AVP 8\t ", "a=control:track1", "a=rtpmap:8 PCMA/8000/1", ""),
        describe=("Cseq: {cseq}", DATE, "Content-Type: application/sdp", "Content-Length: {length}"),
    ),
    "anpviz": Dialect(
        video=(
            "m=video 0 RTP/AVP 96",
            "a=rtpmap:96 {codec}/90000",
            "a=control:trackID=1",
            "a=fmtp:96 profile-level-id=4D401F;packetization-mode=0;{sets};config=00000001674d401f95a02c049a6c04",
            "a=x-dimensions: 704, 576",
            "a=x-framerate: 12",
        ),
        after=(
            "m=audio 0 RTP/AVP 0",
            "a=rtpmap:0 MPEG4-GENERIC/16000/2",
            "a=control:trackID=2",
            MEDIA_HEADER,
            "a=appversion:1.0",
        ),
        ends_open=True,
    ),
    "anjvision": Dialect(
        codec="h265",
        path="stream0",
        base="{host}/stream0/",
        video=(
            "m=video 0 RTP/AVP 96",
            "a=rtpmap:96 {codec}/90000",
            "a=control:trackID=1",
            "a=fmtp:96 packetization-mode=0;profile-space=0;{sets};config=0000000140010c01ffff01400000",
            "a=x-dimensions: 1280, 720",
            "a=x-framerate: 5",
            MEDIA_HEADER,
        ),
    ),
    "vitek": Dialect(
        codec="h265",
        path="chID=2&streamType=sub",
        session=("a=control:*", "a=range:npt=00.000- "),
        video=(
            "m=video 0 RTP/AVP 98",
            "a=control:trackID=0",
            "a=rtpmap:98 {codec}/90000",
            "a=fmtp:62 profile-level-id=42e032; {sets}; packetization-mode=1",
        ),
        after=("m=audio 0 RTP/AVP 0", "a=control:trackID=1", "a=rtpmap:0 PCMU/8000", "a=ptime:40"),
    ),
    "macro_video": Dialect(
        base="{url}",
        session=("a=control:*", "a=range:npt=0-"),
        video=(
            "m=video 0 RTP/AVP 96",
            "a=rtpmap:96 {codec}/90000",
            "a=fmtp:96 profile-level-id=TeAo;packetization-mode=1;{sets}",
            "a=control:track1",
        ),
        describe=_NO_BASE,
        sets_tail=b"\x0f\x14\x22\xa0",
    ),
    "ipcam": Dialect(
        base="{url}",
        session=("a=control:*", "a=range:npt=0-"),
        video=(
            "m=video 0 RTP/AVP 96",
            "a=rtpmap:96 {codec}/90000 ",
            "a=framerate:0S",
            "a=fmtp:96 profile-level-id=4d0020; packetization-mode=1; {sets}",
            MEDIA_HEADER,
            "a=framerate:25",
            "a=control:trackID=1",
        ),
        describe=("CSeq: {cseq}", "Content-Length: {length}", "Content-Type: application/sdp"),
    ),
    "no_content_type": Dialect(
        base="{url}",
        session=("a=tool:libavformat 58.25.100",),
        video=(
            "m=video 0 RTP/AVP 96",
            "a=rtpmap:96 {codec}/90000",
            "a=fmtp:96 packetization-mode=1; {sets}; profile-level-id=64000D",
            "a=control:streamid=0",
        ),
        describe=("CSeq: {cseq}", "Content-Length: {length}", "Session: l0TtlUFSR"),
        setup=("CSeq: {cseq}", "Session: l0TtlUFSR", "Transport: {transport}"),
    ),
    "raspberry_vlc": Dialect(video=(*_H264[:2], _H264[2] + ";", "a=control:trackID=0")),
}
"""Makes whose description is known."""

_SET_UP = ("CSeq: {cseq}", "Session: 708886412;timeout=60")
ANSWERED: dict[str, Dialect] = {
    "longse": Dialect(
        refused=("CSeq: {cseq} ", "Server: Rtsp Server 1920*1080*20*2048"),
        challenges=(_KNOWN_DIGEST,),
    ),
    "luckfox": Dialect(
        setup=("CSeq: {cseq}", "Transport: RTP/AVP/TCP;ssrc=22345684;interleaved={channels}", "Session: 12345678")
    ),
    "rubetek": Dialect(
        setup=(
            "CSeq: {cseq}",
            "Session: 5657612475258969210",
            'Transport: RTP/AVP/TCP;unicast;interleaved={channels};ssrc=0x6f7c;mode="PLAY"',
            'WWW-Authenticate: Digest realm="{realm}",nonce="{nonce}"',
        ),
        challenges=('WWW-Authenticate: Digest realm="{realm}",nonce="{nonce}"',),
    ),
    "ssrc_with_a_blank": Dialect(setup=(*_SET_UP, "Transport: RTP/AVP/TCP;unicast;interleaved={channels};ssrc= d6d6627")),
    "ssrc_of_four_digits": Dialect(setup=(*_SET_UP, "Transport: RTP/AVP/TCP;unicast;interleaved={channels};ssrc=A046")),
    "laureii": Dialect(
        play=("CSeq: {cseq}", "Session: 12345678", "Range: npt=0.000-", "RTP-Info: url={track};seq=0;rtptime=0;")
    ),
    "tuya": Dialect(
        options=(
            "CSeq: {cseq}",
            "Date: 2023-05-13 23:11:15.5 +0000 UTC m=+165450.8",
            "Public: [OPTIONS DESCRIBE SETUP TEARDOWN PLAY]",
        ),
        challenges=(_KNOWN_DIGEST,),
    ),
}
"""Makes of which another answer is known."""
