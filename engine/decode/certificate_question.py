"""Queries a camera's certificate: FFmpeg reports that the connection failed, but not that it refused a certificate."""

from __future__ import annotations

import socket
import ssl
from urllib.parse import urlsplit

from engine.contracts.camera import Camera
from engine.contracts.camera_tls import verification_of
from engine.decode.camera import server_port
from engine.decode.rtsp_question import WAIT_SECONDS

_NOT_TRUSTED = "is signed by nobody whom this machine trusts: name its authority by the option ca_file"
_FAULTS = {
    9: "is not valid yet: set its clock, and this machine's",
    10: "has expired: renew it",
    18: "is signed by itself: name it by the option ca_file",
    19: _NOT_TRUSTED,
    20: _NOT_TRUSTED,
    21: _NOT_TRUSTED,
    62: "is made out to another name: use that one in the address",
    64: "is made out to another address: use its name in the address",
}
"""OpenSSL's X509_V_ERR_*."""


def certificate_fault(camera: Camera) -> str:
    """Return what is wrong with a camera's certificate, as the end of a sentence; empty if it is valid, missing, or not to be
    verified. Never raises, and takes at most ``WAIT_SECONDS`` for each step.
    """
    wanted, authorities = verification_of(camera.options)
    if not wanted:
        return ""
    host = urlsplit(camera.url).hostname or ""
    try:
        context = ssl.create_default_context(cafile=authorities or None)
    except (OSError, ssl.SSLError, ValueError):
        return f"cannot be verified, as {authorities} holds no certificates that can be read: name another file"
    try:
        with (
            socket.create_connection((host, server_port(camera.url) or 0), WAIT_SECONDS) as connection,
            context.wrap_socket(connection, server_hostname=host),
        ):
            return ""
    except ssl.SSLCertVerificationError as error:
        return _FAULTS.get(error.verify_code, f"is refused: {error.verify_message}")
    except (OSError, UnicodeError, ValueError):
        return ""
