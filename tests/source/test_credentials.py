from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config import LiveConfig, SourceConfig
from engine.errors import ConfigError
from engine.source.credentials import MAX_BYTES, credentials_from_url, read_credentials
from engine.source.sources import expand_sources

printable = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=40)
users = printable.filter(lambda text: ":" not in text and text and text[0] != "\ufeff")


def test_a_file_gives_user_and_password_for_a_url(tmp_path):
    path = tmp_path / "door.txt"

    @given(users, printable, st.sampled_from(["", "\n", "\r\n"]))
    def check(user, password, end):
        path.write_bytes(f"{user}:{password}{end}".encode())
        path.chmod(0o600)
        if not f"{user}:{password}".strip():
            return
        credentials, warning = read_credentials(path)
        assert warning == ""
        assert (credentials.user.decode(), credentials.password.decode()) == (user, password)
        assert re.fullmatch(r"[A-Za-z0-9%._~!$&'()*+,;=:-]*", credentials.encoded)
        first, _, second = credentials.encoded.partition(":")
        assert (unquote_to_bytes(first).decode(), unquote_to_bytes(second).decode()) == (user, password)
        assert credentials_from_url(credentials.encoded, "x") == credentials

    check()


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"  \n", "is empty"),
        (b"hunter2\n", "no colon"),
        (b":hunter2\n", "names no user"),
        (b"admin:hunter2\nroot:hunter2\n", "more than one line"),
        (b"# door\nadmin:hunter2\n", "more than one line"),
        (b"admin:hunter2\x00\n", "control characters"),
        (b"admin:hunter2" + b"x" * MAX_BYTES, "more than one line"),
    ],
)
def test_a_file_that_is_no_such_line_is_refused_without_showing_it(tmp_path, content, fault):
    path = tmp_path / "door.txt"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=fault) as caught:
        read_credentials(path)
    assert "hunter2" not in str(caught.value)
    assert "user:password" in str(caught.value)
    assert str(path) in str(caught.value)


def test_of_a_relative_path_it_is_said_where_it_was_looked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=rf"No such file or directory in {tmp_path}\)"):
        read_credentials(Path("door.txt"))
    with pytest.raises(ConfigError, match=rf"clips/a\.mp4 does not exist in {tmp_path}: check the path"):
        expand_sources([SourceConfig(uri="clips/a.mp4")], LiveConfig())


def test_a_file_that_is_missing_or_no_file_or_not_allowed_is_refused(tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match="cannot be read"):
        read_credentials(tmp_path / "none.txt")
    with pytest.raises(ConfigError, match="is not a file"):
        read_credentials(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match="is not a file"):
        read_credentials(tmp_path / "pipe")
    path = tmp_path / "door.txt"
    path.write_text("admin:hunter2\n")

    def refuse(self, mode):  # the superuser may read everything
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(type(path), "open", refuse)
    with pytest.raises(ConfigError, match=r"cannot be read \(Permission denied\)"):
        read_credentials(path)


@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o640, True), (0o400, False), (0o644, True), (0o604, True)])
def test_a_file_that_others_may_read_is_warned_of(tmp_path, mode, warned):
    path = tmp_path / "door.txt"
    path.write_text("admin:hunter2\n")
    path.chmod(mode)
    _, warning = read_credentials(path)
    assert bool(warning) == warned
    assert ("chmod 600" in warning) == warned
    assert "hunter2" not in warning


def test_colons_and_ats_need_no_escape_and_a_lone_percent_is_explained():
    assert credentials_from_url("admin:a:b@c", "x").encoded == "admin:a%3Ab%40c"
    assert credentials_from_url("admin:%41%2f%ff", "x").encoded == "admin:A%2F%FF"
    assert credentials_from_url("admin", "x").encoded == "admin"
    assert credentials_from_url("admin:", "x").encoded == "admin:"
    with pytest.raises(ConfigError, match=r"rtsp://h/x: there is a % .* write it as %25") as caught:
        credentials_from_url("admin:100%hunter2", "rtsp://h/x")
    assert "hunter2" not in str(caught.value)


def test_credentials_are_not_shown_by_printing_them():
    assert "hunter2" not in repr(credentials_from_url("admin:hunter2", "x"))


@pytest.mark.parametrize("user_info", ["${USER}:${PASS}", "admin:${PASS}", "${USER}", "admin:{{ password }}", "admin:$(pass)"])
def test_a_placeholder_that_nobody_filled_in_is_no_password(user_info):
    """It was sent to the camera as it stands, which then counted failed logins."""
    with pytest.raises(ConfigError, match=r"placeholder such as \$\{NAME\}.*named by `credentials`") as caught:
        credentials_from_url(user_info, "rtsp://192.0.2.1/x")
    assert "PASS" not in str(caught.value)


@pytest.mark.parametrize("password", ["$ecret", "a{b}c", "pa$(x", "$%7BPASS}", "{}", "{abc}", "$1"])
def test_signs_of_a_placeholder_may_stand_in_a_password(password):
    assert credentials_from_url(f"admin:{password}", "x").password == unquote_to_bytes(password)
