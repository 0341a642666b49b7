"""What the tests of this folder share."""

from __future__ import annotations

import io

from engine.contracts.stored import Place
from engine.storage.s3 import Storage

AT = Place("results", "tapes/a.tar")


def content(storage: Storage, place: Place, etag: str = "") -> bytes:
    """Return what is fetched."""
    file = io.BytesIO()
    storage.fetch(place, file, etag)
    return file.getvalue()
