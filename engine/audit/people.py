"""Erasable persons in the log: a line holds a pseudonym, and a file beside the log says whose it is.

The pseudonym is an HMAC of the person's name under a key of their own. With the key, kept beside the log, anybody can check
that a line is about this person and no other. Without it (erasing the person deletes it) nothing leads from the line to a name,
and guessing names does not help. The lines themselves never change, so the chain still holds. A person who is enrolled again
later gets a new pseudonym.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import unicodedata
from collections.abc import Callable
from pathlib import Path

import msgspec

from engine.contracts.unreadable import UNREADABLE
from engine.errors import AuditError
from engine.whole_file import read_no_link, write_private
from engine.words.text import readable

_KEY_BYTES = 32
_IN_TEXT = re.compile(r"person:([0-9a-f]{64})")


class People:
    """The names of a log; call it under the log's lock only.

    Args:
        path: the file of keys; made by the first ``save``.

    Raises:
        AuditError: it cannot be read, or is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._keys: dict[str, str] = {}
        self._changed = False
        try:
            self._keys = msgspec.json.decode(read_no_link(path), type=dict[str, str])
        except FileNotFoundError:
            pass
        except (OSError, *UNREADABLE) as error:
            raise AuditError(
                f"cannot read {path}, which says who is who in the audit log ({error}): put it back from a copy, or move it "
                "away; then nobody can tell any more whom the lines so far are about"
            ) from error

    def pseudonym(self, name: str) -> str:
        """Return the pseudonym of a name, a new one where it has none."""
        name = _written(name)
        if name not in self._keys:
            self._keys[name] = secrets.token_hex(_KEY_BYTES)
            self._changed = True
        return _pseudonym(self._keys[name], name)

    def names(self) -> dict[str, str]:
        """Return the name of each pseudonym that still has one."""
        return {_pseudonym(key, name): name for name, key in self._keys.items()}

    def forget(self, is_meant: Callable[[str], bool]) -> int:
        """Drop the keys of the names that are meant; return how many."""
        gone = [name for name in self._keys if is_meant(name)]
        for name in gone:
            del self._keys[name]
        self._changed |= bool(gone)
        return len(gone)

    def save(self) -> None:
        """Write what has changed, for the owner alone, and wait until it would survive a power cut.

        Raises:
            OSError: it cannot be written; what was there stays.
        """
        if self._changed:
            write_private(self._path, msgspec.json.encode(self._keys))
            self._changed = False


def hidden(text: str, names: dict[str, str]) -> str:
    """Return a text with ``person:PSEUDONYM`` in the place of each name that stands there as a word of its own.

    Args:
        text: of a caller, who may have named somebody in it.
        names: name to pseudonym.
    """
    text = unicodedata.normalize("NFC", text)
    for name in sorted(filter(None, names), key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(_written(name))}(?!\w)", f"person:{names[name]}", text)
    return text


def shown(text: str, names: dict[str, str]) -> str:
    """Return a text with the names back that are still known; of others the first digits of the pseudonym.

    Args:
        text: of an entry.
        names: pseudonym to name.
    """
    return _IN_TEXT.sub(lambda found: called(found[1], names), text)


def called(pseudonym: str, names: dict[str, str]) -> str:
    """Return whose pseudonym it is, or that nobody knows any more."""
    return names.get(pseudonym) or f"(erased {pseudonym[:8]})"


def _written(name: str) -> str:
    """One spelling for each name, so that both encodings of "José" are erased together."""
    return " ".join(readable(unicodedata.normalize("NFC", name)).split())


def _pseudonym(key: str, name: str) -> str:
    return hmac.new(bytes.fromhex(key), name.encode(), hashlib.sha256).hexdigest()
