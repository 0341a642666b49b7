"""How one make of camera says what all say: its lines, their order, its URLs, and what it leaves out."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass

from tests.rtsp.clips import Clip, Codec, nals, parameter_kind
from tests.rtsp.rtp import USUAL, Packing

REALM = "camera"
NONCE = "4f1c2d"
_CONTROL = re.compile(r"^a=control:(\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Dialect:
    """The default is what the scripted server says where no camera is played. Every line may hold ``{words}``.

    Words of all lines: ``url`` (as it was asked for), ``host`` (with port), ``path``, ``base``; of answers also ``cseq``,
    ``id``, ``seconds``, ``length``; of SETUP ``transport`` (as asked for), ``channels``, ``client``, by UDP
    ``ports`` and ``server_ports``; of PLAY ``track`` (the
    URL that was set up), ``seq``, ``rtptime``; of descriptions ``codec``, ``fps``, ``sets``.
    """

    codec: Codec = "h264"
    path: str = "cam"
    base: str = "{url}/"
    """What relative URLs of the description are relative to: the Content-Base where there is one, else ``{url}``."""
    session: tuple[str, ...] = ("a=range:npt=0-",)
    """Of the description, behind its time."""
    before: tuple[str, ...] = ()
    """Other media ahead of the video."""
    video: tuple[str, ...] = (
        "m=video 0 RTP/AVP 96",
        "a=rtpmap:96 {codec}/90000",
        "a=fmtp:96 packetization-mode=1;{sets}",
        "a=framerate:{fps}",
        "a=control:video",
    )
    after: tuple[str, ...] = ()
    """Other media behind the video, and what stands at the end."""
    options: tuple[str, ...] = ("CSeq: {cseq}", "Public: OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, GET_PARAMETER, TEARDOWN")
    describe: tuple[str, ...] = (
        "CSeq: {cseq}",
        "Content-Base: {base}",
        "Content-Type: application/sdp",
        "Content-Length: {length}",
    )
    setup: tuple[str, ...] = ("CSeq: {cseq}", "Session: {id};timeout={seconds}", "Transport: {transport}")
    setup_udp: tuple[str, ...] = ("CSeq: {cseq}", "Session: {id};timeout={seconds}", "Transport: {transport};{server_ports}")
    play: tuple[str, ...] = ("CSeq: {cseq}", "Session: {id};timeout={seconds}", "Range: npt=0-")
    others: tuple[str, ...] = ("CSeq: {cseq}", "Session: {id};timeout={seconds}")
    refused: tuple[str, ...] = ("CSeq: {cseq}",)
    """Of every status but 200; challenges follow."""
    challenges: tuple[str, ...] = ()
    """With ``{realm}`` and ``{nonce}``; none: one of the scheme that the behaviour asks for."""
    newline: str = "\r\n"
    body_newline: str = "\r\n"
    ends_open: bool = False
    """The description's last line has no end."""
    sets_tail: bytes = b""
    """What stands behind each parameter set of the description."""
    sets_sent: bool = True
    """Parameter sets come with the pictures, too."""
    packing: Packing = USUAL
    channels: str = ""
    """Interleaved channels that the camera takes, whatever it was asked for."""
    early: int = 0
    """Pictures that are sent before the answer to PLAY."""
    stray: bytes = b""
    """What is sent ahead of each answer but the first: data of an earlier session, blank lines."""

    @property
    def payload_type(self) -> int:
        return int(self.video[0].split()[3])

    def words(self, url: str) -> dict[str, str]:
        """Return what the lines may hold of an URL that was asked for."""
        host, _, path = url.partition("://")[2].partition("/")
        known = {"url": url.rstrip("/"), "host": host, "path": path.rstrip("/")}
        return known | {"base": self.base.format(**known)}

    def tracks(self, url: str) -> dict[str, str]:
        """Return which URLs may be set up for a camera that is described at ``url``, and which media they are.

        A relative control stands behind the base with one slash between, as all clients read it (RFC 2326 would have it
        otherwise, where a base has a query).
        """
        words = self.words(url)
        found: dict[str, str] = {}
        if not _CONTROL.search("\n".join(self.video)):  # then the whole is the track (RFC 2326, C.1.1)
            found = {words["base"]: "video"}
        for name, lines in (("before", self.before), ("video", self.video), ("after", self.after)):
            for index, control in enumerate(_CONTROL.findall("\n".join(lines))):
                control = control.format(**words)
                absolute = control if "://" in control else f"{words['base'].removesuffix('/')}/{control}"
                found[absolute] = "video" if name == "video" else f"{name} {index}"
        return found

    def aggregate(self, url: str) -> str:
        """Return the URL of the whole session."""
        words = self.words(url)
        control = next(iter(_CONTROL.findall("\n".join(self.session))), "*").format(**words)
        return control if "://" in control else words["base"]

    def lines_of(self, method: str, udp: bool = False) -> tuple[str, ...]:
        """Return the header of an answer 200."""
        setup = self.setup_udp if udp else self.setup
        named = {"OPTIONS": self.options, "DESCRIBE": self.describe, "SETUP": setup, "PLAY": self.play}
        return named.get(method, self.others)

    def description(self, url: str, clip: Clip, codec: str, told: bool) -> str:
        """Return the session description; ``told``: with parameter sets."""
        host = url.partition("://")[2].partition("/")[0].partition(":")[0]
        lines = ["v=0", f"o=- 1 1 IN IP4 {host}", "s=camera", "c=IN IP4 0.0.0.0", "t=0 0"]
        lines += [*self.session, *self.before, *self.video, *self.after]
        values: Mapping[str, object] = self.words(url) | {
            "codec": codec,
            "fps": clip.fps,
            "sets": parameter_sets(clip, self.sets_tail) if told else "",
        }
        return self.body_newline.join(line.format(**values) for line in lines) + self.body_newline * (not self.ends_open)


def parameter_sets(clip: Clip, tail: bytes = b"") -> str:
    """Return a clip's parameter sets as a description names them."""
    found: dict[str, list[str]] = {}
    for nal in nals(clip.units[0]):
        kind = parameter_kind(nal, clip.codec)
        if kind:
            found.setdefault(kind, []).append(b64encode(nal + tail).decode())
    return ";".join(f"{name}={','.join(values)}" for name, values in found.items())


PLAIN = Dialect()
