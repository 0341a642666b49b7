"""The web process as it is started: its own process, its exit codes, TLS."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from engine.web.listening import listening
from engine.web.process import run, serving
from engine.web.report import Report
from engine.web.tokens import TokenFolder
from tests.patience import PATIENCE_SECONDS
from tests.processes import bound
from tests.web.browser import Browser
from tests.web.server import Server, everything, server
from tests.web.service import FakeService, usual_answer

OPENSSL = shutil.which("openssl")


@contextlib.contextmanager
def started(settings: bytes) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "engine.web.process", settings.decode()]
    process = subprocess.Popen(bound(command), stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_it_is_a_process_that_can_be_used_at_once_and_ends_in_order(service: FakeService) -> None:
    service.answer = usual_answer
    with started(msgspec.json.encode(service.settings())) as process:
        assert process.stderr is not None
        port = int(re.search(r"console is at http://127.0.0.1:(\d+)/", process.stderr.readline())[1])  # type: ignore[index]
        link = re.search(r"once: http://127.0.0.1:\d+(/login/\S+)", process.stderr.readline())[1]  # type: ignore[index]
        browser = Browser(Server(service, service.settings(), port, None, None))  # type: ignore[arg-type]
        assert browser.ask("GET", link).status == 303
        assert browser.ask("GET", "/api/v1/status").json["state"] == "running"
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 0


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("engine.web.process.send_status", "status has ended: RuntimeError('at night')"),
        ("engine.web.tap.Tap.run", "tap has ended: RuntimeError('at night')"),
        ("engine.web.link.ServiceLink.run", "link has ended: RuntimeError('at night')"),
        ("engine.web.server.Server.serve", "answering has ended: RuntimeError('at night')"),
    ],
)
def test_a_part_that_ends_is_noticed(service: FakeService, monkeypatch: pytest.MonkeyPatch, part: str, words: str) -> None:
    async def fail(*given: object, **more: object) -> None:
        raise RuntimeError("at night")

    monkeypatch.setattr(part, fail)

    async def ended(opened: socket.socket) -> str:
        async with serving(service.settings(), Report(lambda line: None), opened) as web, asyncio.timeout(PATIENCE_SECONDS):
            return await web.ended

    with listening(service.settings().http) as opened:
        assert asyncio.run(ended(opened)) == words


def test_where_a_part_has_ended_the_process_ends_so_that_another_is_started(service: FakeService) -> None:
    code = """if True:
        import sys, engine.web.process as process
        async def fail(*given):
            raise RuntimeError("at night")
        process.send_status = fail
        sys.exit(process.run(sys.argv[1:]))
    """
    settings = msgspec.json.encode(service.settings()).decode()
    done = subprocess.run([sys.executable, "-c", code, settings], capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    assert done.returncode == 1  # 2 would say that it must not be started again
    assert "web: status has ended: RuntimeError('at night')" in done.stderr


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (b"", "the settings"),
        (b"{}", "the settings"),
        (b'{"control": "x", "directory": "y", "http": {"address": "0.0.0.0:0"}}', "serve.http_insecure: true"),
        (b'{"control": "ipc:///x", "directory": "y", "http": {"address": "127.0.0.1:0", "tls_certificate": "/none", '
         b'"tls_key": "/none"}}', "serve.http_tls_"),
    ],
)  # fmt: skip
def test_what_it_cannot_do_is_one_sentence_and_exit_code_2(
    settings: bytes, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([settings.decode()]) == 2
    assert words in capsys.readouterr().err


def test_the_pipeline_is_never_imported() -> None:
    heavy = ("engine.pipeline", "engine.service", "engine.workers", "cv2", "onnxruntime", "av", "numpy")
    code = f"import sys, engine.web.process; print([name for name in sys.modules if name.startswith({heavy})])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE_SECONDS).stdout == "[]\n"
    )


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not OPENSSL:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")

    def openssl(*arguments: str) -> None:
        subprocess.run([OPENSSL, *arguments], cwd=folder, check=True, capture_output=True, timeout=PATIENCE_SECONDS)  # type: ignore[list-item]

    new = ("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl(*new, "-x509", "-days", "2", "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.pem")
    for name, subject in (("server", "/CN=localhost"), ("guard", "/CN=guard"), ("unknown", "/CN=unknown")):
        (folder / f"{name}.ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        openssl(*new, "-subj", subject, "-keyout", f"{name}.key", "-out", f"{name}.csr")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                "-extfile", f"{name}.ext", "-out", f"{name}.pem")  # fmt: skip
    return folder


def over_tls(
    running: Server, certificates: Path, name: str = "", method: str = "GET", **headers: str
) -> http.client.HTTPResponse:
    context = ssl.create_default_context(cafile=str(certificates / "ca.pem"))
    if name:
        context.load_cert_chain(certificates / f"{name}.pem", certificates / f"{name}.key")
    connection = http.client.HTTPSConnection("127.0.0.1", running.port, timeout=PATIENCE_SECONDS, context=context)
    connection.request(method, "/api/v1/status" if method == "GET" else "/api/v1/drain", headers=headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


def test_over_tls_cookies_are_for_tls_alone_and_nothing_is_spoken_in_the_clear(
    service: FakeService, certificates: Path
) -> None:
    files = {"tls_certificate": str(certificates / "server.pem"), "tls_key": str(certificates / "server.key")}
    with server(service, **files) as running:
        token = running.token_for("tls", "view")
        answer = over_tls(running, certificates, Authorization=f"Bearer {token}")
        assert (answer.status, answer.headers["Strict-Transport-Security"]) == (200, "max-age=31536000")
        with running.connect() as opened:
            opened.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"HTTP" not in everything(opened)
        TokenFolder(running.settings.tokens).revoke("tls")
        link = running.web.auth.link.make()
        context = ssl.create_default_context(cafile=str(certificates / "ca.pem"))
        connection = http.client.HTTPSConnection("127.0.0.1", running.port, timeout=PATIENCE_SECONDS, context=context)
        connection.request("GET", f"/login/{link}")
        cookie = connection.getresponse().headers["Set-Cookie"]
        connection.close()
    assert cookie.startswith("__Host-facestream-0=")
    assert "Secure" in cookie


def test_a_client_certificate_takes_the_place_of_a_token(service: FakeService, certificates: Path) -> None:
    files = {
        "tls_certificate": str(certificates / "server.pem"), "tls_key": str(certificates / "server.key"),
        "tls_client_ca": str(certificates / "ca.pem"),
    }  # fmt: skip
    with server(service, **files) as running:
        TokenFolder(running.settings.tokens).add("guard", ["view"], certificate=True)
        assert over_tls(running, certificates, "guard").status == 200
        assert over_tls(running, certificates, "guard", "POST").status == 403  # it may look, and nothing else
        assert over_tls(running, certificates, "guard", Origin="https://evil.example").status == 403
        assert over_tls(running, certificates, "unknown").status == 401
        with pytest.raises((ssl.SSLError, OSError, http.client.HTTPException)):
            over_tls(running, certificates)
    os.unlink(running.settings.tokens / "guard.json")
