"""Files of arrays that ship beside a model: how one is read, and which one was measured of an embedder."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

from engine.errors import ModelError
from engine.models.catalog import embedded_dir


class OfEmbedder(Protocol):
    """What was measured of one embedder."""

    @property
    def embedder_sha256(self) -> str:
        """Whose vectors these are."""
        ...


_Measured = TypeVar("_Measured", bound=OfEmbedder)


def measured_of(embedder_sha256: str, subject: str, read: Callable[[Path], _Measured]) -> _Measured | None:
    """Return what ships of a subject for an embedder, None where nothing was measured.

    Args:
        embedder_sha256: of the embedder's file.
        subject: the files are called ``NAME_SUBJECT.npz``.
        read: reads one.

    Raises:
        ModelError: a file of ours is damaged.
    """
    found = (read(path) for path in sorted(embedded_dir().glob(f"*_{subject}.npz")))
    return next((one for one in found if one.embedder_sha256 == embedder_sha256), None)


@contextmanager
def reading(path: Path, what: str) -> Iterator[None]:
    """Make whatever shows within that a file of ours is missing or damaged one sentence.

    Args:
        path: of the file.
        what: it should hold.

    Raises:
        ModelError: it is missing or damaged.
    """
    try:
        yield
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ModelError(f"{path} does not hold {what} ({error}): install facestream again") from error
