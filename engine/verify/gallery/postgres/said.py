"""Turns errors of the database into errors of the gallery."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from engine.errors import GalleryError
from engine.verify.gallery.postgres.address import Address


@contextmanager
def said(address: Address, is_change: bool = False) -> Iterator[None]:
    """Raise ``GalleryError`` instead of what psycopg raises.

    Args:
        address: of the gallery.
        is_change: the block is one change, which is committed at its end.
    """
    import psycopg

    try:
        yield
    except psycopg.errors.UniqueViolation as error:
        raise GalleryError(f"the gallery {address.where} cannot be used: this picture is enrolled already") from error
    except psycopg.Error as error:
        lines = str(error).strip().splitlines()
        what = lines[0] if lines else type(error).__name__
        raise GalleryError(f"the gallery {address.where} cannot be used ({what}): {_advice(error, is_change)}") from error


def _advice(error: Exception, is_change: bool) -> str:
    from psycopg import errors

    match error:
        case errors.QueryCanceled() | errors.LockNotAvailable():
            return "another machine is writing to it, or the server is busy: try again"
        case errors.ReadOnlySqlTransaction():
            return "it was opened to be read, or the server is a standby: name the primary"
        case errors.InsufficientPrivilege():
            return "let the owner of its tables admit the role, see docs/gallery.md"
        case errors.DiskFull():
            return "the server's disk is full; nothing was changed"
        case errors.OperationalError() if is_change:
            return (
                "whether the change was made is not known: look with `facestream gallery list`, and do it again if it was not"
            )
        case errors.OperationalError():
            return "check that the server runs and is reached"
        case _:
            return "look at the server's log"
