"""The way to object storage, over a real server, which fails as servers and networks do."""

from __future__ import annotations

import io
import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from engine.contracts.stored import Place
from engine.errors import (
    MissingRuntimeError,
    SourceError,
    StorageAwayError,
    StorageDeniedError,
    StorageError,
    UsageError,
)
from engine.storage import s3 as module
from engine.storage.s3 import Storage, check_endpoint
from tests.decode.certificates import camera_certificate, serving
from tests.servers.s3 import ACCESS_KEY, SECRET_KEY, Fault, S3Server

AT = Place("results", "tapes/a.tar")
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


@pytest.fixture
def storage(s3: S3Server) -> Storage:
    """Waits for nothing for long."""
    return Storage(attempts=4)


def content(storage: Storage, place: Place, etag: str = "") -> bytes:
    file = io.BytesIO()
    storage.fetch(place, file, etag)
    return file.getvalue()


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


@pytest.mark.parametrize(
    ("status", "code", "error", "words"),
    [
        (404, "NoSuchBucket", StorageError, "there is no bucket results: make it"),
        (403, "InvalidAccessKeyId", StorageError, "the credentials are not taken"),
        (403, "SignatureDoesNotMatch", StorageError, "the credentials are not taken"),
        (400, "ExpiredToken", StorageError, "the credentials have expired"),
        (403, "AccessDenied", StorageDeniedError, "may not be [a-z]+ .AccessDenied.: these credentials lack the right"),
        (403, "RequestTimeTooSkewed", StorageError, "the clock of this machine differs from the storage's"),
        (400, "AuthorizationHeaderMalformed", StorageError, "is in another region .* set AWS_DEFAULT_REGION"),
        (400, "IllegalLocationConstraintException", StorageError, "is in another region .* set AWS_DEFAULT_REGION"),
        (400, "EntityTooLarge", StorageError, "takes no object so large"),
        (400, "SomethingElse", StorageError, "SomethingElse"),
        (400, "", StorageError, "says 400 and nothing more: check --s3-endpoint"),
    ],
)
def test_refusals_in_one_sentence(
    storage: Storage, s3: S3Server, status: int, code: str, error: type[Exception], words: str
) -> None:
    """Whatever is asked; an answer to HEAD has no words at all."""
    asked = [lambda: storage.replace(AT, io.BytesIO(b"x")), lambda: storage.read(AT), lambda: list(storage.listed(AT))]
    asked += [] if status == 404 else [lambda: storage.look(AT), lambda: storage.put_new(AT, io.BytesIO(b"x"))]
    for ask in asked:
        with s3.failing(lambda *request: (status, code)), pytest.raises(error, match=words) as told:
            ask()
        assert "\n" not in str(told.value)
        assert ACCESS_KEY not in str(told.value)
        assert SECRET_KEY not in str(told.value)


def test_who_is_sent_elsewhere_again_and_again(storage: Storage, s3: S3Server) -> None:
    """As by a proxy that wants https://."""
    with (
        s3.failing(lambda *request: (301, "")),
        pytest.raises(StorageError, match="every request is sent elsewhere, as to https://"),
    ):
        storage.look(AT)


def test_what_may_not_be_done_is_named(storage: Storage, s3: S3Server) -> None:
    storage.put_new(AT, io.BytesIO(b"x"))
    for method, ask, words in (
        ("PUT", lambda: storage.replace(AT, io.BytesIO(b"y")), "may not be written"),
        ("GET", lambda: storage.read(AT), "may not be read"),
        ("GET", lambda: list(storage.listed(AT)), "may not be listed"),
        ("POST", lambda: storage.delete([AT]), "may not be deleted"),
    ):
        denied = lambda asked, path, query, method=method: (403, "AccessDenied") if asked == method else None  # noqa: E731
        with s3.failing(denied), pytest.raises(StorageDeniedError, match=f"{AT} {words}"):
            ask()


class WebServer(BaseHTTPRequestHandler):
    """Answers everything with a page, as what listens on a storage's other port."""

    page: ClassVar[bytes] = b"<html><body>Console<br></html>"

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.page)))
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else self.page)

    do_GET = do_HEAD = do_PUT = do_POST = answer

    def log_message(self, *arguments: object) -> None:
        pass


@contextmanager
def serving_pages(tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Have such a server on this port."""
    with HTTPServer(("127.0.0.1", 0), WebServer) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *request: None  # type: ignore[method-assign]  # who does not trust it hangs up
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture
def web_server() -> Iterator[str]:
    """Its URL."""
    with serving_pages() as port:
        yield f"http://127.0.0.1:{port}"


@pytest.mark.usefixtures("s3")
def test_what_answers_is_no_storage(web_server: str) -> None:
    storage = Storage(web_server, attempts=2)
    for ask in (lambda: storage.look(AT), lambda: storage.read(AT), lambda: list(storage.listed(AT))):
        with pytest.raises((StorageError, StorageAwayError), match="check --s3-endpoint") as told:
            ask()
        assert "\n" not in str(told.value)


@pytest.mark.usefixtures("s3")
def test_a_server_that_speaks_no_tls(web_server: str) -> None:
    with pytest.raises(StorageError, match=r"is not trusted, or it speaks no TLS: .* AWS_CA_BUNDLE"):
        Storage(web_server.replace("http", "https"), attempts=2).read(AT)


@pytest.mark.usefixtures("s3")
def test_a_certificate_that_nobody_trusts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = camera_certificate(tmp_path)
    with serving_pages(serving(certificate)) as port:
        endpoint = f"https://127.0.0.1:{port}"
        with pytest.raises(StorageError, match=f"{endpoint}: its certificate is not trusted, .* AWS_CA_BUNDLE"):
            Storage(endpoint, attempts=2).read(AT)
        monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
        with pytest.raises(StorageError, match="no ETag comes with it"):
            Storage(endpoint, attempts=2).read(AT)


def test_a_bucket_that_is_not_there(storage: Storage) -> None:
    with pytest.raises(StorageError, match="there is no bucket nowhere"):
        list(storage.listed(Place("nowhere")))
    with pytest.raises(StorageError, match="there is no bucket nowhere"):
        storage.put_new(Place("nowhere", "a"), io.BytesIO(b"x"))


def test_no_credentials(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(StorageError, match="there are no credentials: put them in the environment"):
        Storage().read(AT)
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(UsageError, match="check AWS_PROFILE"):
        Storage().read(AT)


def test_nobody_listens(s3: S3Server) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(StorageAwayError, match=f"s3://results/tapes/a.tar at {endpoint} does not answer"):
            Storage(endpoint, attempts=2).read(AT)


def test_without_boto3(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(MissingRuntimeError, match=r"pip install 'facestream\[s3\]'"):
        Storage().read(AT)


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [("https://me:secret@host", "holds credentials"), ("host:9000", "is not a URL: write http://HOST:PORT")],
)
def test_what_is_no_endpoint(endpoint: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as refused:
        check_endpoint(endpoint)
    assert "secret" not in str(refused.value)


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
