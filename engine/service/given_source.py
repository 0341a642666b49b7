"""A camera as it is given while the service runs: what it may say, and where its user and password go."""

from __future__ import annotations

import os
import secrets
from collections.abc import Collection
from pathlib import Path
from urllib.parse import unquote_to_bytes

from msgspec.structs import replace

from engine.config import LiveConfig, SourceConfig
from engine.config_serve import ServeConfig
from engine.contracts.camera import Camera
from engine.contracts.messages import check_stream_name
from engine.contracts.redaction import redact_tree, redact_url
from engine.errors import ConfigError, PublishError
from engine.service.addresses import NO_ADDRESS, AllowedNetworks
from engine.service.directory import ServiceDirectory
from engine.service.given_checks import ADDRESSES, addresses_of, check_given
from engine.service.refusal import Refusal
from engine.source.camera_url import CameraUrl, looks_like_url
from engine.source.credentials import read_credentials
from engine.source.sources import expand_sources
from engine.whole_file import replacing, sync_directory

LOCKED = {
    "max_redirects": "0",
    "format_whitelist": "mpjpeg,mjpeg,jpeg_pipe,image2pipe,mpegts,flv,matroska,mov,h264,hevc,asf,ogg,avi",
}
"""What FFmpeg may not do for a camera by HTTP that others gave: it follows no redirection, and no play list, to where nobody
looked."""
_OURS = "given-"
"""How the names of files begin that were made for a camera."""


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
        check_given(source, devices=self._serve.devices)
        urls = addresses_of(source)
        for key, url in urls.items():
            self._networks.check(url.host, f"source.{key}")
        try:
            camera = self.camera(source)
            kept = replace(source, name=check_stream_name(camera.name))
            logins = {_login(url) for url in urls.values() if url.user_info}
            if len(logins) > 1:
                raise ConfigError("the addresses have different users or passwords: give the same, or a file as `credentials`")
            for content in logins:
                bare = {key: url.for_ffmpeg("") for key, url in urls.items()}
                kept = replace(kept, **bare, credentials=self._keep(kept.name, content) if keep else "")
        except (ConfigError, PublishError) as error:
            raise Refusal("bad_request", str(error), "source") from error
        return kept, camera

    def fault(self, source: SourceConfig) -> str:
        """Return why a camera that was accepted before may not be read now, as where its name has another address; empty: it
        may be. It may wait for a name server."""
        try:
            for key, url in addresses_of(source).items():
                self._networks.check(url.host, f"source.{key}")
        except (ConfigError, Refusal) as error:
            # A host that nobody knows at the moment is tried again by whoever reads it.
            return "" if NO_ADDRESS in str(error) else str(error)
        return ""

    def clean(self, used: Collection[str]) -> None:
        """Remove the files that were made for cameras that nobody remembers, as after a kill."""
        for path in self._directory.credentials.glob(f"{_OURS}*"):
            if path.name not in used:
                path.unlink(missing_ok=True)

    def forget(self, source: SourceConfig) -> None:
        """Remove the file that was made for a camera's user and password, if one was."""
        if source.credentials.startswith(_OURS):
            self._directory.credentials_file(source.credentials).unlink(missing_ok=True)

    def camera(self, source: SourceConfig) -> Camera:
        """Return the camera of a source that was accepted.

        Raises:
            ConfigError: it cannot be read now, as where its credentials are gone.
        """
        if source.credentials:
            path = self._directory.credentials_file(source.credentials)
            _, warning = read_credentials(path)
            if warning or path.stat().st_mode & 0o077:
                raise ConfigError(f"others may read the credentials {path}: run `chmod 600 {path}`")
            source = replace(source, credentials=str(path))
        by_http = any(url.name in ("http", "https") for url in addresses_of(source).values())
        locked = LOCKED if by_http else {}
        found = expand_sources([replace(source, options=source.options | locked)], self.live)
        assert isinstance(found[0], Camera)
        return replace(found[0], networks=self._serve.cameras_in)

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


def _login(url: CameraUrl) -> bytes:
    return unquote_to_bytes(url.user_info) if url.scheme.decodes_users else url.user_info.encode()


def shown_source(source: SourceConfig) -> SourceConfig:
    """Return a source as it may be shown to anybody: without user, password and folder of credentials."""
    shown = {key: redact_url(text) for key in ADDRESSES if looks_like_url(text := str(getattr(source, key)))}
    return replace(source, **shown, credentials=Path(source.credentials).name, options=redact_tree(source.options))
