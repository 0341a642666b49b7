"""A camera as it is given while the service runs: what it may say, and what is kept of it."""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from engine.config import LiveConfig, SourceConfig
from engine.config.serve import ServeConfig
from engine.contracts.camera import Camera
from engine.contracts.messages import check_stream_name
from engine.errors import ConfigError, PublishError
from engine.service.addresses import NO_ADDRESS, AllowedNetworks
from engine.service.desired import Desired, Held
from engine.service.given_checks import ADDRESSES, addresses_of, check_given
from engine.service.logins import Logins, login_of, shown_name
from engine.service.refusal import Refusal
from engine.source.camera_url import looks_like_url
from engine.source.sources import expand_sources
from engine.words.redaction import redact_tree, redact_url

LOCKED = {
    "max_redirects": "0",
    "format_whitelist": "mpjpeg,mjpeg,jpeg_pipe,image2pipe,mpegts,flv,matroska,mov,h264,hevc,asf,ogg,avi,rtsp",
}
"""What FFmpeg may not do for a camera that others gave: it follows no redirection over HTTP, and no play list, to where nobody
looked. The options are those of both its streams, of which one may come over RTSP."""


class Accepted(NamedTuple):
    """A camera that was checked."""

    source: SourceConfig
    """What may be kept and shown: named, without user and password of its addresses."""
    camera: Camera
    """That is read."""
    login: bytes
    """User and password of its addresses, as a line of a file; empty: they have none."""


class GivenSources:
    """Checks cameras that others give.

    Args:
        serve: what is allowed.
        logins: users and passwords.
        live: settings that a camera leaves open.
        networks: where cameras may be.
    """

    def __init__(self, serve: ServeConfig, logins: Logins, live: LiveConfig, networks: AllowedNetworks) -> None:
        self._serve, self.logins, self.live, self._networks = serve, logins, live, networks

    def accept(self, source: SourceConfig) -> Accepted:
        """Check a camera, all but to whom its credentials may be sent; nothing is written.

        Args:
            source: as it was given.

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
            login = login_of(urls.values())
        except (ConfigError, PublishError) as error:
            raise Refusal("bad_request", str(error), "source") from error
        if login:
            kept = replace(kept, **{key: url.for_ffmpeg("") for key, url in urls.items()})
        return Accepted(kept, camera, login)

    def known(self, accepted: Accepted, held: Held | None) -> SourceConfig | None:
        """Return what may be kept of a camera without writing a file; None: its user and password are not held yet."""
        if not accepted.login:
            return accepted.source
        if held is not None and self.logins.holds(held.source.credentials, accepted.login):
            return replace(accepted.source, credentials=held.source.credentials)
        return None

    def keep(self, accepted: Accepted, desired: Desired) -> SourceConfig:
        """Return what may be kept of a camera; its user and password are in a file when this returns.

        Raises:
            Refusal: the credentials that it names were not given for its hosts, or the file cannot have such a name.
            PublishError: the file cannot be written.
        """
        source = self.known(accepted, desired.streams.get(accepted.source.name))
        if source is None:
            try:
                return replace(accepted.source, credentials=self.logins.keep(accepted.source.name, accepted.login))
            except ConfigError as error:
                raise Refusal("bad_request", str(error), "source.name") from error
        if not accepted.login:
            self.logins.check(source, desired)
        return source

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

    def camera(self, source: SourceConfig) -> Camera:
        """Return the camera of a source that was accepted.

        Raises:
            ConfigError: it cannot be read now, as where its credentials are gone.
        """
        hosts = self.logins.hosts_file(source.credentials) if source.credentials else None
        if source.credentials:
            source = replace(source, credentials=str(self.logins.path(source.credentials)))
        locked = LOCKED if addresses_of(source) else {}
        found = expand_sources([replace(source, options=source.options | locked)], self.live)
        assert isinstance(found[0], Camera)
        return replace(found[0], networks=self._serve.cameras_in, credentials_hosts=str(hosts or ""))


def shown_source(source: SourceConfig) -> SourceConfig:
    """Return a source as it may be shown to anybody: without user, password and folder of credentials."""
    shown = {key: redact_url(text) for key in ADDRESSES if looks_like_url(text := str(getattr(source, key)))}
    return replace(source, **shown, credentials=shown_name(source.credentials), options=redact_tree(source.options))
