"""Live sources: which they are, and all their settings."""

from __future__ import annotations

import dataclasses
import os
import re
import stat
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from msgspec.structs import replace

from engine.config import LiveConfig, SourceConfig
from engine.contracts.camera import Camera, CameraSettings
from engine.contracts.camera_tls import misspelt, verification_of
from engine.errors import ConfigError, SourceError
from engine.source.appearance import appearance_of
from engine.source.camera_name import name_from_url
from engine.source.camera_url import CameraUrl, looks_like_url, parse_camera_url, scheme_of
from engine.source.credentials import credentials_from_url, read_credentials
from engine.source.files import TO_A_FILE, without_password
from engine.source.names import name_from_text
from engine.source.password_hosts import hosts_in, is_given_for, place_of
from engine.words.redaction import redact_url

_DEVICE = re.compile(r"/dev/(video\d+|v4l/by-(id|path)/[^/]+)")
_V4L_MAJOR = 81
"""Of the kernel's device numbers."""
RECORDING_KEYS = ("video_stream", "start_time", "clock_from", "fps")
CAMERA_KEYS = (
    "crop_uri",
    "credentials",
    *(key for key in SourceConfig.__struct_fields__ if key in CameraSettings.__struct_fields__),
)


def is_camera(uri: str) -> bool:
    """Whether a source is live: any URL but ``file://``, or a character device, be it there at the moment or not."""
    if looks_like_url(uri):
        return scheme_of(uri) != "file"
    if _DEVICE.fullmatch(uri):
        return True
    try:
        return stat.S_ISCHR(os.stat(uri).st_mode)
    except (OSError, ValueError):
        return False


def camera_of(source: SourceConfig, live: LiveConfig, warn: Callable[[str], None]) -> tuple[Camera, str]:
    """Return a camera, nameless where the source gives no name, and the name that would be made for it.

    Args:
        source: with a uri for which ``is_camera`` is true.
        live: what the source leaves open.
        warn: called with a sentence on what is unwise but not wrong.

    Raises:
        ConfigError: the address, the device, the credentials or a key is wrong.
    """
    if keys := _given(source, RECORDING_KEYS):
        shown = redact_url(source.uri) if looks_like_url(source.uri) else source.uri
        raise ConfigError(f"{shown} is a camera, `{keys[0]}` is for recordings: leave it out")
    main = _main_stream(source, warn)
    if not looks_like_url(source.uri):
        name = name_from_text(Path(source.uri).name) or "camera"
        return _camera(source, live, _Address(_device(source), source.uri), main), name
    url = parse_camera_url(source.uri)
    return _camera(source, live, _address(source, url, warn), main), name_from_url(url)


class _Address(NamedTuple):
    """Of one stream of a camera."""

    url: str
    """As FFmpeg opens it."""
    shown: str
    """The same without credentials."""


def _main_stream(source: SourceConfig, warn: Callable[[str], None]) -> _Address:
    """Return the address of ``crop_uri``, empty where there is none. Its user and password are those of ``uri``, or of the file
    ``credentials``, unless it has its own."""
    if not source.crop_uri:
        return _Address("", "")
    shown = redact_url(source.crop_uri) if looks_like_url(source.crop_uri) else without_password(source.crop_uri)
    if not is_camera(source.crop_uri):
        raise ConfigError(
            f"crop_uri: {shown} is not a camera's address: give the URL of the camera's main stream, or leave it out"
        )
    if source.crop_uri == source.uri:
        raise ConfigError(f"crop_uri: {shown} is the stream that faces are looked for in: give the camera's other one")
    if not looks_like_url(source.crop_uri):
        return _Address(_device(replace(source, uri=source.crop_uri)), source.crop_uri)
    url = parse_camera_url(source.crop_uri)
    if not url.user_info and not source.credentials and looks_like_url(source.uri):
        first = parse_camera_url(source.uri)
        if first.host == url.host and url.scheme.has_users:
            url = dataclasses.replace(url, user_info=first.user_info)
    return _address(source, url, warn)


def _address(source: SourceConfig, url: CameraUrl, warn: Callable[[str], None]) -> _Address:
    if source.transport == "udp" and url.name != "rtsp":
        raise ConfigError(f"{url.shown}: `transport: udp` is for rtsp:// only, leave it out")
    if url.scheme.protocol == "tls":
        _check_tls(source, url, warn)
    return _Address(url.for_ffmpeg(_user_info(source, url, warn)), url.shown)


def _check_tls(source: SourceConfig, url: CameraUrl, warn: Callable[[str], None]) -> None:
    if wrong := misspelt(source.options):
        raise ConfigError(f"{url.shown}: the option {wrong[0]} is not known: it is spelt {wrong[1]}")
    if verification_of(source.options).wanted is None:
        warn(
            f"{url.shown}: its certificate is not verified, so anybody on the way can pass for it: give the option ca_file "
            '(its certificate, or who signed it) or tls_verify: "1"; tls_verify: "0" says that this is meant'
        )


