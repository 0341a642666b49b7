"""The health check of a container, against what an engine answers."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.decode.certificates import camera_certificate, serving
from tests.patience import PATIENCE_SECONDS

SCRIPT = Path(__file__).parents[2] / "deploy" / "container" / "ready.py"


@contextmanager
def engine(status: int, certificate: Path | None) -> Iterator[int]:
    """Answer with a status, over TLS where there is a certificate; give the port."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        if certificate is not None:
            server.socket = serving(certificate).wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
@pytest.mark.parametrize("encrypted", [False, True])
def test_it_says_whether_the_engine_is_ready_with_and_without_tls(
    tmp_path: Path, status: int, code: int, encrypted: bool
) -> None:
    """With a certificate in the configuration a container was never healthy."""
    with engine(status, camera_certificate(tmp_path) if encrypted else None) as port:
        urls = [f"{scheme}://127.0.0.1:{port}/ready" for scheme in ("http", "https")]
        done = subprocess.run([sys.executable, SCRIPT, *urls], capture_output=True, timeout=PATIENCE_SECONDS, check=False)
    assert done.returncode == code, done.stderr
    assert b"Traceback" not in done.stderr


def test_nobody_there_is_not_ready() -> None:
    done = subprocess.run([sys.executable, SCRIPT, "http://127.0.0.1:1/ready"], capture_output=True, timeout=PATIENCE_SECONDS)
    assert (done.returncode, b"refused" in done.stderr) == (1, True)
