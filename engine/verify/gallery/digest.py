"""A digest of what decisions rest on in a gallery: equal if and only if its names and vectors are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import msgspec
import numpy as np

from engine.contracts.frames import Float32

_DIGITS = 32


def digest_of(leaves: Iterable[bytes]) -> str:
    """Return 32 hexadecimal digits of SHA-256. It is computed from the data that faces are compared with, not stored with it,
    so it is right whichever program wrote the gallery.

    Args:
        leaves: digest of each leaf, see ``engine.verify.gallery.leaf``; the people in the gallery determine the leaves.
    """
    return hashlib.sha256(b"".join(leaves)).hexdigest()[:_DIGITS]


def leaf_digest(names: Sequence[str], matrix: Float32, negatives: Mapping[str, Float32]) -> bytes:
    """Return the SHA-256 of some people.

    Args:
        names: of each row, sorted.
        matrix: (N, length); the order of rows with the same name does not matter.
        negatives: see ``Snapshot``.
    """
    found = hashlib.sha256()
    _tell(found, list(names), matrix)
    for name in sorted(negatives):
        _tell(found, [name], negatives[name])
    return found.digest()


def _tell(found: hashlib._Hash, names: list[str], matrix: Float32) -> None:
    head = msgspec.json.encode([names, *matrix.shape])
    found.update(len(head).to_bytes(8, "little") + head)
    found.update(np.ascontiguousarray(matrix, "<f4").tobytes())
