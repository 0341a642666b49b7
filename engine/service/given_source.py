"""A camera as it is given while the service runs: what it may say, and where its user and password go."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Collection
from pathlib import Path
from urllib.parse import unquote_to_bytes

from msgspec.structs import replace

from engine.config import LiveConfig, SourceConfig
from engine.config_serve import ServeConfig
from engine.contracts.camera import Camera
from engine.contracts.messages import check_stream_name
from engine.contracts.redaction import redact_tree
from engine.errors import ConfigError, PublishError
from engine.service.addresses import AllowedNetworks
from engine.service.directory import ServiceDirectory
from engine.service.refusal import Refusal
from engine.source.camera_url import looks_like_url, parse_camera_url
from engine.source.cameras import is_camera
from engine.source.credentials import read_credentials
from engine.source.sources import expand_sources
from engine.whole_file import replacing, sync_directory

SCHEMES = ("rtsp", "rtsps", "http", "https", "srt", "rtmp", "rtmps")
"""Of cameras that are called. Those that wait to be called (udp, tcp with listen) open a port here."""
OPTIONS = frozenset({
    "rtsp_transport", "rtsp_flags", "user_agent", "tls_verify", "verify", "min_port", "max_port", "reorder_queue_size",
    "buffer_size", "max_delay", "video_size", "framerate", "input_format", "pixel_format", "latency",
})  # fmt: skip
"""FFmpeg's own that a camera may be given: none of them names a file, a protocol, a host or a header."""
_FLAGS = {"rtsp_flags": {"filter_src", "prefer_tcp", "satip_raw"}}
_TEXT = re.compile(r"[\x20-\x7e]{0,256}")
_SECRET_PARTS = re.compile(r"[/?&;][^=&/?;]*(?:pass|pwd|pw|token|secret|key|auth)[^=&/?;]*=.", re.IGNORECASE)
_UNUSUAL = re.compile(r"[\s\\\x00-\x1f\x7f]")
"""What some readers of addresses take for the end of a host, and others do not."""
_HOST = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]")
_LOCKED = {
    "http": {
        "max_redirects": "0",
        "format_whitelist": "mpjpeg,mjpeg,jpeg_pipe,image2pipe,mpegts,flv,matroska,mov,h264,hevc,asf,ogg,avi",
    }
}
"""What FFmpeg may not do for a camera that others gave: it follows no redirection and no play list to where nobody looked."""


