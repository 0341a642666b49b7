"""Fetching models from a real HTTP server on this machine."""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from engine.errors import ModelError, UsageError
from engine.models import Downloadable
from engine.models.download import installed_as, pull

CONTENT = bytes(range(256)) * 800
ENTRY = Downloadable(
    name="toy",
    kind="detector",
    file="toy.onnx",
    url="https://example.invalid/toy.onnx",
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    size_bytes=len(CONTENT),
    licence="MIT",
    note="a toy",
)


@dataclass
class Site:
    """What the server does, and what it was asked."""

    url: str
    content: bytes = CONTENT
    stop_after: int | None = None
    ranges: bool = True
    status: int = 200
    asked: list[str | None] = field(default_factory=list)


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            wanted = self.headers.get("Range")
            site.asked.append(wanted)
            if site.status != 200:
                self.send_error(site.status)
                return
            first = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and site.ranges else 0
            self.send_response(206 if first else 200)
            if first:
                self.send_header("Content-Range", f"bytes {first}-{len(site.content) - 1}/{len(site.content)}")
            self.send_header("Content-Length", str(len(site.content) - first))
            self.end_headers()
            self.wfile.write(site.content[first:][: site.stop_after])

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_port}/toy.onnx"
    yield site
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_model_is_fetched_checked_and_put_in_place(site, tmp_path):
    seen = []
    path = pull(ENTRY, tmp_path / "new/folder", site.url, lambda held, total: seen.append((held, total)))
    assert path.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert seen == sorted(seen)
    assert [file.name for file in path.parent.iterdir()] == ["toy.onnx"]
    assert installed_as(ENTRY, path.parent) == path


def test_a_model_that_is_there_is_not_fetched_again(site, tmp_path):
    (tmp_path / "toy.onnx").write_bytes(CONTENT)
    pull(ENTRY, tmp_path, site.url)
    assert site.asked == []


def test_a_spoilt_model_is_replaced(site, tmp_path):
    (tmp_path / "toy.onnx").write_bytes(b"spoilt")
    assert installed_as(ENTRY, tmp_path) is None
    assert pull(ENTRY, tmp_path, site.url).read_bytes() == CONTENT


@pytest.mark.parametrize(
    "content", [CONTENT[:-1] + b"!", CONTENT + b"more", CONTENT * 50], ids=["changed", "longer", "endless"]
)
def test_wrong_bytes_are_removed(site, tmp_path, content):
    site.content = content
    with pytest.raises(ModelError, match=rf"SHA-256 is [0-9a-f]{{64}}, expected {ENTRY.sha256}; nothing was installed"):
        pull(ENTRY, tmp_path, site.url)
    assert list(tmp_path.iterdir()) == []


def test_a_shorter_file_is_no_model(site, tmp_path):
    site.content = CONTENT[:1000]
    with pytest.raises(ModelError, match=r"broke off after 1000 of 204800 bytes: run the same command again"):
        pull(ENTRY, tmp_path, site.url)
    assert not (tmp_path / "toy.onnx").exists()


@pytest.mark.parametrize("ranges", [True, False], ids=["continued", "from the start"])
def test_a_broken_connection_is_taken_up_again(site, tmp_path, ranges):
    site.stop_after, site.ranges = 100_000, ranges
    with pytest.raises(ModelError, match="broke off after 100000 of 204800 bytes"):
        pull(ENTRY, tmp_path, site.url)
    site.stop_after = None
    assert pull(ENTRY, tmp_path, site.url).read_bytes() == CONTENT
    assert site.asked == [None, "bytes=100000-"]
    assert [file.name for file in tmp_path.iterdir()] == ["toy.onnx"]


def test_what_was_left_behind_wrongly_is_found_out_and_the_next_call_starts_afresh(site, tmp_path):
    (tmp_path / "toy.onnx.part").write_bytes(b"x" * 100)
    with pytest.raises(ModelError, match="SHA-256"):
        pull(ENTRY, tmp_path, site.url)
    assert pull(ENTRY, tmp_path, site.url).read_bytes() == CONTENT


def test_the_server_s_refusal_is_named(site, tmp_path):
    site.status = 404
    with pytest.raises(ModelError, match=r"cannot fetch toy from http.*: the server answered 404 Not Found; try another place"):
        pull(ENTRY, tmp_path, site.url)


def test_no_network_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"cannot fetch toy from http://127\.0\.0\.1:9/toy: .*check the network"):
        pull(ENTRY, tmp_path, "http://127.0.0.1:9/toy")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/y", "toy.onnx"])
def test_only_http_is_fetched(tmp_path, url):
    with pytest.raises(UsageError, match="give an http or https URL"):
        pull(ENTRY, tmp_path, url)


def test_two_at_a_time_do_not_mix(site, tmp_path):
    with (tmp_path / "toy.onnx.part").open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(ModelError, match="being fetched by another process"):
            pull(ENTRY, tmp_path, site.url)


def test_a_folder_that_cannot_be_written_is_named(site, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="cannot write"):
        pull(ENTRY, tmp_path / "file" / "models", site.url)
    assert os.listdir(tmp_path) == ["file"]
