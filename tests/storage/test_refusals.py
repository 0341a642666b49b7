"""What a storage refuses, and what is no storage, in one sentence."""

from __future__ import annotations

import io
import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from engine.contracts.stored import Place
from engine.errors import MissingRuntimeError, StorageAwayError, StorageDeniedError, StorageError, UsageError
from engine.storage.s3 import Storage, check_endpoint
from tests.decode.certificates import camera_certificate, serving
from tests.servers.s3 import ACCESS_KEY, SECRET_KEY, S3Server
from tests.storage.storing import AT


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
        try:
            yield server.server_port
        finally:
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
