"""What a camera is called that was given no name."""

from __future__ import annotations

import re
from urllib.parse import unquote

from engine.source.camera_url import CameraUrl
from engine.source.names import NAME_LENGTH, name_from_text

_OF_EVERY_CAMERA = re.compile(r"/(cam/realmonitor|(ISAPI/)?Streaming/Channels|axis-media/media\.amp)(?=[/?]|$)", re.IGNORECASE)
"""What the paths of all cameras of a make begin with."""
_ENDING = re.compile(r"\.(sdp|amp|mjpe?g|cgi|m3u8|bcs|flv|ts)$", re.IGNORECASE)
_WHICH_STREAM = re.compile(
    r"(?:^|[/?&;_])(ch|chn|chn?id|channel|channelid|cam|camera|stream|streamtype|subtype|profile|video|source)"
    r"=([A-Za-z0-9-]{1,12})(?![A-Za-z0-9-])",
    re.IGNORECASE,
)
"""Of a path or query, what says which stream of a device it is. Whatever else stands there may be a secret."""
_ANY_ADDRESS = ("", "0.0.0.0", "[::]")


def name_from_url(url: CameraUrl) -> str:
    """Return a valid stream name: host, port where it is not the usual one, path, and which channel or stream is asked for.

    It depends on nothing but the address, so that a camera keeps its name whatever cameras are beside it.
    """
    host = url.name if url.host in _ANY_ADDRESS else url.host
    port = "" if url.port in {None, url.scheme.default_port} else str(url.port)
    which = [key + value if value[0].isdigit() else value for key, value in _WHICH_STREAM.findall(url.tail.partition("#")[0])]
    names = map(name_from_text, (unquote(host), port, *_path(url), *which))
    return "_".join(filter(None, names))[:NAME_LENGTH].strip("._") or "camera"


def _path(url: CameraUrl) -> list[str]:
    """Return the parts of the path that hold no settings, which might be a password."""
    parts = map(unquote, _OF_EVERY_CAMERA.sub("", url.path).split("/"))
    return [_ENDING.sub("", part) for part in parts if "=" not in part]
