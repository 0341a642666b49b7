"""Starts a real HTTP server that speaks S3, moto's, and lets it fail as servers and networks do."""

from __future__ import annotations

import importlib.util
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import cached_property
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs

import pytest

ACCESS_KEY, SECRET_KEY = "AKIDTESTACCESSKEY", "not/a+secret"
Fault = Callable[[str, str, dict[str, str]], "tuple[int, str] | None"]
"""Takes method, path and query; returns status and code of the refusal, or None: the request is answered."""


def require_s3() -> None:
    """Skip the test where the server is missing; fail it where FAIL_WITHOUT_S3=1 says that it must be there."""
    if any(importlib.util.find_spec(name) is None for name in ("moto", "flask", "boto3")):
        (pytest.fail if os.environ.get("FAIL_WITHOUT_S3") == "1" else pytest.skip)("needs moto[s3], flask and boto3")


class OtherServer:
    """A storage that somebody else runs, with credentials in the environment.

    Args:
        url: its endpoint.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    @cached_property
    def client(self) -> Any:
        """A client of our own."""
        import boto3

        return boto3.client("s3", endpoint_url=self.url)

    def empty(self, bucket: str) -> None:
        """Have a bucket with nothing in it."""
        with suppress(self.client.exceptions.BucketAlreadyOwnedByYou):
            self.client.create_bucket(Bucket=bucket)
        for key in self.keys(bucket):
            self.client.delete_object(Bucket=bucket, Key=key)

    def keys(self, bucket: str) -> list[str]:
        """Return the keys of a bucket."""
        return _keys(self.client, bucket)

    def failing(self, fault: Fault) -> AbstractContextManager[None]:
        """It fails when it does, and at nobody's wish."""
        return nullcontext()


class S3Server:
    """One server, in a thread of this process; other processes reach it by ``url``.

    What it knows lies in this process: one at a time.
    """

    def __init__(self) -> None:
        from moto.backends import get_backend
        from moto.server import DomainDispatcherApplication, create_backend_app
        from werkzeug.serving import make_server

        get_backend("s3").reset()
        self._app: Any = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True)
        self._server.RequestHandlerClass.log_request = lambda *arguments: None
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.port}"
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        """Method, path and query of all requests."""
        self._faults: list[Fault] = []
        self.cut_at = 0
        """Answers with a larger body end there, once each time that it is set; 0: none does."""
        self.deaf_to: set[str] = set()
        """Headers of which it takes no heed, as ``HTTP_RANGE``."""
        self.capitals = False
        """Whether the names of its headers begin with them."""

    @property
    def environment(self) -> dict[str, str]:
        """What whoever uses it has in the environment."""
        return {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    @contextmanager
    def failing(self, fault: Fault) -> Iterator[None]:
        """Meanwhile it refuses what a fault says."""
        self._faults.append(fault)
        try:
            yield
        finally:
            self._faults.remove(fault)

    @cached_property
    def client(self) -> Any:
        """A client of our own."""
        import boto3

        keys = {"aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": SECRET_KEY}
        return boto3.client("s3", endpoint_url=self.url, region_name="us-east-1", **keys)

    def fill(self, bucket: str, keys: Iterable[str]) -> None:
        """Put many small objects there."""
        from moto.backends import get_backend

        backend = get_backend("s3")["123456789012"]["aws"]
        for key in keys:
            backend.put_object(bucket, key, b"x")

    def keys(self, bucket: str) -> list[str]:
        """Return the keys of a bucket."""
        return _keys(self.client, bucket)

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        query = {name: values[0] for name, values in parse_qs(environ["QUERY_STRING"], keep_blank_values=True).items()}
        request = environ["REQUEST_METHOD"], environ["PATH_INFO"], query
        self.seen.append(request)
        for name in self.deaf_to:
            environ.pop(name, None)
        refusal = next((found for fault in list(self._faults) if (found := fault(*request))), None)
        if refusal is None and ACCESS_KEY not in environ.get("HTTP_AUTHORIZATION", ""):
            refusal = 403, "InvalidAccessKeyId"
        if refusal is None:
            answer = self._app(environ, self._in_capitals(start_response) if self.capitals else start_response)
            return self._cut(b"".join(answer)) if self.cut_at and request[0] == "GET" else answer
        status, code = refusal
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()
        start_response(f"{status} {code}", [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
        return [] if request[0] == "HEAD" else [body]

    def _in_capitals(self, start_response: Callable[..., Any]) -> Callable[..., Any]:
        return lambda status, headers, *more: start_response(status, [(name.title(), value) for name, value in headers], *more)

    def _cut(self, body: bytes) -> list[bytes]:
        at, self.cut_at = self.cut_at, 0 if len(body) > self.cut_at else self.cut_at
        return [body[:at]]

    def __enter__(self) -> S3Server:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _keys(client: Any, bucket: str) -> list[str]:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return [one["Key"] for page in pages for one in page.get("Contents", ())]