def check_recording(source: SourceConfig) -> None:
    """Refuse the settings that a recording has no use for.

    Raises:
        ConfigError: the source has a key of ``CAMERA_KEYS``.
    """
    if keys := _given(source, CAMERA_KEYS):
        raise ConfigError(f"the source {source.uri} is a recording, `{keys[0]}` is for cameras: leave it out")


def _given(source: SourceConfig, keys: Iterable[str]) -> list[str]:
    plain = SourceConfig(uri="")
    return [key for key in keys if getattr(source, key) != getattr(plain, key)]


def _camera(source: SourceConfig, live: LiveConfig, address: _Address, main: _Address) -> Camera:
    file = str(Path(source.credentials).expanduser().absolute()) if source.credentials else ""
    return Camera(source.name, *address, appearance_of(source), *main, file, **_settings(source, live))


def renewed(camera: Camera) -> Camera:
    """Return a camera with user and password of ``url`` as they stand in its file now; as it is where it has none.

    Raises:
        SourceError: they may not be sent to its host, or not any more.
        ConfigError: the file holds nothing usable.
    """
    if not camera.credentials or not looks_like_url(camera.url):
        return camera
    url = dataclasses.replace(parse_camera_url(camera.url), user_info="")
    fault, user_info = None, ""
    try:
        user_info = _user_info(SourceConfig(uri=camera.url, credentials=camera.credentials), url, lambda sentence: None)
    except ConfigError as error:
        fault = error
    # After the password: whoever writes the hosts first, and then another password, has it sent to none of the hosts before.
    if camera.credentials_hosts and not is_given_for(url, hosts_in(Path(camera.credentials_hosts))):
        raise SourceError(
            f"{camera.shown} may not be sent the user and password of {Path(camera.credentials).name}: write {place_of(url)} "
            f"into {camera.credentials_hosts}, or remove the camera",
            "permission",
        )
    if fault is not None:
        raise fault
    return replace(camera, url=url.for_ffmpeg(user_info))


def _settings(source: SourceConfig, live: LiveConfig) -> dict[str, Any]:
    """Return a value for every key of ``CameraSettings``: the source's own, else that of ``live``."""
    own = {key: value for key in CameraSettings.__struct_fields__ if (value := getattr(source, key, None)) is not None}
    return {key: getattr(live, key) for key in CameraSettings.__struct_fields__ if hasattr(live, key)} | own


def _device(source: SourceConfig) -> str:
    """Return the path of a V4L2 device below /dev; one that is missing may be plugged in later."""
    if keys := _given(source, ("credentials", "transport")):
        raise ConfigError(f"{source.uri} is a device, `{keys[0]}` is for network cameras: leave it out")
    try:
        status = os.stat(source.uri)
    except FileNotFoundError:
        return source.uri
    except OSError as error:
        raise ConfigError(f"the device {source.uri} cannot be examined: {error.strerror}") from error
    if not stat.S_ISCHR(status.st_mode) or os.major(status.st_rdev) != _V4L_MAJOR:
        raise ConfigError(
            f"{source.uri} is not a camera: give a video device (an example: /dev/video0), a URL or a recording; {TO_A_FILE}"
        )
    # A name below /dev that udev made outlives replugging, a link from elsewhere is followed.
    return source.uri if source.uri.startswith("/dev/") else os.path.realpath(source.uri)


def _user_info(source: SourceConfig, url: CameraUrl, warn: Callable[[str], None]) -> str:
    """Return user and password as they stand in a URL, from the URL or from the credentials file."""
    if not source.credentials:
        if not url.user_info or not url.scheme.decodes_users:
            return url.user_info
        encoded = credentials_from_url(url.user_info, url.shown).encoded
    else:
        if url.user_info:
            raise ConfigError(f"{url.shown} has credentials in its address and in `credentials`: give them once")
        if not url.scheme.has_users:
            raise ConfigError(f"{url.shown}: `credentials` does not apply, {url.name} has no user names: leave it out")
        credentials, warning = read_credentials(Path(source.credentials))
        if warning:
            warn(warning)
        encoded = credentials.encoded
        if "%" in encoded and not url.scheme.decodes_users:
            raise ConfigError(
                f"{url.shown}: FFmpeg takes user and password of {url.name} only from letters, digits and -._~!$&'()*+,;= "
                f"but {source.credentials} holds others: choose another password"
            )
    if len(encoded) > url.scheme.longest_user_info:
        raise ConfigError(
            f"{url.shown}: user and password have {len(encoded)} characters with their escapes, FFmpeg takes "
            f"{url.scheme.longest_user_info} for {url.name}: choose shorter ones"
        )
    return encoded
