"""An object, as a storage tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from engine.contracts.stored import Place
from engine.errors import StorageError
from engine.storage.version import etag_of

SHA256, CONTENT = "facestream-sha256", "facestream-content"
"""What we say of an object when we write it."""


class Found(msgspec.Struct, frozen=True):
    """An object."""

    key: str
    size_bytes: int
    etag: str
    """Another one where the content is another."""
    modified_ns: int
    content: str = ""
    """What ``Storage.replace`` was told of it; in a list of objects it is not."""


def found_of(place: Place, size_bytes: int, facts: Mapping[str, Any]) -> Found:
    """Return what an answer tells of an object.

    Raises:
        StorageError: it does not tell one content from another.
    """
    etag, modified = etag_of(facts), facts.get("LastModified")
    if not etag or modified is None:
        raise StorageError(f"{place}: what answers there gives neither ETag nor time for it, as S3 does: check --s3-endpoint")
    return Found(place.key, size_bytes, etag, round(modified.timestamp() * 1e9), said_of(facts).get(CONTENT, ""))


def said_of(facts: Mapping[str, Any]) -> dict[str, str]:
    """Return what was said of an object when it was written; servers write the names in letters of their own choice."""
    return {name.lower(): value for name, value in facts.get("Metadata", {}).items()}
