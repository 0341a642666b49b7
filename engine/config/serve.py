"""The section of the configuration that `facestream serve` alone reads."""

from __future__ import annotations

from typing import Annotated

import msgspec

from engine.config.section import Positive, Section
from engine.contracts.http import HttpSettings

MOST_UPLOAD_BYTES = 256 * 1024 * 1024


class ServeConfig(Section, frozen=True):
    """`facestream serve`: the pipeline that goes on until it is stopped, and is asked and told things meanwhile."""

    directory: str = ""
    """Where all of it lies that outlives a restart: streams and settings, credentials, runs, sockets; its owner's alone.
    Empty: ``~/.local/state/facestream``."""
    control: str = ""
    """A further endpoint for `facestream ctl`, as ``tcp://0.0.0.0:5558``, for holders of keys alone; this machine's own user
    has one in the directory. Empty: none."""
    keys: str = ""
    """Folder of `facestream keys` for ``control``; empty: the user's own."""
    http: str = "127.0.0.1:8765"
    """Where the console and the HTTP interface listen, as ``ADDRESS:PORT``; empty: nowhere."""
    http_hosts: tuple[str, ...] = ()
    """Names under which browsers may ask, besides ``localhost`` and addresses, as ``cameras.example.org``."""
    http_tls_certificate: str = ""
    """A PEM file; with it HTTP is spoken over TLS alone."""
    http_tls_key: str = ""
    """The certificate's key, as PEM."""
    http_tls_client_ca: str = ""
    """A PEM file of authorities: who has no certificate of theirs gets no connection."""
    http_insecure: bool = False
    """Speak HTTP in the clear to whoever comes, beyond this machine too."""
    upload_bytes: Annotated[int, msgspec.Meta(ge=1024, le=MOST_UPLOAD_BYTES)] = 16 * 1024 * 1024
    """The largest picture that may be uploaded."""
    cameras_in: tuple[str, ...] = ("public",)
    """Networks in which cameras may be that are added while it runs: ``public``, ``private`` (10/8, 172.16/12, 192.168/16,
    fc00::/7), ``loopback``, or as ``192.168.7.0/24``. Those of the configuration file may be anywhere."""
    devices: bool = False
    """Whether cameras of this machine, as ``/dev/video0``, may be added while it runs."""
    record: bool = True
    """Keep faces, tracks and pictures of each run, in ``runs/`` of the directory; ``output.keep_records_days`` and the like
    bound them."""
    max_streams: Positive = 256
    """Cameras that there may be."""

    @property
    def http_settings(self) -> HttpSettings:
        """How the console and the HTTP interface listen."""
        return HttpSettings(
            address=self.http,
            hosts=self.http_hosts,
            tls_certificate=self.http_tls_certificate,
            tls_key=self.http_tls_key,
            tls_client_ca=self.http_tls_client_ca,
            upload_bytes=self.upload_bytes,
            insecure=self.http_insecure,
        )
