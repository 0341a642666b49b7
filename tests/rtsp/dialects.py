"""What cameras of many makes were seen to say, each with the video that it sends; facts, in words of our own.

Makes of which only a part is known are in ``dialects_in_part``.
"""

from __future__ import annotations

from dataclasses import replace

from tests.rtsp import rtp
from tests.rtsp.dialect import Dialect

AAC = "sizelength=13;indexlength=3;indexdeltalength=3;config=1408; profile=1;"
METADATA = ("m=application 0 RTP/AVP 107", "a=rtpmap:107 vnd.onvif.metadata/90000")
MEDIA_HEADER = "a=Media_header:MEDIAINFO=" + "494D4B48" + "0" * 72 + ";"
_OTHER_SSRC = rtp.header(7, 7, True)[:8] + b"\0\0\0\7" + b"\x41" * 40
STALE = b"$\0" + len(_OTHER_SSRC).to_bytes(2, "big") + _OTHER_SSRC
"""A packet of a viewer that has left, which old LIVE555 sends to the next one."""
DATE = "Date: Fri, Apr 30 2021 20:12:32 GMT"

_REOLINK = Dialect(
    path="h264Preview_01_main",
    session=("a=type:broadcast", "a=control:*", "a=range:npt=0-"),
    video=(
        "m=video 0 RTP/AVP 96",
        "b=AS:500",
        "a=rtpmap:96 {codec}/90000",
        "a=range:npt=0-",
        "a=fmtp:96 packetization-mode=1;profile-level-id=640033;{sets}",
        "a=control:trackID=1",
    ),
    after=("m=audio 0 RTP/AVP 97", "a=rtpmap:97 MPEG4-GENERIC/16000", f"a=fmtp:97 {AAC}", "a=control:trackID=2"),
    describe=("CSeq: {cseq}", DATE, "Content-Base: {base}", "Content-Type: application/sdp", "Content-Length: {length}"),
    setup=(
        "CSeq: {cseq}",
        DATE,
        "Transport: RTP/AVP/TCP;unicast;destination={client};source=127.0.0.1;interleaved={channels}",
        "Session: F8F8E425",
    ),
    play=(
        "Server: Rtsp Server/2.0",
        "CSeq: {cseq}",
        "Range: npt=0.000-",
        "Session: F8F8E425",
        "RTP-Info: url=trackID=1;seq={seq};rtptime={rtptime};ssrc=dcc4a0d8,url=trackID=2;seq=3;rtptime=5;ssrc=9fc9fff8",
    ),
    others=("CSeq: {cseq}", DATE),
    challenges=('WWW-Authenticate: Digest realm="{realm}", nonce="{nonce}", stale="FALSE"',),
    stray=STALE,
)

_DAHUA = Dialect(
    path="cam/realmonitor?channel=1&subtype=1",
    session=("a=control:*", "a=packetization-supported:DH", "a=rtppayload-supported:DH", "a=range:npt=now-"),
    video=(
        "m=video 0 RTP/AVP 96",
        "a=control:trackID=0",
        "a=framerate:15.000000",
        "a=rtpmap:96 {codec}/90000",
        "a=fmtp:96 packetization-mode=1;profile-level-id=64001E;{sets}",
        "a=recvonly",
    ),
    after=("m=audio 0 RTP/AVP 97", "a=control:trackID=1", "a=rtpmap:97 MPEG4-GENERIC/48000", *METADATA, "a=control:trackID=4"),
    options=("CSeq: {cseq}", "Session: 136527041864", "Server: Rtsp Server/3.0", "Public: OPTIONS, DESCRIBE, SETUP, PLAY"),
    describe=(
        "CSeq: {cseq}",
        "x-Accept-Dynamic-Rate: 1",
        "Content-Base: {base}",
        "Cache-Control: must-revalidate",
        "Content-Length: {length}",
        "Content-Type: application/sdp",
    ),
    setup=(
        "CSeq: {cseq}",
        "Session: 634214675641;timeout=60",
        "Transport: RTP/AVP/TCP;unicast;interleaved={channels};ssrc=30A98EE7",
        "x-Dynamic-Rate: 1",
    ),
    play=(
        "CSeq: {cseq}",
        "Session: 634214675641",
        "Range: npt=0.000000-",
        "RTP-Info: url=trackID=0;seq=47121;rtptime=3475222385,url=trackID=1;seq=45186;rtptime=2234446919",
    ),
    challenges=('WWW-Authenticate: Digest realm="{realm}", nonce="{nonce}"',),
)

_HIKVISION = Dialect(
    path="Streaming/Channels/101?transportmode=unicast&profile=Profile_1",
    base="rtsp://{host}/Streaming/Channels/101/",
    session=("b=AS:5050", "a=control:rtsp://{host}/Streaming/Channels/101/?transportmode=unicast&profile=Profile_1"),
    video=(
        "m=video 0 RTP/AVP 96",
        "b=AS:5000",
        "a=recvonly",
        "a=x-dimensions:1920,1080",
        "a=control:rtsp://{host}/Streaming/Channels/101/trackID=1?transportmode=unicast&profile=Profile_1",
        "a=rtpmap:96 {codec}/90000",
        "a=fmtp:96 profile-level-id=420029; packetization-mode=1; {sets}",
    ),
    after=(
        *METADATA,
        "a=control:rtsp://{host}/Streaming/Channels/101/trackID=3?transportmode=unicast&profile=Profile_1",
        MEDIA_HEADER,
        "a=appversion:1.0",
    ),
    describe=("CSeq: {cseq}", "Content-Type: application/sdp", "Content-Base: {base}", "Content-Length: {length}"),
    setup=(
        "CSeq: {cseq}",
        "Session:        708345999;timeout=60",
        'Transport: RTP/AVP/TCP;unicast;interleaved={channels};ssrc=4cacc3d1;mode="play"',
        "Date:  Wed, May 05 2021 21:51:17 GMT",
    ),
    play=("CSeq: {cseq}", "Session:        708345999", "RTP-Info: url={track};seq={seq};rtptime={rtptime}"),
    challenges=(
        'WWW-Authenticate: Digest realm="{realm}", nonce="{nonce}", stale="FALSE"',
        'WWW-Authenticate: Basic realm="{realm}"',
    ),
)

