"""``facestream gallery encrypt``, ``decrypt`` and ``new-key``: encryption of a gallery file at rest."""

from __future__ import annotations

import secrets
from pathlib import Path
from shlex import quote
from typing import Annotated

from cyclopts import Parameter

from engine.cli.gallery.copy import copied_words
from engine.cli.output.long_work import ends_cleanly
from engine.cli.output.saying import say
from engine.errors import ConfigError
from engine.verify.gallery.sqlite.cipher import read_key
from engine.verify.gallery.sqlite.rewriting import rewrite
from engine.whole_file import write_private

_Source = Annotated[Path, Parameter(help="Gallery file; `gallery list` shows where the user's own is.")]
_Target = Annotated[Path, Parameter(help="The new file.")]
_Key = Annotated[Path, Parameter(help="File with the key, from `gallery new-key`.")]


def encrypt(source: _Source, target: _Target, /, *, gallery_key: _Key) -> int:
    """Write a gallery into a new file, encrypted (SQLCipher, AES-256).

    The new file appears only once it was read back and found equal; the old one stays as it is.
    Enrol or remove nobody meanwhile: the change would not be in the new file.

    For example:

        facestream gallery new-key people.key

        facestream gallery encrypt people.sqlite people-encrypted.sqlite --gallery-key people.key

        facestream run --source street.mp4 --gallery people-encrypted.sqlite --gallery-key people.key --out result
    """
    _rewrite(source, target, None, gallery_key)
    say(f"{source} is as it was, and readable: when you use the new one, remove it, as with `shred -u {quote(str(source))}`")
    return 0


def decrypt(source: _Source, target: _Target, /, *, gallery_key: _Key) -> int:
    """Write an encrypted gallery into a new file that is not encrypted.

    For example:

        facestream gallery decrypt people-encrypted.sqlite people.sqlite --gallery-key people.key
    """
    _rewrite(source, target, gallery_key, None)
    say(f"{target} is readable for whoever can read your files; {source} is as it was")
    return 0


def new_key(file: Annotated[Path, Parameter(help="The new file, readable only by its owner.")], /) -> int:
    """Make a key for an encrypted gallery.

    It is 32 random bytes, as 64 hexadecimal digits. Anybody who has it can read the gallery, and nobody can without
    it: keep a copy elsewhere.

    For example:

        facestream gallery new-key people.key
    """
    try:
        write_private(file.expanduser(), f"{secrets.token_hex(32)}\n".encode(), new=True)
    except FileExistsError as error:
        raise ConfigError(f"{file} exists: name another file, or move it away") from error
    except OSError as error:
        raise ConfigError(f"cannot write {file}: {error.strerror}; no key was made") from error
    say(f"wrote {file}, the only copy of the key: if it is lost, so is every gallery encrypted with it")
    return 0


def _rewrite(source: Path, target: Path, old: Path | None, new: Path | None) -> None:
    old_key, new_key = (read_key(path) if path else None for path in (old, new))
    with ends_cleanly():
        copied = rewrite(source.expanduser(), target.expanduser(), old_key, new_key)
    say(f"wrote {copied_words(copied)} to {target}, and verified it")
