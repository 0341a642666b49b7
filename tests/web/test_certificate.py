"""A certificate that is renewed while the console runs."""

from __future__ import annotations

import shutil
import ssl
from pathlib import Path

import pytest

from engine.web import certificate as followed
from tests.patience import until
from tests.servers.certificate import certificate
from tests.web.server import Server, server
from tests.web.service import FakeService


def renew(folder: Path, *, also_key: bool = True) -> str:
    """Put a new certificate where the old one was, as whoever renews it does; return it."""
    new = folder / "new"
    new.mkdir(exist_ok=True)
    made, key = certificate(new)
    words = made.read_text()
    made.replace(folder / "certificate")
    if also_key:
        key.replace(folder / "key")
    return words


def shown(running: Server) -> str:
    """Return the certificate that is shown to whoever connects now."""
    return ssl.get_server_certificate(("127.0.0.1", running.port))


with_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


@with_openssl
def test_a_certificate_that_is_renewed_is_shown_and_one_without_its_key_is_not(
    service: FakeService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old one was shown until the service was restarted, also when it had expired."""
    monkeypatch.setattr(followed, "_LOOK_SECONDS", 0.05)
    made, key = certificate(tmp_path)
    with server(service, tls_certificate=str(made), tls_key=str(key)) as running:
        assert shown(running) == made.read_text()
        second = renew(tmp_path)
        until(lambda: shown(running) == second, "the second certificate")
        renew(tmp_path, also_key=False)
        until(lambda: any("the old one stays" in line for line in running.lines), "what is wrong")
        assert shown(running) == second
        third = renew(tmp_path)
        until(lambda: shown(running) == third, "the third certificate")


@with_openssl
def test_a_key_that_others_may_read_is_told_at_the_start_and_when_it_was_renewed(
    service: FakeService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody was told, though of a camera's password it is said."""
    monkeypatch.setattr(followed, "_LOOK_SECONDS", 0.05)
    made, key = certificate(tmp_path)
    key.chmod(0o644)
    with server(service, tls_certificate=str(made), tls_key=str(key)) as running:
        assert f"chmod 600 {key}" in running.said("may be read by others")[0]
        second = renew(tmp_path)
        until(lambda: shown(running) == second, "the second certificate")
        running.said("is used from now on")
        assert len(running.said("may be read by others")) == 1, "this one is private"