class GivenSources:
    """Checks cameras that others give.

    Args:
        serve: what is allowed.
        directory: where credentials lie.
        live: settings that a camera leaves open.
        networks: where cameras may be.
    """

    def __init__(self, serve: ServeConfig, directory: ServiceDirectory, live: LiveConfig, networks: AllowedNetworks) -> None:
        self._serve, self._directory, self.live, self._networks = serve, directory, live, networks

    def accept(self, source: SourceConfig, *, keep: bool = True) -> tuple[SourceConfig, Camera]:
        """Check a camera and put user and password of its address into a file.

        Args:
            source: as it was given.
            keep: False: only look at it; no file is left.

        Returns:
            What may be kept and shown, with a name, and the camera that is read.

        Raises:
            Refusal: it may not be, or a field is wrong.
        """
        self._check_kind(source)
        _check_options(source)
        url = parse_camera_url(source.uri) if looks_like_url(source.uri) else None
        if url is not None:
            self._networks.check(url.host, "source.uri")
        try:
            camera = self._camera(source)
            kept = replace(source, name=check_stream_name(camera.name))
            if url is not None and url.user_info:
                content = unquote_to_bytes(url.user_info) if url.scheme.decodes_users else url.user_info.encode()
                kept = replace(kept, uri=url.for_ffmpeg(""), credentials=self._keep(kept.name, content) if keep else "")
        except (ConfigError, PublishError) as error:
            raise Refusal("bad_request", str(error), "source") from error
        return kept, camera

    def camera(self, source: SourceConfig) -> Camera:
        """Return the camera of a source that was accepted before.

        Raises:
            ConfigError: it cannot be read now, as where its credentials are gone.
        """
        if looks_like_url(source.uri):
            try:
                self._networks.check(parse_camera_url(source.uri).host, "source.uri")
            except Refusal as refusal:  # a host that nobody knows at the moment is tried again by whoever reads it
                if "has no address" not in refusal.problem.message:
                    raise ConfigError(refusal.problem.message) from refusal
        return self._camera(source)

    def clean(self, used: Collection[str]) -> None:
        """Remove the files that were made for cameras that nobody remembers, as after a kill."""
        for path in self._directory.credentials.glob(f"{_OURS}*"):
            if path.name not in used:
                path.unlink(missing_ok=True)

    def forget(self, source: SourceConfig) -> None:
        """Remove the file that was made for a camera's user and password, if one was."""
        if source.credentials.startswith(_OURS):
            self._directory.credentials_file(source.credentials).unlink(missing_ok=True)

    def _camera(self, source: SourceConfig) -> Camera:
        if source.credentials:
            path = self._directory.credentials_file(source.credentials)
            _, warning = read_credentials(path)
            if warning or path.stat().st_mode & 0o077:
                raise ConfigError(f"others may read the credentials {path}: run `chmod 600 {path}`")
            source = replace(source, credentials=str(path))
        locked = _LOCKED["http"] if source.uri.strip().lower().startswith("http") else {}
        found = expand_sources([replace(source, options=source.options | locked)], self.live)
        assert isinstance(found[0], Camera)
        return found[0]

    def _check_kind(self, source: SourceConfig) -> None:
        if looks_like_url(source.uri):
            scheme = source.uri.strip().partition(":")[0].lower()
            if scheme not in SCHEMES:
                kinds = ", ".join(f"{one}://" for one in SCHEMES)
                raise Refusal("refused", f"{scheme[:20]}: cannot be added while the service runs: give {kinds}", "source.uri")
            if _UNUSUAL.search(source.uri):
                words = "the address holds a space, \\ or a control character: write it as %20, %5C and the like"
                raise Refusal("bad_request", words, "source.uri")
            try:
                url = parse_camera_url(source.uri)
            except ConfigError as error:
                raise Refusal("bad_request", str(error), "source.uri") from error
            if not _HOST.fullmatch(url.host):
                raise Refusal("bad_request", "the address names no host, or one with unusual letters", "source.uri")
            if re.search(r"[?&](listen|mode)=", url.tail):
                raise Refusal("refused", "a camera that calls the service cannot be added while it runs", "source.uri")
            if _SECRET_PARTS.search(url.tail):
                raise Refusal(
                    "refused",
                    "its path seems to hold a password or token, which would be kept in the clear: give it as "
                    "user:password@ before the host, or name the camera in the configuration file",
                    "source.uri",
                )
            return
        if not self._serve.devices:
            raise Refusal(
                "refused", "only addresses of cameras can be added while the service runs (serve.devices: false)", "source.uri"
            )
        if not re.fullmatch(r"/dev/(video\d+|v4l/by-(id|path)/[^/]+)", source.uri) or not is_camera(source.uri):
            raise Refusal("refused", "this is no camera of this machine: give its device, as /dev/video0", "source.uri")

    def _keep(self, name: str, content: bytes) -> str:
        """Write a file of user and password; return its name."""
        if b":" not in content:
            content += b":"
        path = self._directory.credentials_file(f"{_OURS}{name[:64]}-{secrets.token_hex(4)}")
        try:
            with replacing(path) as beside:
                descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "wb") as file:
                    file.write(content + b"\n")
                    file.flush()
                    os.fsync(file.fileno())
            sync_directory(path.parent)
        except OSError as error:
            raise PublishError(f"cannot keep the credentials in {path.parent}: {error.strerror}") from error
        return path.name


_OURS = "given-"


def _check_options(source: SourceConfig) -> None:
    for key, value in source.options.items():
        if key not in OPTIONS:
            raise Refusal(
                "refused",
                f"the option {key[:40]!r} cannot be given while the service runs; allowed: {', '.join(sorted(OPTIONS))}",
                "source.options",
            )
        if not _TEXT.fullmatch(value) or not set(value.split("+")) <= _FLAGS.get(key, set(value.split("+"))):
            raise Refusal("bad_request", f"the option {key} has a value that cannot be used", f"source.options.{key}")


def shown_source(source: SourceConfig) -> SourceConfig:
    """Return a source as it may be shown to anybody: without user, password and folder of credentials."""
    uri = source.uri
    if looks_like_url(uri):
        try:
            uri = parse_camera_url(uri).shown
        except ConfigError:
            uri = "***"
    return replace(source, uri=uri, credentials=Path(source.credentials).name, options=redact_tree(source.options))
