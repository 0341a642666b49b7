import json
import socket

import pytest

from engine.web.asked_link import AskedLink
from engine.web.tokens import TokenFolder
from tests.cli.command import complains, here


@pytest.fixture
def facestream(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return lambda *arguments: here(capsys, *arguments)


def test_a_token_is_made_shown_once_listed_and_revoked(facestream, tmp_path):
    made = facestream("tokens", "new", "admin", "--roles", "view", "operate")
    token = made.out.strip()
    assert made.code == 0
    assert "the only copy of the token of admin, which may view, operate" in made.err
    assert token not in made.err
    entry = TokenFolder(tmp_path / "state" / "facestream" / "tokens").who_has(token)
    assert entry is not None
    assert entry.roles == ("view", "operate")
    listed = facestream("tokens", "list")
    assert "admin" in listed.out
    assert token not in listed.out + listed.err
    assert json.loads(facestream("tokens", "list", "--json").out)["roles"] == ["view", "operate"]
    assert "revoked admin" in facestream("tokens", "revoke", "admin").err
    complains(facestream("tokens", "revoke", "admin"), 2, "there is no token admin")
    complains(facestream("tokens", "new", "admin", "--roles", "root"), 2, "root")


def test_a_certificate_needs_no_token(facestream, tmp_path):
    made = facestream("tokens", "new", "guard", "--certificate", "--json", "--directory", tmp_path / "d")
    assert "token" not in json.loads(made.out)
    assert json.loads(facestream("tokens", "list", "--json", "--directory", tmp_path / "d").out)["certificate"] is True


def test_a_link_of_a_service_that_was_killed_is_refused(facestream, tmp_path):
    AskedLink(tmp_path / "tokens").opened("http://127.0.0.1:8765/")
    with socket.socket(socket.AF_UNIX) as service:
        service.bind(str(tmp_path / "web.sock"))
        service.listen()
        made = facestream("tokens", "link", "--directory", tmp_path)
        assert (made.code, made.out.startswith("http://127.0.0.1:8765/login/")) == (0, True)
    for _ in ("a socket without a listener", "and none"):
        refused = facestream("tokens", "link", "--directory", tmp_path)
        assert refused.out == ""
        complains(refused, 1, f"no service runs at ipc://{tmp_path}/web.sock: is `facestream serve` running?")
        (tmp_path / "web.sock").unlink(missing_ok=True)


def test_a_damaged_entry_is_said(facestream, tmp_path):
    facestream("tokens", "new", "kiosk", "--directory", tmp_path / "d")
    (tmp_path / "d" / "tokens" / "kiosk.json").write_text("{")
    complains(facestream("tokens", "list", "--directory", tmp_path / "d"), 2, "is not a token, or damaged")
