from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from engine.errors import ConfigError
from engine.service.directory import ServiceDirectory
from engine.web.sessions import LoginLink, Sessions
from engine.web.tokens import Entry, TokenFolder, hashed


@pytest.fixture
def folder(tmp_path: Path) -> TokenFolder:
    return TokenFolder(tmp_path / "service" / "tokens")


def test_a_token_is_known_and_is_nowhere_on_the_disk(folder: TokenFolder) -> None:
    token = folder.add("kiosk", ["operate", "view", "view"])
    entry = folder.who_has(token)
    assert entry is not None
    assert (entry.name, entry.roles) == ("kiosk", ("view", "operate"))
    file = folder.path / "kiosk.json"
    assert token.removeprefix("fs_") not in file.read_text()
    assert json.loads(file.read_text())["sha256"] == hashed(token)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert len(list(folder.path.iterdir())) == 1


def test_a_token_that_is_made_before_the_service_leaves_its_directory_to_it(tmp_path: Path) -> None:
    """The directory was made for all users, and refused by the service."""
    TokenFolder(tmp_path / "new" / "state" / "tokens").add("script", ["view"])
    ServiceDirectory(tmp_path / "new" / "state").close()


def test_other_tokens_are_nobodys(folder: TokenFolder) -> None:
    assert folder.who_has("fs_x") is None
    token = folder.add("kiosk", ["view"])
    for other in ("", token[:-1], token + "x", token.upper(), "\udcff", token + "\0"):
        assert folder.who_has(other) is None


def test_another_process_sees_what_is_added_and_revoked(folder: TokenFolder) -> None:
    other = TokenFolder(folder.path)
    assert other.entries() == ()
    token = folder.add("kiosk", ["view"])
    assert other.who_has(token) is not None
    folder.revoke("kiosk")
    assert other.who_has(token) is None
    with pytest.raises(ConfigError, match="there is no token kiosk"):
        folder.revoke("kiosk")


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../a", ".hidden", "-x", "x" * 65, "ü", "a\n"])
def test_a_name_is_a_word(folder: TokenFolder, name: str) -> None:
    with pytest.raises(ConfigError, match="not a name for a token"):
        folder.add(name, ["view"])
    with pytest.raises(ConfigError, match="not a name for a token"):
        folder.revoke(name)


@pytest.mark.parametrize("roles", [[], ["root"], ["view", "View"]])
def test_roles_are_those_that_there_are(folder: TokenFolder, roles: list[str]) -> None:
    with pytest.raises(ConfigError, match="give one or more of view, operate, enrol"):
        folder.add("kiosk", roles)


def test_a_name_is_given_once(folder: TokenFolder) -> None:
    token = folder.add("kiosk", ["view"])
    with pytest.raises(ConfigError, match="there is a token kiosk"):
        folder.add("kiosk", ["view", "operate"])
    assert folder.who_has(token) is not None


def test_only_whole_entries_of_their_own_name_let_somebody_in(folder: TokenFolder, tmp_path: Path) -> None:
    token = folder.add("kiosk", ["view"])
    file = folder.path / "kiosk.json"
    content = file.read_text()
    (folder.path / "copy.json").write_text(content)
    (folder.path / "kiosk.json~").write_text(content)
    (folder.path / "broken.json").write_text(content[:20])
    (folder.path / "nothing.json").write_text('{"facestream":"http token","name":"nothing","roles":["view"]}')
    (folder.path / "link.json").symlink_to(file)
    (folder.path / "folder.json").mkdir()
    folder.revoke("kiosk")
    assert folder.entries() == ()
    assert folder.who_has(token) is None
    assert folder.who_has("") is None
    assert len(folder.complaints) == 6


def test_a_folder_of_others_is_refused(folder: TokenFolder) -> None:
    token = folder.add("kiosk", ["view"])
    os.chmod(folder.path, 0o770)
    with pytest.raises(ConfigError, match="chmod 700"):
        folder.who_has(token)
    with pytest.raises(ConfigError, match="chmod 700"):
        folder.add("more", ["view"])


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_session_ends_when_it_is_not_used_and_in_any_case() -> None:
    clock = Clock()
    sessions = Sessions(clock)
    idle, _ = sessions.begin("owner", ("view",), "")
    busy, _ = sessions.begin("owner", ("view",), "")
    for _ in range(15):
        clock.seconds += 11.9 * 3600
        if sessions.find(busy, ()) is None:
            break
    assert sessions.find(idle, ()) is None
    assert sessions.find(busy, ()) is None
    assert 6 * 86_400 < clock.seconds <= 8 * 86_400


def test_sessions_are_bounded_and_hold_no_secret() -> None:
    sessions = Sessions()
    secrets = [sessions.begin("owner", ("view",), "")[0] for _ in range(300)]
    assert sum(sessions.find(secret, ()) is not None for secret in secrets) == 200
    assert sessions.find(secrets[-1], ()) is not None
    assert not set(secrets) & set(sessions._by_hash)


def test_who_logs_in_again_and_again_logs_nobody_else_out() -> None:
    """A token that may only look ended the sessions of all others."""
    sessions, guard = Sessions(), Entry(name="guard", roles=("view",), sha256="ab" * 32)
    owner, _ = sessions.begin("owner", ("view",), "")
    guards = [sessions.begin("guard", ("view",), guard.sha256)[0] for _ in range(300)]
    assert sessions.find(owner, (guard,)) is not None
    assert sum(sessions.find(secret, (guard,)) is not None for secret in guards) == 199
    assert sessions.find(guards[-1], (guard,)) is not None


def test_a_link_counts_once_and_an_older_one_never() -> None:
    link = LoginLink()
    assert not link.fits("")
    first, second = link.make(), link.make()
    assert [link.fits(first), link.fits(second), link.fits(second)] == [False, True, True]
    link.spend()
    assert [link.fits(second), link.fits("")] == [False, False]


def test_the_link_of_the_terminal_counts_for_a_quarter_of_an_hour() -> None:
    seconds = 5.0
    link = LoginLink(lambda: seconds)
    secret = link.make()
    seconds += 15 * 60
    assert link.fits(secret)
    seconds += 1
    assert not link.fits(secret)
    seconds = 5.0
    assert not link.fits(secret)  # what was old stays so
    assert link.fits(link.make())


@pytest.mark.parametrize("name", ["owner", "Owner", "OWNER"])
def test_nobody_passes_for_the_one_with_the_link(folder: TokenFolder, name: str) -> None:
    with pytest.raises(ConfigError, match="choose another name"):
        folder.add(name, ["view"])
    folder.add("kiosk", ["view"])
    text = (folder.path / "kiosk.json").read_text()
    (folder.path / f"{name}.json").write_text(text.replace("kiosk", name))
    assert [entry.name for entry in folder.entries()] == ["kiosk"]
    assert "another name" in folder.complaints[0]
    folder.revoke(name)
    assert (len(folder.entries()), folder.complaints) == (1, ())
