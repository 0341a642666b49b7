"""The one way to object storage that speaks S3: Amazon's, MinIO, Ceph and others.

Credentials come from the environment, or from the files and roles that boto3 knows, and from nowhere else. What does not
answer, or has too much to do, is asked again with pauses that grow, and given up in the end.
"""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, suppress
from datetime import timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property
from itertools import count
from typing import Any, BinaryIO

from engine.contracts.stored import PUT_CREDENTIALS_ELSEWHERE, Place
from engine.errors import MissingObjectError, MissingRuntimeError, StorageError, UsageError
from engine.storage.found import CONTENT, SHA256, Found, found_of, said_of
from engine.storage.refusals import CONFLICT, NOT_SUPPORTED, THERE, UNSPOKEN, code_of, status_of, told
from engine.storage.version import BLOCK_BYTES, Version
from engine.words.redaction import redact_url

ATTEMPTS = 8
"""At a request: about a minute until what does not answer is given up."""
FEW_ATTEMPTS = 5
"""Where somebody waits for the first word."""
LEFT = timedelta(days=3)
"""An upload that began so long ago, and was not finished, is nobody's any more."""
_CONNECT_SECONDS, _ANSWER_SECONDS = 5.0, 60.0
_PART_BYTES = 64 << 20
"""What is larger is sent in parts of that, or of more where there were too many of them."""
_MOST_PARTS, _DELETED_AT_ONCE = 10_000, 1000


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
        with suppress(MissingObjectError), self._told(place):
            from botocore.exceptions import ClientError

            try:
                head = self._client.head_object(**_at(place))
            except ClientError as error:
                if status_of(error) in UNSPOKEN:  # no answer to HEAD says why; this one does
                    self._client.get_object(**_at(place), Range="bytes=0-0")
                raise
            return found_of(place, head.get("ContentLength", 0), head)
        return None

    def listed(self, place: Place) -> Iterator[Found]:
        """Yield all objects whose keys begin so, but for those that only mark a folder, which end with ``/``."""
        with self._told(place):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=place.bucket, Prefix=place.key)
            for page in pages:
                for one in page.get("Contents", ()):
                    if not one["Key"].endswith("/"):
                        yield found_of(Place(place.bucket, one["Key"]), one["Size"], one)

    def read(self, place: Place) -> bytes | None:
        """Return a small object; None: there is none."""
        content = io.BytesIO()
        try:
            self.fetch(place, content)
        except MissingObjectError:
            return None
        return content.getvalue()

    def fetch(self, place: Place, into: BinaryIO, etag: str = "", alive: Callable[[], object] = lambda: None) -> str:
        """Write an object to a file, also over connections that break; return its ``etag``. It is of one version, and whole.

        Args:
            place: of the object.
            into: written from where it stands.
            etag: of the one that is meant; empty: whichever is there.
            alive: called for each MiB.

        Raises:
            SourceError: it is not there (``MissingObjectError``), or another one is by now (``not_found``).
            StorageError: it is not what was written there, or the answers are not of what was asked for.
            OSError: the file cannot be written.
        """
        with self._told(place):
            from botocore.exceptions import HTTPClientError, IncompleteReadError

            version, digest, failures = Version(place, etag), hashlib.sha256(), 0
            while not version.is_whole:
                answer, before = self._client.get_object(**_at(place), **version.asked()), version.done
                try:
                    with closing(answer["Body"]):
                        for block in version.blocks(answer):
                            into.write(block)
                            digest.update(block)
                            alive()
                    gone = None
                except (HTTPClientError, IncompleteReadError) as error:
                    gone = error
                failures = failures + 1 if version.done == before else 0
                if failures >= self._attempts:
                    raise gone or IncompleteReadError(actual_bytes=version.done, expected_bytes=version.size_bytes)
                if not version.is_whole:
                    time.sleep(min(0.1 * 2.0**failures, 5.0))
        if said_of(answer).get(SHA256, digest.hexdigest()) != digest.hexdigest():
            raise StorageError(f"{place} is damaged (its SHA-256 differs): remove it, and it is made again")
        return version.etag

    def put_new(self, place: Place, file: BinaryIO) -> bool:
        """Write an object where there is none, whole or not at all; return whether there was none.

        Not all storages know that condition, and some take no heed of it without a word: then whoever comes at the same moment
        may replace it, and whoever comes later does not.

        Args:
            place: of the object.
            file: read from its beginning to its end, perhaps several times.
        """
        if self.look(place) is not None:
            return False
        with self._told(place):
            from botocore.exceptions import ClientError

            try:
                self._upload(place, file, IfNoneMatch="*")
            except ClientError as error:
                if status_of(error) == THERE:
                    return False
                if status_of(error) != NOT_SUPPORTED:
                    raise
                self._upload(place, file)
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
                self._delete_some(some)

    def _delete_some(self, places: Sequence[Place]) -> None:
        from botocore.exceptions import ClientError

        objects = {"Objects": [{"Key": one.key} for one in places], "Quiet": True}
        try:
            answer = self._client.delete_objects(Bucket=places[0].bucket, Delete=objects)
        except ClientError as error:
            if status_of(error) not in (400, NOT_SUPPORTED):
                raise
            for one in places:  # some know no list, and some want another checksum with it
                self._client.delete_object(**_at(one))
            return
        for failed in answer.get("Errors", ()):
            with self._told(Place(places[0].bucket, failed.get("Key", ""))):
                raise ClientError({"Error": failed}, "DeleteObjects")

    def abort_uploads(self, place: Place) -> None:
        """Remove the parts of objects that were begun ``LEFT`` ago, by the storage's clock, and never finished, as by whoever
        was killed: nobody sees them, but they cost. One that is younger may be somebody's who is at it."""
        with self._told(place):
            pages = self._client.get_paginator("list_multipart_uploads").paginate(Bucket=place.bucket, Prefix=place.key)
            for page in pages:
                if (said := page["ResponseMetadata"]["HTTPHeaders"].get("date")) is None:
                    continue
                oldest = parsedate_to_datetime(said) - LEFT
                for one in page.get("Uploads", ()):
                    if "Initiated" in one and one["Initiated"] < oldest:
                        self._client.abort_multipart_upload(Bucket=place.bucket, Key=one["Key"], UploadId=one["UploadId"])

    def _upload(self, place: Place, file: BinaryIO, content: str = "", **condition: str) -> None:
        from botocore.exceptions import ClientError

        metadata = {SHA256: _sha256_of(file)} | ({CONTENT: content} if content else {})
        for attempt in count(1):
            try:
                self._send(place, file, metadata, condition)
                return
            except ClientError as error:
                # Somebody else writes it now, or took this upload for one that was left.
                is_in_between = status_of(error) == CONFLICT or code_of(error) == "NoSuchUpload"
                if not is_in_between or attempt >= self._attempts:
                    raise
                time.sleep(0.1 * attempt)

    def _send(self, place: Place, file: BinaryIO, metadata: Mapping[str, str], condition: Mapping[str, str]) -> None:
        size_bytes = file.seek(0, io.SEEK_END)
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
    while block := file.read(BLOCK_BYTES):
        digest.update(block)
    return digest.hexdigest()


def _at(place: Place) -> dict[str, str]:
    return {"Bucket": place.bucket, "Key": place.key}
