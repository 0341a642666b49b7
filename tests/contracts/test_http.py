from __future__ import annotations

from pathlib import Path

import pytest

from engine.contracts.http import HttpSettings, check_exposure, split_address, tls_context
from engine.errors import ConfigError


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("127.0.0.1:80", ("127.0.0.1", 80)),
        ("[::1]:0", ("::1", 0)),
        ("localhost:65535", ("localhost", 65535)),
        ("*:1", ("*", 1)),
    ],
)
def test_an_address_is_host_and_port(address: str, parts: tuple[str, int]) -> None:
    assert split_address(address) == parts


@pytest.mark.parametrize("address", ["", ":80", "localhost", "::1:80", "[::1]", "[]:80", "x:65536", "x:-1", "x:٣", "x:y"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ConfigError, match="use HOST:PORT"):
        check_exposure(HttpSettings(address=address))


@pytest.mark.parametrize(
    "address", ["0.0.0.0:80", "[::]:80", "192.0.2.1:80", "example.org:80", "*:80", "[::ffff:192.0.2.1]:80"]
)
def test_beyond_this_machine_nothing_goes_in_the_clear(address: str) -> None:
    with pytest.raises(ConfigError, match=r"serve\.http_insecure: true"):
        check_exposure(HttpSettings(address=address))
    check_exposure(HttpSettings(address=address, insecure=True))
    check_exposure(HttpSettings(address=address, tls_certificate="c.pem", tls_key="k.pem"))


@pytest.mark.parametrize("address", ["127.0.0.1:80", "127.9.9.9:80", "[::1]:80", "localhost:80", "[::ffff:127.0.0.1]:80"])
def test_on_this_machine_it_does(address: str) -> None:
    check_exposure(HttpSettings(address=address))


@pytest.mark.parametrize(
    ("http", "words"),
    [
        ({"tls_certificate": "c"}, "needs both"),
        ({"tls_key": "k"}, "needs both"),
        ({"tls_client_ca": "a"}, "needs serve.http_tls_certificate"),
        ({"hosts": ("http://x",)}, "not the name of a host"),
        ({"hosts": ("",)}, "not the name of a host"),
        ({"hosts": ("x:80",)}, "not the name of a host"),
    ],
)
def test_what_does_not_go_together_is_refused(http: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        check_exposure(HttpSettings(**http))  # type: ignore[arg-type]


@pytest.mark.parametrize("text", [None, "", "no certificate\n"])
def test_files_that_cannot_be_used_are_named(tmp_path: Path, text: str | None) -> None:
    certificate = tmp_path / "c.pem"
    if text is not None:
        certificate.write_text(text)
    with pytest.raises(ConfigError, match=r"c\.pem.*cannot be used"):
        tls_context(HttpSettings(tls_certificate=str(certificate), tls_key=str(certificate)))


def test_without_a_certificate_there_is_no_tls() -> None:
    assert tls_context(HttpSettings()) is None
