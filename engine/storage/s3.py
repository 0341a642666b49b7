"""The one way to object storage that speaks S3: Amazon's, MinIO, Ceph and others.

Credentials come from the environment, or from the files and roles that boto3 knows, and from nowhere else. What does not
answer, or has too much to do, is asked again with pauses that grow, and given up in the end.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from functools import cached_property
from itertools import count
from typing import Any, BinaryIO

import msgspec

from engine.contracts.stored import PUT_CREDENTIALS_ELSEWHERE, Place
from engine.errors import MissingRuntimeError, SourceError, StorageError, UsageError
from engine.storage.refusals import CONFLICT, NOT_SUPPORTED, THERE, code_of, status_of, told
from engine.words.redaction import redact_url

ATTEMPTS = 8
"""At a request: about a minute until what does not answer is given up."""
FEW_ATTEMPTS = 5
"""Where somebody waits for the first word."""
_CONNECT_SECONDS, _ANSWER_SECONDS = 5.0, 60.0
_BLOCK_BYTES = 1 << 20
_PART_BYTES = 64 << 20
"""What is larger is sent in parts of that, or of more where there were too many of them."""
_MOST_PARTS, _DELETED_AT_ONCE = 10_000, 1000
_SHA256, _CONTENT = "facestream-sha256", "facestream-content"


class Found(msgspec.Struct, frozen=True):
    """An object."""

    key: str
    size_bytes: int
    etag: str
    """Another one where the content is another."""
    modified_ns: int
    content: str = ""
    """What ``Storage.replace`` was told of it; in a list of objects it is not."""


def check_endpoint(endpoint: str) -> None:
    """Check the URL of a storage.

    Raises:
        UsageError: it is none, or holds credentials, which others would see.
    """
    if "@" in endpoint:
        raise UsageError(
            f"--s3-endpoint {redact_url(endpoint)} holds credentials, which others would see: {PUT_CREDENTIALS_ELSEWHERE}"
        )
    if endpoint and not endpoint.lower().startswith(("http://", "https://")):
        raise UsageError(f"--s3-endpoint {endpoint} is not a URL: write http://HOST:PORT or https://HOST")


class Storage:
    """A way to one storage. It connects when it is first used.

    Args:
        endpoint: its URL; empty: as the environment and the files of boto3 say, else Amazon's.
        attempts: at each request.

    Every method raises ``StorageError`` where the storage refuses, as for want of rights; ``StorageAwayError`` where it does
    not answer; ``MissingRuntimeError`` where boto3 is not installed.
    """

    def __init__(self, endpoint: str = "", attempts: int = ATTEMPTS) -> None:
        self.endpoint, self._attempts = endpoint, attempts

    @cached_property
    def _client(self) -> Any:
        import boto3
        from botocore.config import Config

        config = Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_ANSWER_SECONDS,
            retries={"mode": "standard", "total_max_attempts": self._attempts},
            # What not all storages know; of what we write we keep a SHA-256 ourselves.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        return boto3.session.Session().client("s3", endpoint_url=self.endpoint or None, config=config)

    def _told(self, place: Place) -> AbstractContextManager[None]:
        try:
            import boto3  # noqa: F401
        except ImportError as error:
            raise MissingRuntimeError(f"{place} needs boto3, which is not installed: pip install 'facestream[s3]'") from error
        return told(place, self.endpoint)

    def look(self, place: Place) -> Found | None:
        """Return what is known of an object; None: there is none."""
        try:
            with self._told(place):
                head = self._client.head_object(**_at(place))
        except SourceError:
            return None
        return _found(place.key, head["ContentLength"], head, head["Metadata"].get(_CONTENT, ""))

    def listed(self, place: Place) -> Iterator[Found]:
        """Yield all objects whose keys begin so, in their order."""
        with self._told(place):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=place.bucket, Prefix=place.key)
            for page in pages:
                for one in page.get("Contents", ()):
                    yield _found(one["Key"], one["Size"], one)

    def read(self, place: Place) -> bytes | None:
        """Return a small object; None: there is none."""
        try:
            with self._told(place):
                content: bytes = self._client.get_object(**_at(place))["Body"].read()
        except SourceError:
            return None
        return content

    def fetch(self, place: Place, into: BinaryIO, etag: str = "", alive: Callable[[], object] = lambda: None) -> str:
        """Write an object to a file, also over connections that break; return its ``etag``.

        Args:
            place: of the object.
            into: written from where it stands.
            etag: of the one that is meant; empty: whichever is there.
            alive: called for each MiB.

        Raises:
            SourceError: it is not there, or another one is by now (``not_found``).
            StorageError: it is not what was written there.
            OSError: the file cannot be written.
        """
        with self._told(place):
            from botocore.exceptions import HTTPClientError, IncompleteReadError

            digest, done, failures = hashlib.sha256(), 0, 0
            while True:
                asked = {"Range": f"bytes={done}-"} if done else {}
                asked |= {"IfMatch": f'"{etag}"'} if etag else {}
                answer = self._client.get_object(**_at(place), **asked)
                etag = answer["ETag"].strip('"')
                try:
                    for block in answer["Body"].iter_chunks(_BLOCK_BYTES):
                        into.write(block)
                        digest.update(block)
                        done, failures = done + len(block), 0
                        alive()
                    break
                except (HTTPClientError, IncompleteReadError):
                    failures += 1
                    if failures >= self._attempts:
                        raise
                    time.sleep(min(0.1 * 2.0**failures, 5.0))
        if answer["Metadata"].get(_SHA256, digest.hexdigest()) != digest.hexdigest():
            raise StorageError(f"{place} is damaged, as its SHA-256 says: remove it, and it is made again")
        return etag

    def put_new(self, place: Place, file: BinaryIO) -> bool:
        """Write an object where there is none, whole or not at all; return whether there was none.

        Args:
            place: of the object.
            file: read from its beginning to its end, perhaps several times.
        """
        with self._told(place):
            from botocore.exceptions import ClientError

            for attempt in count(1):
                try:
                    self._upload(place, file, IfNoneMatch="*")
                    return True
                except ClientError as error:
                    status = status_of(error)
                    if status == THERE:
                        return False
                    if status == NOT_SUPPORTED:
                        break
                    # Somebody else writes it now, or took this upload for one that was left.
                    is_in_between = status == CONFLICT or code_of(error) == "NoSuchUpload"
                    if not is_in_between or attempt >= self._attempts:
                        raise
                    time.sleep(0.1 * attempt)
        if self.look(place) is not None:
            return False
        self.replace(place, file)
        return True

    def replace(self, place: Place, file: BinaryIO, content: str = "") -> None:
        """Write an object, whole or not at all, in the place of another.

        Args:
            place: of the object.
            file: as for ``put_new``.
            content: by which ``look`` shall know it.
        """
        with self._told(place):
            self._upload(place, file, content)

    def delete(self, places: Sequence[Place]) -> None:
        """Remove objects of one bucket; those that are not there count as removed."""
        for first in range(0, len(places), _DELETED_AT_ONCE):
            some = places[first : first + _DELETED_AT_ONCE]
            with self._told(some[0]):
                objects = {"Objects": [{"Key": one.key} for one in some], "Quiet": True}
                answer = self._client.delete_objects(Bucket=some[0].bucket, Delete=objects)
            if failed := answer.get("Errors"):
                raise StorageError(f"{some[0]} cannot be removed ({failed[0].get('Code')}): check the rights")

    def abort_uploads(self, place: Place) -> None:
        """Remove the parts of objects that were never finished, as by whoever was killed: nobody sees them, but they cost."""
        with self._told(place):
            pages = self._client.get_paginator("list_multipart_uploads").paginate(Bucket=place.bucket, Prefix=place.key)
            for one in [one for page in pages for one in page.get("Uploads", ())]:
                self._client.abort_multipart_upload(Bucket=place.bucket, Key=one["Key"], UploadId=one["UploadId"])

    def _upload(self, place: Place, file: BinaryIO, content: str = "", **condition: str) -> None:
        metadata = {_SHA256: _sha256_of(file)} | ({_CONTENT: content} if content else {})
        size_bytes = file.tell()
        file.seek(0)
        if size_bytes <= _PART_BYTES:
            self._client.put_object(**_at(place), Body=file, Metadata=metadata, **condition)
            return
        upload = _at(place) | {"UploadId": self._client.create_multipart_upload(**_at(place), Metadata=metadata)["UploadId"]}
        try:
            part_bytes, parts = max(_PART_BYTES, -(-size_bytes // _MOST_PARTS)), list[dict[str, Any]]()
            while body := file.read(part_bytes):
                number = len(parts) + 1
                etag = self._client.upload_part(**upload, PartNumber=number, Body=body)["ETag"]
                parts.append({"PartNumber": number, "ETag": etag})
            self._client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}, **condition)
        except BaseException:
            with suppress(Exception):  # the failure before is the one to tell
                self._client.abort_multipart_upload(**upload)
            raise


def _sha256_of(file: BinaryIO) -> str:
    file.seek(0)
    digest = hashlib.sha256()
    while block := file.read(_BLOCK_BYTES):
        digest.update(block)
    return digest.hexdigest()


def _at(place: Place) -> dict[str, str]:
    return {"Bucket": place.bucket, "Key": place.key}


def _found(key: str, size_bytes: int, facts: Mapping[str, Any], content: str = "") -> Found:
    return Found(key, size_bytes, facts["ETag"].strip('"'), round(facts["LastModified"].timestamp() * 1e9), content)
