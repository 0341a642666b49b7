"""What the options of ``facestream run`` change in the configuration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.config import SourceConfig
from engine.errors import FacestreamError, UsageError
from engine.source.camera_url import SCHEMES, looks_like_url, scheme_of
from engine.source.cameras import is_camera
from engine.source.files import recordings_of


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
    uris: list[str] | None, settings: dict[str, Any], crop_uris: list[str] | None = None
) -> list[dict[str, Any]] | None:
    """Return the sources of the command line, each with those of the settings that mean something for it.

    Args:
        uris: recordings and cameras; None or empty: those of the configuration file are used.
        settings: keys of a source to values; None: not given.
        crop_uris: main streams, one for each camera with an address, in the same order; None or empty: they have none.

    Raises:
        UsageError: a setting is given and none of the sources has a use for it, or there are not as many main streams.
    """
    sources: list[dict[str, Any]] = [{"uri": uri} for uri in uris or []]
    if crop_uris:
        cameras = [source for source in sources if looks_like_url(source["uri"]) and is_camera(source["uri"])]
        if len(cameras) != len(crop_uris):
            raise UsageError(
                f"--crop-uri is given {len(crop_uris)} times for {len(cameras)} cameras with an address: give one for each, or "
                "write `crop_uri` under a source of a configuration file"
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
    return sources or None


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
    "credentials": ("a camera on the network", _has_users),
    "video_stream": _RECORDING,
    "start_time": _RECORDING,
    "clock_from": _RECORDING,
    "fps": ("pictures", _has_pictures),
}
"""Keys that not every source has a use for: which it must be, in words and as a test of its uri."""
