"""What is wrong with a configuration is said before anything of the service begins."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from engine.errors import ConfigError
from engine.service.build import build
from tests.service.parts import SOURCES, Says


@pytest.mark.parametrize(
    ("http", "words"),
    [
        ("http: foo", "use HOST:PORT"),
        ("http: '127.0.0.1:99999'", "use HOST:PORT"),
        ("http: '0.0.0.0:8757'", "serve.http_insecure: true"),
        ("http: '[::]:8757'", "serve.http_insecure: true"),
        ("http: '127.0.0.1:0', http_tls_certificate: /none/c.pem", "needs both"),
        ("http: '127.0.0.1:0', http_tls_key: /none/k.pem", "needs both"),
        ("http: '127.0.0.1:0', http_tls_certificate: /none/c.pem, http_tls_key: /none/k.pem", "/none/c.pem, /none/k.pem"),
        ("http: '127.0.0.1:0', http_hosts: ['http://x']", "not the name of a host"),
    ],
)
def test_http_that_can_never_work_is_refused_at_once(tmp_path: Path, http: str, words: str) -> None:
    state = tmp_path / "state"
    path = tmp_path / "service.yaml"
    path.write_text(f"serve: {{directory: '{state}', {http}}}\n")
    with pytest.raises(ConfigError, match=words) as refused, ExitStack() as closing:
        build(path, Says(), closing)
    assert refused.value.exit_code == 2
    assert not state.exists(), "nothing has begun"


def test_what_may_listen_is_not_refused(tmp_path: Path) -> None:
    path = tmp_path / "service.yaml"
    path.write_text(f"serve: {{directory: '{tmp_path / 'state'}', http: '0.0.0.0:8757', http_insecure: true}}\n")
    with ExitStack() as closing:
        assert build(path, Says(), closing).config.serve.http_settings.insecure


def test_more_sources_than_there_may_be_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "service.yaml"
    said = "serve: {directory: '%s', http: '', max_streams: %d}\n" + SOURCES
    path.write_text(said % (tmp_path / "state", 1))
    with pytest.raises(ConfigError, match=r"has 2 sources, and serve\.max_streams is 1: raise it"), ExitStack() as closing:
        build(path, Says(), closing)
    path.write_text(said % (tmp_path / "state", 2))
    with ExitStack() as closing:
        assert len(build(path, Says(), closing).state.desired.streams) == 0
