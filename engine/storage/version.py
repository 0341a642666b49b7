"""One version of an object, over as many answers as it takes. Each is checked: a server, or a proxy before it, may take no heed
of the part that was asked for, or of the version, and parts of two objects would be taken for one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from engine.contracts.stored import Place
from engine.errors import SourceError, StorageError

BLOCK_BYTES = 1 << 20
_WEAK = "W/"
_PART = re.compile(r"bytes (\d+)-\d+/(\d+)")


class Version:
    """What has come of it.

    Args:
        place: of the object.
        etag: of the version that is meant; empty: of the first answer.
    """

    def __init__(self, place: Place, etag: str = "") -> None:
        self._place, self.etag, self._condition = place, etag, dict[str, str]()
        self.size_bytes: int | None = None
        self.done = 0
        """Bytes."""

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing."""
        return self.done == self.size_bytes

    def asked(self) -> dict[str, str]:
        """Return what to ask for: what is missing, of this version."""
        asked = {"Range": f"bytes={self.done}-"} if self.done else {}
        return asked | self._condition

    def blocks(self, answer: Mapping[str, Any]) -> Iterator[bytes]:
        """Yield what an answer has of what is missing; it may have less than all.

        Args:
            answer: of boto3, to what was ``asked``.

        Raises:
            SourceError: it is of another version (``not_found``).
            StorageError: it cannot be told of which it is, or what part.
        """
        before = self.done - self._take_up(answer)
        for block in answer["Body"].iter_chunks(BLOCK_BYTES):
            new, before = block[before:], max(0, before - len(block))
            self.done += len(new)
            if self.done > (self.size_bytes or 0):
                raise self._not_as_asked("the answer is longer than the object")
            yield new

    def _take_up(self, answer: Mapping[str, Any]) -> int:
        """Return with which byte an answer begins: the first that is missing, or where parts are not known the first of all."""
        if not (etag := etag_of(answer)):
            raise self._not_as_asked("no ETag comes with it")
        if part := _PART.fullmatch(answer.get("ContentRange", "")):
            first, size_bytes = int(part[1]), int(part[2])
        else:
            first, size_bytes = 0, answer.get("ContentLength", -1)
        if size_bytes < 0:
            raise self._not_as_asked("nothing says how long it is")
        if etag != (self.etag or etag) or size_bytes != (self.size_bytes if self.size_bytes is not None else size_bytes):
            raise changed(self._place)
        if first not in (0, self.done):
            raise self._not_as_asked(f"what comes begins with byte {first:,}, and byte {self.done:,} was asked for")
        # No weak one matches (RFC 9110, 13.1.1), nor one from a list, as it may be weak; each answer is looked at anyway.
        self._condition = {} if _is_weak(answer) else {"IfMatch": f'"{etag}"'}
        self.etag, self.size_bytes = etag, size_bytes
        return first

    def _not_as_asked(self, why: str) -> StorageError:
        return StorageError(
            f"{self._place}: {why}, so nobody can say whether it is whole: check --s3-endpoint, and proxies before the storage"
        )


def etag_of(facts: Mapping[str, Any]) -> str:
    """Return the ``ETag``, without what some proxies put before it; empty: there is none."""
    return str(facts.get("ETag", "")).removeprefix(_WEAK).strip('"')


def _is_weak(facts: Mapping[str, Any]) -> bool:
    return str(facts.get("ETag", "")).startswith(_WEAK)


def changed(place: Place) -> SourceError:
    """Return what is raised where another object has taken the place of the one that was meant."""
    return SourceError(f"{place} has changed since it was listed: give the same command again", "not_found")
