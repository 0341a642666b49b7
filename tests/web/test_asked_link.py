"""``facestream tokens link``: into the console at any time, for whoever may write the service's directory."""

from __future__ import annotations

import stat
import time
from pathlib import Path

import pytest

from engine.errors import ConfigError
from engine.web import asked_link
from engine.web.asked_link import AskedLink
from tests.cli.command import complains, here
from tests.web.browser import Browser
from tests.web.server import Server


def _secret(url: str) -> str:
    return url.rpartition("/")[2]


def test_a_link_counts_once_for_a_while_and_an_older_one_never(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = AskedLink(tmp_path / "tokens")
    assert not link.fits("")
    link.opened("http://127.0.0.1:8080/")
    first, second = link.make(), link.make()
    assert first.startswith("http://127.0.0.1:8080/login/")
    assert [link.fits(_secret(url)) for url in (first, second)] == [False, True]
    for path in (tmp_path / "tokens").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert _secret(second) not in path.read_text()
    now = time.time_ns()
    for minutes, counts in ((14, True), (16, False), (-16, False)):
        monkeypatch.setattr(asked_link.time, "time_ns", lambda minutes=minutes: now + minutes * 60 * 10**9)
        assert link.fits(_secret(second)) is counts
    monkeypatch.undo()
    (tmp_path / "tokens").chmod(0o755)
    assert not link.fits(_secret(second)), "others may have put it there"
    (tmp_path / "tokens").chmod(0o700)
    link.spend()
    assert not link.fits(_secret(second))
    third = _secret(link.make())
    link.closed()
    assert not link.fits(third)
    with pytest.raises(ConfigError, match="no service with a console runs in"):
        link.make()


def test_what_somebody_put_there_lets_nobody_in(tmp_path: Path) -> None:
    link = AskedLink(tmp_path)
    for text in (b"", b"[", b"[" * 100_000, b'{"sha256": 1}', b"\xff"):
        (tmp_path / ".link.json").write_bytes(text)
        (tmp_path / ".console.json").write_bytes(text)
        assert not link.fits("secret")
        with pytest.raises(ConfigError, match="restart the service"):
            link.make()


def test_it_opens_the_console_also_when_there_are_tokens(web: Server, capsys: pytest.CaptureFixture[str]) -> None:
    tokens = web.web.auth._tokens
    assert tokens.entries()
    web.web.auth.asked_link.opened("http://127.0.0.1:1/")
    done = here(capsys, "tokens", "link", "--directory", tokens.path.parent)
    assert (done.code, done.out.count("\n")) == (0, 1)
    path = done.out.strip().removeprefix("http://127.0.0.1:1")
    browser = Browser(web)
    assert browser.ask("GET", path).status == 303
    assert browser.ask("GET", "/api/v1/status").status == 200
    again = Browser(web).ask("GET", path)
    assert again.status == 401
    assert b"facestream tokens link" in again.body
    web.web.auth.asked_link.closed()
    complains(here(capsys, "tokens", "link", "--directory", tokens.path.parent), 2, "start it with `facestream serve`")


def test_a_new_token_says_what_it_may_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = here(capsys, "tokens", "new", "kiosk", "--directory", tmp_path)
    assert "it may not operate or enrol: --roles view operate enrol makes one" in " ".join(made.err.split())
    made = here(capsys, "tokens", "new", "admin", "--roles", "view", "operate", "enroll", "--directory", tmp_path)
    assert "may not" not in made.err
