"""Where something is in object storage: ``s3://BUCKET/KEY``, in which nothing is an escape and nothing is left out."""

from __future__ import annotations

import re

import msgspec

from engine.errors import UsageError
from engine.words.redaction import redact_url

SCHEME = "s3://"
PUT_CREDENTIALS_ELSEWHERE = "put them in the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY) or in ~/.aws/credentials"
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")
_LONGEST_KEY = 1024
"""In bytes."""


class Place(msgspec.Struct, frozen=True):
    """An object, or all whose keys begin so."""

    bucket: str
    key: str = ""

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.key}"

    def __truediv__(self, name: str) -> Place:
        """Return what lies below it."""
        above = self.key.removesuffix("/")
        return Place(self.bucket, f"{above}/{name}" if above else name)


class Stored(msgspec.Struct, frozen=True):
    """An object, as it was when it was listed."""

    place: Place
    etag: str
    """Another one where the content is another."""
    size_bytes: int
    modified_ns: int
    endpoint: str = ""
    """URL of the storage; empty: as each machine's environment says."""


def is_stored(where: str) -> bool:
    """Whether this is meant for object storage."""
    return where[:4].lower() == "s3:/"


def place_of(address: str) -> Place:
    """Return the place that an address names; what stands behind the bucket is taken as it is.

    Raises:
        UsageError: it names no bucket, holds credentials, or no key can be so.
    """
    bucket, _, key = address[len(SCHEME) :].partition("/")
    if address[: len(SCHEME)].lower() != SCHEME:
        raise UsageError(f"{redact_url(address)} is not an address: write s3://BUCKET/NAME")
    if "@" in bucket or ":" in bucket:
        raise UsageError(
            f"{SCHEME}***: credentials do not belong in an address, where others see them: {PUT_CREDENTIALS_ELSEWHERE}"
        )
    if not _BUCKET.fullmatch(bucket):
        raise UsageError(f"{address} names no bucket: write s3://BUCKET/NAME")
    try:
        length = len(key.encode())
    except UnicodeEncodeError as error:
        raise UsageError(f"{SCHEME}{bucket}: names in object storage are UTF-8, and this one is not: check it") from error
    if length > _LONGEST_KEY:
        raise UsageError(f"{SCHEME}{bucket}: a name there has {_LONGEST_KEY} bytes at most, and this one has {length}")
    return Place(bucket, key)
