"""Keys of those who have no right, for tests of the door."""

from __future__ import annotations

from engine.keys.folder import KeyFolder


def key_of_another_engine(at, tmp_path):
    return KeyFolder(tmp_path / "other").add("stranger")


def key_that_is_not_on_the_list(at, tmp_path):
    key = key_of_another_engine(at, tmp_path)
    return type(key)(name=key.name, public=key.public, secret=key.secret, server=at.rightful.server)


def revoked_key(at, tmp_path):
    key = at.folder.add("former")
    at.folder.revoke("former")
    return key


def no_key(at, tmp_path):
    return None
