"""Requests that nobody would send, with a right token and without: nothing may break.

``python -m tests.web.fuzz NUMBER SEED`` tries as many as one has the patience for.
"""

from __future__ import annotations

import contextlib
import json
import sys

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from engine.web.paths import API
from engine.web.routes import ENTRIES
from tests.web.server import Server, everything, server
from tests.web.service import FakeService

_THAT_WAIT = ("/events", "/streams/{name}/picture")
_PATHS = [
    *(API + entry.plain_path.replace("{", "").replace("}", "") for entry in ENTRIES if entry.path not in _THAT_WAIT),
    f"{API}/session", f"{API}/openapi.json", "/", "/console/main.js", "/login/x", "/live", "/ready", "/metrics",
]  # fmt: skip
_NAMES = [
    b"Content-Type", b"Content-Length", b"Transfer-Encoding", b"Cookie", b"Origin", b"Host", b"Expect", b"Range", b"Accept",
    b"If-None-Match", b"X-CSRF-Token", b"Idempotency-Key", b"Last-Event-ID", b"Sec-Fetch-Site", b"Authorization", b"Upgrade",
    b"Connection", b"X-Forwarded-For", b"Content-Encoding",
]  # fmt: skip
_VALUES = [
    b"application/json", b"image/jpeg", b"chunked", b"0", b"-1", b"5", b"99999999999999999999", b"100-continue", b"close",
    b"keep-alive",
    b"bytes=0-", b"*/*", b"text/html;charset=\xff", b"localhost", b"facestream-0=x",
    b"null", b"Bearer fs_x", b"gzip", b"\xc3\xa9",
]  # fmt: skip
_METHODS = [b"GET", b"POST", b"PUT", b"PATCH", b"DELETE", b"HEAD", b"OPTIONS", b"TRACE", b"FOO", b"get"]
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["source", "uri", "name", "changes", "pictures", "content", "picture", "level", "token", "verb", "paused"]
            )
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
_line = st.tuples(st.sampled_from(_NAMES) | st.binary(max_size=12), st.sampled_from(_VALUES) | st.binary(max_size=30)).map(
    b": ".join
)
_body = _json.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=300)
_tail = st.sampled_from(
    [b"", b"?", b"/", b"%2f..", b"%00", b"%ff", b"%zz", b"?limit=1&cursor=x:1", b"?most=9", b"#x"]
) | st.binary(max_size=9)


@st.composite
def requests(draw: st.DrawFn, token: str) -> bytes:
    """One request, or what resembles one."""
    path = draw(st.sampled_from(_PATHS)).encode() + draw(_tail)
    lines = [
        draw(st.sampled_from(_METHODS)) + b" " + path + b" " + draw(st.sampled_from([b"HTTP/1.1", b"HTTP/1.0", b"HTTP/3"]))
    ]
    body = draw(_body)
    lines += [b"Host: localhost", b"Connection: close"]
    lines += [b"Authorization: Bearer " + token.encode()] if draw(st.booleans()) else []
    lines += [b"Content-Type: application/json", b"Content-Length: %d" % len(body)] if draw(st.booleans()) else []
    lines += draw(st.lists(_line, max_size=4))
    sent = b"\r\n".join([*lines, b"", b""]) + body
    if draw(st.integers(0, 9)) == 0:  # a byte that does not belong there
        at = draw(st.integers(0, len(sent) - 1))
        sent = sent[:at] + draw(st.binary(max_size=3)) + sent[at + 1 :]
    return sent


def check(web: Server, sent: bytes) -> None:
    """Send it; say where the answer is none that was meant."""
    with web.connect() as opened:
        with contextlib.suppress(OSError):
            opened.sendall(sent)
            opened.shutdown(1)
        seen = everything(opened)
    if seen:
        status = int(seen.split(b" ", 2)[1])
        assert 100 <= status < 500 or status in (503, 504), (sent, seen)


def is_clean(web: Server) -> list[str]:
    """Return the lines of the log that speak of what was not foreseen."""
    return [line for line in web.lines if "failed" in line or "Exception" in line or "Error" in line]


def main(number: int, first: int) -> None:
    """Try so many."""
    service = FakeService()
    with server(service) as web:
        token = web.token_for("fuzz", "view", "operate", "enrol")

        @seed(first)
        @settings(max_examples=number, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(requests(token))
        def tried(sent: bytes) -> None:
            web.service.asked.clear()
            web.web.auth._attempts.__init__()  # type: ignore[misc]
            check(web, sent)

        tried()
        assert web.ask("GET", "/api/v1/status", token=token).status == 200
        assert is_clean(web) == []
    service.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
