"""The way to object storage, over a real server, which fails as servers and networks do."""

from __future__ import annotations

import io

import pytest

from engine.contracts.stored import Place
from engine.errors import SourceError, StorageAwayError, StorageError
from engine.storage.s3 import Storage
from tests.servers.s3 import Fault, S3Server
from tests.storage.storing import AT, content

ODD = [
    "a b.mp4",
    "50%.mp4",
    "a%20b.mp4",
    "ä/日本.mp4",
    "a/../b.mp4",
    "../c.mp4",
    "./d.mp4",
    "a//e.mp4",
    "x+y&z=1?#.mp4",
    "A b.mp4",
    "/f.mp4",
]


def every(number: int, status: int = 503, code: str = "SlowDown") -> Fault:
    """Refuse each request but one of so many."""
    asked = 0

    def fault(*request: object) -> tuple[int, str] | None:
        nonlocal asked
        asked += 1
        return None if asked % number == 0 else (status, code)

    return fault


def test_what_was_written_is_there_once_and_comes_back(storage: Storage) -> None:
    assert storage.look(AT) is None
    assert storage.read(AT) is None
    assert storage.put_new(AT, io.BytesIO(b"first"))
    assert not storage.put_new(AT, io.BytesIO(b"second"))
    found = storage.look(AT)
    assert found is not None
    assert (found.key, found.size_bytes, found.content) == (AT.key, 5, "")
    assert content(storage, AT, found.etag) == storage.read(AT) == b"first"
    storage.replace(AT, io.BytesIO(b"third"), "three")
    assert (found := storage.look(AT)) is not None
    assert found.content == "three"
    storage.delete([AT, Place("results", "never there")])
    assert storage.look(AT) is None


@pytest.mark.parametrize("key", ODD)
def test_a_name_is_what_it_is(storage: Storage, s3: S3Server, key: str) -> None:
    place = Place("results", key)
    assert storage.put_new(place, io.BytesIO(key.encode()))
    assert s3.keys("results") == [key]
    assert [one.key for one in storage.listed(Place("results"))] == [key]
    assert content(storage, place) == key.encode()


def test_what_only_marks_a_folder_is_no_object(storage: Storage, s3: S3Server) -> None:
    s3.fill("results", ["tapes/", "tapes/a", "tapes/b.mp4/"])
    assert [one.key for one in storage.listed(Place("results"))] == ["tapes/a"]


def test_names_that_differ_in_case_alone_are_two(storage: Storage) -> None:
    assert storage.put_new(Place("results", "a"), io.BytesIO(b"small"))
    assert storage.put_new(Place("results", "A"), io.BytesIO(b"large"))
    assert [storage.read(Place("results", key)) for key in "aA"] == [b"small", b"large"]


def test_more_objects_than_one_answer_holds(storage: Storage, s3: S3Server) -> None:
    s3.fill("results", (f"many/{number:04d}" for number in range(1005)))
    found = [one.key for one in storage.listed(Place("results", "many/"))]
    assert found == [f"many/{number:04d}" for number in range(1005)]
    storage.delete([Place("results", key) for key in found])
    assert s3.keys("results") == []


@pytest.mark.parametrize(("status", "code"), [(503, "SlowDown"), (500, "InternalError"), (503, "ServiceUnavailable")])
def test_who_has_too_much_to_do_is_asked_again(storage: Storage, s3: S3Server, status: int, code: str) -> None:
    with s3.failing(every(2, status, code)):
        assert storage.put_new(AT, io.BytesIO(b"x"))
        assert content(storage, AT) == b"x"
        assert [one.key for one in storage.listed(Place("results"))] == [AT.key]
    assert sum(path.endswith("a.tar") for _, path, _ in s3.seen) >= 4


def test_who_always_has_is_given_up(s3: S3Server) -> None:
    with s3.failing(lambda *request: (503, "SlowDown")), pytest.raises(StorageAwayError, match="has too much to do"):
        Storage(attempts=2).read(AT)
    assert len(s3.seen) == 2 + 2  # of the buckets, and ours


def test_an_object_that_was_replaced_is_not_taken_for_the_one_that_was_meant(storage: Storage) -> None:
    storage.put_new(AT, io.BytesIO(b"old"))
    found = storage.look(AT)
    storage.replace(AT, io.BytesIO(b"new"))
    assert found is not None
    with pytest.raises(SourceError, match="has changed since it was listed"):
        content(storage, AT, found.etag)
    storage.delete([AT])
    with pytest.raises(SourceError, match="is not there any more"):
        content(storage, AT)


def test_a_connection_that_breaks_is_taken_up_where_it_broke(storage: Storage, s3: S3Server) -> None:
    body = bytes(range(256)) * 20_000
    storage.put_new(AT, io.BytesIO(body))
    s3.cut_at = 3_000_000
    assert content(storage, AT) == body
    assert [method for method, path, _ in s3.seen if path.endswith("a.tar")].count("GET") == 2


@pytest.mark.parametrize("deaf_to", [[], ["HTTP_RANGE"], ["HTTP_IF_MATCH"], ["HTTP_RANGE", "HTTP_IF_MATCH"]])
@pytest.mark.parametrize("changes", [False, True])
def test_two_parts_are_of_one_object(storage: Storage, s3: S3Server, deaf_to: list[str], *, changes: bool) -> None:
    """Whatever the server takes no heed of."""
    body, other = bytes(range(256)) * 20_000, bytes(reversed(range(256))) * 20_000
    storage.put_new(AT, io.BytesIO(body))
    gets = 0

    def change(method: str, path: str, query: dict[str, str]) -> None:
        nonlocal gets
        if method == "GET" and path.endswith("a.tar") and (gets := gets + 1) == 2 and changes:
            Storage().replace(AT, io.BytesIO(other))

    s3.cut_at, s3.deaf_to = 3_000_000, set(deaf_to)
    with s3.failing(change):
        if changes:
            with pytest.raises(SourceError, match="has changed since it was listed"):
                content(storage, AT)
        else:
            assert content(storage, AT) == body
    assert gets == 2


def test_a_server_that_gives_nothing_is_given_up(storage: Storage, s3: S3Server) -> None:
    storage.put_new(AT, io.BytesIO(bytes(100)))
    gets = 0

    def cut(method: str, path: str, query: dict[str, str]) -> None:
        nonlocal gets
        if method == "GET":
            gets, s3.cut_at = gets + 1, 10

    s3.deaf_to = {"HTTP_RANGE"}
    with s3.failing(cut), pytest.raises(StorageAwayError, match="does not answer"):
        content(Storage(attempts=2), AT)
    assert gets == 3


def test_what_was_said_of_an_object_comes_in_any_letters(storage: Storage, s3: S3Server) -> None:
    """Go writes the names of headers with capitals."""
    storage.replace(AT, io.BytesIO(b"x"), "one")
    s3.capitals = True
    assert (found := storage.look(AT)) is not None
    assert found.content == "one"
    metadata = {"Facestream-Sha256": "0" * 64}
    s3.client.put_object(Bucket=AT.bucket, Key=AT.key, Body=b"other", Metadata=metadata)
    with pytest.raises(StorageError, match="is damaged"):
        content(storage, AT)


def test_what_is_damaged_is_told(storage: Storage, s3: S3Server) -> None:
    storage.put_new(AT, io.BytesIO(b"whole"))
    metadata = s3.client.head_object(Bucket=AT.bucket, Key=AT.key)["Metadata"]
    s3.client.put_object(Bucket=AT.bucket, Key=AT.key, Body=b"other", Metadata=metadata)
    with pytest.raises(StorageError, match="is damaged"):
        content(storage, AT)