_GW_SECURITY = Dialect(
    path="H264?channel=1&subtype=0&unicast=true&proto=Onvif",
    base="{url}",
    session=("a=range:npt=now-", "a=control:*"),
    video=(
        "m=video 0 RTP/AVP 96",
        "a=rtpmap:96 {codec}/90000",
        "a=control:video",
        "a=fmtp:96 packetization-mode=1;profile-level-id=5046314;{sets}",
    ),
    after=("m=audio 0 RTP/AVP 8", "a=control:audio", "a=rtpmap:8 PCMU/8000/1", "a=fmtp:8 vad=no", "a=appversion:2.0"),
    describe=("Server: Rtsp Server/2.0", "CSeq: {cseq}", "Content-Base: {base}", "Content-Length: {length}"),
    setup=(
        "CSeq: {cseq}",
        "Transport: RTP/AVP/TCP;unicast;destination={client};source=127.0.0.1;interleaved={channels}",
        "Session: 9a90de54; timeout=60",
    ),
    play=(
        "CSeq: {cseq}",
        "Session: 9a90de54; timeout=120",
        "RTP-Info: url=rtsp://{host}/H264/video;seq=271;rtptime=1621990950",
    ),
    sets_tail=b"\0\0\0\1",
)

_H264DVR = Dialect(
    path="user=admin&password=&channel=1&stream=0.sdp",
    base="rtsp://{host}/camera",
    session=("a=control:*", "a=range:npt=0-"),
    video=(
        "m=video 0 RTP/AVP 96",
        "a=rtpmap:96 {codec}/90000 ",
        "a=framerate:0S",
        "a=fmtp:96 profile-level-id=420029; packetization-mode=1; {sets}",
        "a=framerate:25",
        "a=control:trackID=3",
    ),
    after=("m=audio 0 RTP/AVP 8", "a=control:trackID=4"),
    options=("Server: H264DVR 1.0", "Cseq: {cseq}"),
    describe=(
        "Content-Type: application/sdp",
        "Server: H264DVR 1.0",
        "Cseq: {cseq}",
        "Content-Base: {base}",
        "Content-Length: {length}",
    ),
    setup=(
        "Server: H264DVR 1.0",
        "Cseq: {cseq}",
        "Session: 231970;timeout=60",
        "Transport: RTP/AVP/TCP;unicast;mode=PLAY;interleaved={channels};ssrc=0",
        "Cache-Control: private",
    ),
    play=("Server: H264DVR 1.0", "Cseq: {cseq}", "Range: npt=now-", "Session: 231970"),
    others=("Cseq: {cseq}",),
    refused=("Cseq: {cseq}",),
)

_WOWZA = Dialect(
    path="vod/mp4:BigBuckBunny_115k.mov",
    session=("a=control:*", "a=range:npt=0-596.48"),
    video=("m=video 0 RTP/AVP 97", "a=rtpmap:97 {codec}/90000", "a=fmtp:97 packetization-mode=1;{sets}", "a=control:trackID=2"),
    before=("m=audio 0 RTP/AVP 96", "a=rtpmap:96 mpeg4-generic/12000/2", f"a=fmtp:96 {AAC}", "a=control:trackID=1"),
    setup=(
        "CSeq: {cseq}",
        "Cache-Control: no-cache",
        "Expires: Sat, 8 May 2021 04:35:51 UTC",
        "Transport: RTP/AVP/TCP;unicast;interleaved={channels}",
        "Session: 1642021126;timeout=60",
    ),
    play=(
        "RTP-Info: url=trackID=1;seq=1;rtptime=-1,url={track};seq=1;rtptime=-1",
        "CSeq: {cseq}",
        "Range: npt=0.0-596.48",
        "Session: 1642021126;timeout=60",
    ),
)

CAMERAS: dict[str, Dialect] = {
    "reolink": _REOLINK,
    "dahua": _DAHUA,
    "dahua_h265": replace(
        _DAHUA,
        codec="h265",
        path="cam/realmonitor?channel=1&subtype=2",
        video=(
            "m=video 0 RTP/AVP 98",
            "a=control:trackID=0",
            "a=framerate:12.000000",
            "a=rtpmap:98 {codec}/90000",
            "a=fmtp:98 profile-id=1;{sets}",
            "a=recvonly",
        ),
        after=("m=audio 0 RTP/AVP 8", "a=control:trackID=1", "a=rtpmap:8 PCMA/8000", "a=recvonly"),
        play=("Server: Rtsp Server/2.0", "CSeq: {cseq}", "RTP-Info: url=trackID=0;seq=13210;rtptime=1;ssrc=4294962989"),
    ),
    "hikvision": _HIKVISION,
    "gw_security": _GW_SECURITY,
    "h264dvr": _H264DVR,
    "wowza": _WOWZA,
}
"""Makes whose whole exchange is known."""
