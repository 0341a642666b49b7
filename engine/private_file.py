"""Who may read what is written of people: its owner alone, or those with whom its folder is shared on purpose.

A folder is shared on purpose where it has a default access control list, which says who may read what is made in it, or the
set-group-ID bit (``chmod g+s``): its group then has what the umask leaves it. Nothing is ever made for all users.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from shlex import quote

_DEFAULT_ACL = "system.posix_acl_default"


def is_ours_alone(folder: os.stat_result) -> bool:
    """Return whether nobody but this user may use a folder."""
    return not stat.S_IMODE(folder.st_mode) & 0o077 and folder.st_uid == os.geteuid()


def others_may_read(file: os.stat_result) -> bool:
    """Return whether somebody but this user, and who handed the file to it, may read a file with a secret.

    What root hands over is for whom it was handed to: Kubernetes does it by the group of a mounted secret, and systemd by an
    access list (``LoadCredential=``), which is shown in the bits of the group.
    """
    handed_over = file.st_uid == 0 and os.geteuid() != 0
    return bool(file.st_mode & (0o037 if handed_over else 0o077))


def version_of(file: os.stat_result) -> tuple[int, int, int]:
    """Return a value that differs as soon as a file was replaced or written to."""
    return file.st_ino, file.st_mtime_ns, file.st_size


def warning_of(path: Path, file: os.stat_result, what: str) -> str:
    """Return a sentence where others may read a file with a secret, else "".

    Args:
        path: the file.
        file: its status, best of the open file.
        what: it is, as ``the credentials file``.
    """
    if not others_may_read(file):
        return ""
    return f"{what} {path} may be read by others: protect it with `chmod 600 {quote(str(path))}`"


def private_opener(path: str, flags: int) -> int:
    """Open a file, made private where it is missing: for ``open(path, mode, opener=private_opener)``.

    Raises:
        OSError: it cannot be opened.
    """
    return os.open(path, flags, _mode_in(os.path.dirname(path) or ".") & 0o666)


def make_private(path: Path) -> None:
    """Make an empty file, or empty one, before somebody writes to it who knows nothing of who may read it.

    Raises:
        OSError: it cannot be made.
    """
    os.close(private_opener(str(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC))


def make_private_folder(path: Path) -> None:
    """Make a folder and those above it that are missing; one that is there stays as it is.

    Raises:
        OSError: it cannot be made.
    """
    if path.is_dir():
        return
    if not path.parent.exists():
        make_private_folder(path.parent)
    try:
        os.mkdir(path, _mode_in(path.parent))
    except FileExistsError:  # another process was faster, or it is a file
        if not path.is_dir():
            raise


def make_own_folder(path: Path) -> None:
    """Make a folder and those above it that are missing, for this user alone, whoever shares what is above them.

    Raises:
        OSError: it cannot be made.
    """
    if not path.parent.exists():
        make_own_folder(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)


def _mode_in(folder: str | Path) -> int:
    """Return what a folder lets others do with what is made in it: of a file without the bits to run it."""
    if _has_default_acl(folder):
        return 0o777  # the list takes away from it, and counts in the place of the umask
    return 0o770 if os.stat(folder).st_mode & stat.S_ISGID else 0o700


def _has_default_acl(folder: str | Path) -> bool:
    try:
        return bool(os.getxattr(folder, _DEFAULT_ACL))
    except OSError:  # none, or a file system without any
        return False
