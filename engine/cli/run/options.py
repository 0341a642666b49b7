"""What the options of ``facestream run`` change in the configuration."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.config import SourceConfig
from engine.errors import FacestreamError, UsageError
from engine.source.camera_url import SCHEMES, looks_like_url, parse_camera_url, scheme_of
from engine.source.cameras import is_camera
from engine.source.files import recordings_of
from engine.words.numbers import count


def given(options: dict[str, Any]) -> dict[str, Any]:
    """Return nested options without those that were not given."""
    result: dict[str, Any] = {}
    for key, value in options.items():
        if isinstance(value, dict):
            if below := given(value):
                result[key] = below
        elif value is not None:
            result[key] = value
    return result


def sources_of(
    uris: list[str] | None,
    settings: dict[str, Any],
    crop_uris: list[str] | None,
    credentials: list[str] | None,
) -> list[dict[str, Any]] | None:
    """Return the sources of the command line, each with those of the settings that mean something for it.

    Args:
        uris: recordings and cameras, these also as NAME=URL; None or empty: those of the configuration file are used.
        settings: keys of a source to values; None: not given.
        crop_uris: main streams, one for each camera with an address, in the same order; None or empty: they have none.
        credentials: a file for all cameras of one host, or HOST=FILE.

    Raises:
        UsageError: a setting is given and none of the sources has a use for it, there are not as many main streams, or it
            is not said for which host a password is.
    """
    sources = [_source(uri) for uri in uris or []]
    if crop_uris:
        cameras = [source for source in sources if looks_like_url(source["uri"]) and is_camera(source["uri"])]
        if len(cameras) != len(crop_uris):
            raise UsageError(
                f"--crop-uri is given {count(len(crop_uris), 'time')} for {count(len(cameras), 'camera')} with an "
                "address: give one for each, or write `crop_uri` under a source of a configuration file"
            )
        for camera, crop_uri in zip(cameras, crop_uris, strict=True):
            camera["crop_uri"] = crop_uri
    for key, value in given(settings).items():
        kind, is_of_use = _USERS_OF.get(key, ("a recording or camera", _always))
        users = [source for source in sources if is_of_use(source["uri"])]
        if not users:
            option = key.replace("_", "-")
            raise UsageError(
                f"--{option} needs {kind} as --source; in a configuration file write `{key}: {value}` under the source"
            )
        for source in users:
            source[key] = value
    for file_of_host in credentials or []:
        _give_credentials(sources, file_of_host)
    return sources or None


def _source(given: str) -> dict[str, Any]:
    name, equals, uri = given.partition("=")
    is_named = equals and name and not re.search("[:/]", name) and (looks_like_url(uri) or uri.startswith("/dev/"))
    return {"uri": uri, "name": name} if is_named else {"uri": given}


def _give_credentials(sources: list[dict[str, Any]], given: str) -> None:
    """A password is told to the host that it is for, and to no other."""
    cameras = [source for source in sources if _has_users(source["uri"])]
    if not cameras:
        raise UsageError(
            f"--credentials needs a camera on the network as --source; in a configuration file write `credentials: {given}` "
            "under the source"
        )
    hosts = {host for source in cameras for host in _hosts(source)}
    named, is_named, file = given.rpartition("=")
    if is_named and named not in hosts and not Path(given).expanduser().exists():
        raise UsageError(f"--credentials {given}: no camera is at {named}: give one of {', '.join(sorted(hosts))} before the =")
    host = named if is_named and named in hosts else ""
    if not host and len(hosts) > 1:
        raise UsageError(
            f"--credentials {given} would be sent to all of {', '.join(sorted(hosts))}: say whose it is, as "
            f"--credentials {min(hosts)}={given}, once for each"
        )
    for source in cameras:
        if not hosts or (_hosts(source) if not host else _hosts(source) == {host}):
            source["credentials"] = file if host else given
        elif host in _hosts(source):
            raise UsageError(
                f"--credentials {given}: the two streams of a camera are at {' and '.join(sorted(_hosts(source)))}, and would "
                "both get it: write it under the source in a configuration file"
            )


def _hosts(source: dict[str, Any]) -> set[str]:
    """Return where the streams of a camera are that have no user of their own, empty where all have."""
    urls = [parse_camera_url(uri) for uri in (source["uri"], source.get("crop_uri", "")) if uri and _has_users(uri)]
    return {url.host for url in urls if not url.user_info}


def check_duration(seconds: float | None) -> None:
    """Refuse a time that is none.

    Raises:
        UsageError: it is not more than 0.
    """
    if seconds is not None and not seconds > 0:
        raise UsageError(f"--duration {seconds:g} must be more than 0 seconds")


def _is_rtsp(uri: str) -> bool:
    return looks_like_url(uri) and scheme_of(uri) == "rtsp"


def _has_pictures(uri: str) -> bool:
    """Whether a source is a series of pictures, or one; what cannot be found is refused later, with its own words."""
    try:
        return not is_camera(uri) and any(one.pictures for one in recordings_of(SourceConfig(uri=uri)))
    except FacestreamError:
        return False


def _has_users(uri: str) -> bool:
    """Whether a camera's address may hold a user; an unknown kind of address is refused later, with its own words."""
    if not (looks_like_url(uri) and is_camera(uri)):
        return False
    scheme = SCHEMES.get(scheme_of(uri))
    return scheme is None or scheme.has_users


def _always(uri: str) -> bool:
    return True


def _is_recording(uri: str) -> bool:
    return not is_camera(uri)


_RECORDING = ("a recording", _is_recording)
_USERS_OF: dict[str, tuple[str, Callable[[str], bool]]] = {
    "transport": ("an rtsp:// address", _is_rtsp),
    "video_stream": _RECORDING,
    "start_time": _RECORDING,
    "clock_from": _RECORDING,
    "fps": ("pictures", _has_pictures),
}
"""Keys that not every source has a use for: which it must be, in words and as a test of its uri."""
