"""Objects are written whole or not at all, and once, whatever the storage knows of conditions and lists."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest

from engine.contracts.stored import Place
from engine.errors import SourceError, StorageError
from engine.storage import s3 as module
from engine.storage.s3 import Storage
from tests.servers.s3 import S3Server
from tests.storage.storing import AT, content


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> io.BytesIO:
    """A file that is sent in three parts."""
    monkeypatch.setattr(module, "_PART_BYTES", 5 << 20)
    return io.BytesIO(bytes(12 << 20))


def uploads(s3: S3Server) -> list[str]:
    return [one["Key"] for one in s3.client.list_multipart_uploads(Bucket="results").get("Uploads", [])]


def test_large_ones_are_sent_in_parts_and_once(storage: Storage, s3: S3Server, parts: io.BytesIO) -> None:
    assert storage.put_new(AT, parts)
    assert not storage.put_new(AT, parts)
    assert content(storage, AT) == parts.getvalue()
    assert uploads(s3) == []
    assert sum("partNumber" in query for _, _, query in s3.seen) == 3


@pytest.mark.parametrize("parts_of", [1, 3])
def test_who_is_second_at_the_same_moment_is_told(storage: Storage, s3: S3Server, parts: io.BytesIO, parts_of: int) -> None:
    first = io.BytesIO(b"first")
    raced: list[str] = []

    def race(method: str, path: str, query: dict[str, str]) -> None:
        if method == "PUT" and not raced:
            raced.append(path)
            s3.client.put_object(Bucket=AT.bucket, Key=AT.key, Body=first)

    with s3.failing(race):
        assert not storage.put_new(AT, io.BytesIO(b"second") if parts_of == 1 else parts)
    assert storage.read(AT) == b"first"
    assert uploads(s3) == []


def test_of_a_part_that_cannot_be_sent_nothing_stays(storage: Storage, s3: S3Server, parts: io.BytesIO) -> None:
    with (
        s3.failing(lambda method, path, query: (400, "IncompleteBody") if query.get("partNumber") == "2" else None),
        pytest.raises(StorageError, match="IncompleteBody"),
    ):
        storage.put_new(AT, parts)
    assert storage.look(AT) is None
    assert uploads(s3) == []


def test_what_whoever_was_killed_left_is_removed(storage: Storage, s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    s3.client.create_multipart_upload(Bucket="results", Key="tapes/a")
    s3.client.create_multipart_upload(Bucket="results", Key="tapes2/a")
    began = s3.client.list_multipart_uploads(Bucket="results")["Uploads"][0]["Initiated"]
    age = datetime.now(UTC) - began
    monkeypatch.setattr(module, "LEFT", age + timedelta(hours=1))
    storage.abort_uploads(Place("results", "tapes/"))
    assert uploads(s3) == ["tapes/a", "tapes2/a"], "somebody may be at it"
    monkeypatch.setattr(module, "LEFT", age - timedelta(hours=1))
    storage.abort_uploads(Place("results", "tapes/"))
    assert uploads(s3) == ["tapes2/a"]


@pytest.mark.parametrize("write", ["put_new", "replace"])
def test_an_upload_that_somebody_took_for_left_is_made_again(
    storage: Storage, s3: S3Server, parts: io.BytesIO, write: str
) -> None:
    taken: list[str] = []

    def take(method: str, path: str, query: dict[str, str]) -> tuple[int, str] | None:
        if query.get("partNumber") != "2" or taken:
            return None
        taken.append(query["uploadId"])
        s3.client.abort_multipart_upload(Bucket=AT.bucket, Key=AT.key, UploadId=query["uploadId"])
        return 404, "NoSuchUpload"

    with s3.failing(take):
        getattr(storage, write)(AT, parts)
    assert taken
    assert content(storage, AT) == parts.getvalue()
    assert uploads(s3) == []


def test_there_are_never_too_many_parts(
    storage: Storage, s3: S3Server, parts: io.BytesIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_PARTS", 2)
    storage.replace(AT, parts)
    assert content(storage, AT) == parts.getvalue()
    assert sum("partNumber" in query for _, _, query in s3.seen) == 2


@pytest.mark.parametrize(("status", "code"), [(400, "MissingContentMD5"), (501, "NotImplemented")])
def test_a_storage_that_removes_one_at_a_time(storage: Storage, s3: S3Server, status: int, code: str) -> None:
    s3.fill("results", ["a", "b"])
    with s3.failing(lambda method, path, query: (status, code) if method == "POST" else None):
        storage.delete([Place("results", "a"), Place("results", "b")])
    assert s3.keys("results") == []


def test_a_bucket_with_versions(storage: Storage, s3: S3Server) -> None:
    s3.client.put_bucket_versioning(Bucket="results", VersioningConfiguration={"Status": "Enabled"})
    storage.put_new(AT, io.BytesIO(b"old"))
    found = storage.look(AT)
    storage.replace(AT, io.BytesIO(b"new"))
    assert found is not None
    with pytest.raises(SourceError, match="has changed since it was listed"):
        content(storage, AT, found.etag)
    assert [one.size_bytes for one in storage.listed(Place("results"))] == [3]
    storage.delete([AT])
    assert (storage.look(AT), storage.read(AT), list(storage.listed(AT))) == (None, None, [])
    assert storage.put_new(AT, io.BytesIO(b"anew"))


def test_a_storage_that_knows_no_conditions(storage: Storage, s3: S3Server) -> None:
    refused: list[str] = []

    def first_put(method: str, path: str, query: dict[str, str]) -> tuple[int, str] | None:
        if method == "PUT" and not refused:
            refused.append(path)
            return 501, "NotImplemented"
        return None

    with s3.failing(first_put):
        assert storage.put_new(AT, io.BytesIO(b"first"))
    refused.clear()
    with s3.failing(first_put):
        assert not storage.put_new(AT, io.BytesIO(b"second"))
    assert storage.read(AT) == b"first"


def test_a_storage_that_takes_no_heed_of_conditions(storage: Storage, s3: S3Server) -> None:
    s3.deaf_to = {"HTTP_IF_NONE_MATCH"}
    assert storage.put_new(AT, io.BytesIO(b"first"))
    assert not storage.put_new(AT, io.BytesIO(b"second"))
    assert storage.read(AT) == b"first"


def test_whoever_writes_at_the_same_moment_is_waited_for(storage: Storage, s3: S3Server) -> None:
    left = [2]

    def at_once(method: str, path: str, query: dict[str, str]) -> tuple[int, str] | None:
        left[0] -= method == "PUT"
        return (409, "ConditionalRequestConflict") if method == "PUT" and left[0] >= 0 else None

    with s3.failing(at_once):
        assert storage.put_new(AT, io.BytesIO(b"x"))
