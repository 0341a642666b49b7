"""The address of a camera: taken apart, checked, and put together again for FFmpeg."""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.errors import ConfigError
from engine.words.redaction import redact_url


@dataclass(frozen=True)
class Scheme:
    """What FFmpeg wants to know for one kind of address."""

    example: str
    default_port: int | None = None
    """None: the port must be given."""
    has_users: bool = True
    decodes_users: bool = True
    """Whether FFmpeg undoes the escapes in user and password."""
    listens_with: str | None = None
    """What the address must hold so that it needs no host and waits for the camera to call; None: it always needs one."""
    longest_user_info: int = 1000
    """FFmpeg cuts what is longer, without a word."""
    protocol: str = ""
    """What FFmpeg may have been built without."""


SCHEMES = {
    "rtsp": Scheme("rtsp://user:password@10.0.0.5:554/stream1", 554, longest_user_info=127),
    "rtsps": Scheme("rtsps://user:password@10.0.0.5:322/stream1", 322, longest_user_info=127, protocol="tls"),
    "http": Scheme("http://10.0.0.5/video.mjpg", 80),
    "https": Scheme("https://10.0.0.5/video.mjpg", 443, protocol="tls"),
    "udp": Scheme("udp://239.0.0.1:5000", has_users=False, listens_with=""),
    "tcp": Scheme("tcp://10.0.0.5:5000", has_users=False, listens_with="listen"),
    "srt": Scheme("srt://10.0.0.5:9000", has_users=False, listens_with="listen", protocol="srt"),
    "rtmp": Scheme("rtmp://10.0.0.5/app/stream1", 1935, decodes_users=False),
    "rtmps": Scheme("rtmps://10.0.0.5/app/stream1", 443, decodes_users=False, protocol="tls"),
}
_URL = re.compile(r"\s*([^\s:/]+):/{2,}")
_HALF_URL = re.compile(rf"\s*({'|'.join(SCHEMES)}):", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"[^[].*[${}<>()|\\^\"'`*%]|[${<(%*]")
"""What a host's name holds that somebody has yet to replace; in an IPv6 address ``%`` stands before its zone."""
_LEFT = "has a placeholder for a host; variables are not replaced in a configuration"
_HOST_AND_PORT = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+(?:%\w+)?]|[^][:]*)(?P<port>:[^:]*)?")


@dataclass(frozen=True)
class CameraUrl:
    """A checked address."""

    name: str
    """Of its scheme, in small letters."""
    user_info: str
    """As written; may be empty."""
    host: str
    port: int | None
    """None where it was not given."""
    tail: str
    """Path and query, as written."""
    shown: str

    @property
    def scheme(self) -> Scheme:
        return SCHEMES[self.name]

    @property
    def path(self) -> str:
        return re.split(r"[?#]", self.tail, maxsplit=1)[0]

    def for_ffmpeg(self, user_info: str) -> str:
        """Return the address with another user part."""
        at = f"{user_info}@" if user_info else ""
        return f"{self.name}://{at}{self.host}" + (f":{self.port}" if self.port else "") + self.tail


def looks_like_url(uri: str) -> bool:
    """Whether a source is meant as a URL and not as a path, be it a good one or not; ``file://`` counts too."""
    return bool(_URL.match(uri) or _HALF_URL.match(uri))


def scheme_of(uri: str) -> str:
    """Return the scheme of what looks like a URL, in small letters."""
    found = _URL.match(uri) or _HALF_URL.match(uri)
    return found[1].lower() if found else ""


def parse_camera_url(uri: str) -> CameraUrl:
    """Take a camera's URL apart.

    Raises:
        ConfigError: it has an unknown scheme, no host, no port where one is needed, a bad port, or characters that must be
            escaped; the message shows no credentials.
    """
    shown = redact_url(uri)
    name = scheme_of(uri)
    scheme = SCHEMES.get(name)
    if scheme is None:
        kinds = ", ".join(f"{known}://" for known in SCHEMES)
        raise ConfigError(f"{shown} has a scheme that is not known: give {kinds}, a device such as /dev/video0, or a path")
    if not _URL.match(uri):
        raise _bad(f"a {name} address", f"needs two slashes after {name}:", scheme)
    rest = uri.partition("://")[2]
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if re.search(r"[\s\x00-\x1f\x7f]", uri):
        for_host = _PLACEHOLDER.match(authority.rpartition("@")[2])
        raise _bad(shown, _LEFT if for_host else "holds spaces or control characters: write a space as %20", scheme)
    tail = rest[len(authority) :]
    if "@" in tail:
        raise _bad(
            shown,
            "has an @ after the host: in a password write / as %2F, ? as %3F, # as %23 and % as %25 "
            "(or put user and password into a file named by `credentials`), in a path or query write @ as %40",
            scheme,
        )
    user_info, _, address = authority.rpartition("@")
    if user_info and not scheme.has_users:
        raise _bad(shown, f"has a user, which {name} does not know", scheme)
    host, port = _host_and_port(address, scheme, shown)
    if not host and (scheme.listens_with is None or scheme.listens_with not in tail):
        raise _bad(shown, "names no host", scheme)
    _check_built_in(name, scheme, shown)
    return CameraUrl(name, user_info, host, port, tail, shown)


def _host_and_port(address: str, scheme: Scheme, shown: str) -> tuple[str, int | None]:
    found = _HOST_AND_PORT.fullmatch(address)
    if found is None:
        raise _bad(shown, "has an invalid host; write an IPv6 address in brackets, such as [fe80::1]", scheme)
    host, port = found["host"], (found["port"] or "")[1:]
    if _PLACEHOLDER.match(host):
        raise _bad(shown, _LEFT, scheme)
    if found["port"] is None and scheme.default_port is None:
        raise _bad(shown, "names no port", scheme)
    if found["port"] is not None and not (re.fullmatch("[0-9]{1,5}", port) and 1 <= int(port) <= 65535):
        raise _bad(shown, "has a port that is not a number from 1 to 65535", scheme)
    return host, int(port) if port else None


def has_protocol(name: str) -> bool:
    """Ask FFmpeg for a protocol by an address without a port, which it refuses before it touches the network."""
    import av  # which loads FFmpeg
    import av.logging

    av.logging.set_level(None)
    try:
        av.open(f"{name}://localhost").close()
    except av.error.ProtocolNotFoundError:
        return False
    except (av.error.FFmpegError, OSError, ValueError):
        pass
    return True


def lacking_schemes() -> list[str]:
    """Return the kinds of addresses that this FFmpeg was built without, as ``srt``."""
    import av

    rtsp = "rtsp" in av.formats_available  # a format of its own, the others are protocols
    lacking = [name for name, scheme in SCHEMES.items() if scheme.protocol and not has_protocol(scheme.protocol)]
    return lacking + [name for name in SCHEMES if name.startswith("rtsp") and not rtsp and name not in lacking]


def _check_built_in(name: str, scheme: Scheme, shown: str) -> None:
    if scheme.protocol and not has_protocol(scheme.protocol):
        raise ConfigError(
            f"{shown}: the FFmpeg of this installation was built without {scheme.protocol}, which {name} needs: use another "
            "protocol of the camera, or a PyAV that is built with it"
        )


def _bad(shown: str, fault: str, scheme: Scheme) -> ConfigError:
    return ConfigError(f"{shown} {fault} (an example: {scheme.example})")
