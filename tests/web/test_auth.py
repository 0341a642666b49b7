"""Who is let in, and what that one may do: as the socket saw it."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.web.attempts import Attempts
from engine.web.paths import API
from engine.web.routes import ENTRIES
from engine.web.tokens import TokenFolder
from tests.web.browser import Browser
from tests.web.server import Server, server
from tests.web.service import FakeService

ADD = {"source": {"uri": "rtsp://192.0.2.9/s"}}


@pytest.fixture(autouse=True)
def _nobody_waits(web: Server) -> None:
    web.web.auth._attempts = Attempts()


@pytest.mark.parametrize(
    "value",
    ["", "Bearer", "Bearer ", "Bearer fs_wrong", "Basic YWxsOmFsbA==", "Bearer \xff", "fs_", "Bearer " + "x" * 10_000],
)
def test_an_unknown_token_gets_nothing(web: Server, value: str) -> None:
    answer = web.ask("GET", "/api/v1/status", token=None, Authorization=value)
    assert (answer.status, answer.code) == (401, "unauthorised")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert web.service.asked == []


def test_nobody_known_gets_nothing_of_any_address(web: Server) -> None:
    for entry in ENTRIES:
        path = API + entry.plain_path.replace("{", "").replace("}", "").replace("track_id", "7")
        answer = web.ask(entry.method, path, {"name": "x"}, token=None)
        assert (answer.status, answer.code) == (401, "unauthorised"), path
    assert web.ask("GET", "/metrics", token=None).status == 401
    assert web.ask("GET", "/api/v1/openapi.json", token=None).status == 401
    assert web.service.asked == []


@pytest.mark.parametrize("roles", [("view",), ("operate",), ("enrol",)])
def test_a_role_may_do_what_is_its_own_and_nothing_else(web: Server, roles: tuple[str, ...]) -> None:
    token = web.token_for(f"only-{roles[0]}", *roles)
    for entry in ENTRIES:
        if entry.media_type == "text/event-stream" or "picture" in entry.path or entry.path == "/session":
            continue
        path = API + entry.plain_path.replace("{", "").replace("}", "").replace("track_id", "7")
        answer = web.ask(entry.method, path, {} if entry.method != "GET" else None, token=token)
        assert (answer.status == 403) == (entry.role not in roles), (path, answer)
    assert (web.ask("GET", "/metrics", token=token).status == 403) == ("view" not in roles)


def test_a_token_is_taken_up_and_refused_while_the_service_runs(web: Server) -> None:
    token = web.token_for("short", "view")
    assert web.ask("GET", "/api/v1/status", token=token).status == 200
    TokenFolder(web.settings.tokens).revoke("short")
    assert web.ask("GET", "/api/v1/status", token=token).status == 401


def test_two_headers_of_authorization_are_refused(web: Server) -> None:
    lines = f"Authorization: Bearer {web.token}\r\nAuthorization: Bearer other\r\n"
    seen = web.raw(f"GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\n{lines}Connection: close\r\n\r\n".encode())
    assert seen.startswith(b"HTTP/1.1 401")


def test_a_browser_logs_in_and_out(web: Server) -> None:
    browser = Browser(web)
    assert browser.ask("GET", "/api/v1/session").status == 401
    answer = browser.log_in(web.token)
    cookie = answer.headers["Set-Cookie"]
    assert {"HttpOnly", "Path=/", "SameSite=strict"} <= {part.strip() for part in cookie.split(";")}
    assert answer.json["roles"] == ["view", "operate", "enrol"]
    assert browser.ask("GET", "/api/v1/session").json == answer.json
    assert browser.ask("POST", "/api/v1/streams", ADD, X_CSRF_Token=browser.csrf).status == 201
    kept = browser.cookie
    assert browser.ask("DELETE", "/api/v1/session", X_CSRF_Token=browser.csrf).status == 204
    assert Browser(web, kept).ask("GET", "/api/v1/status").status == 401


def test_a_session_ends_with_its_token(web: Server) -> None:
    browser = Browser(web)
    browser.log_in(web.token_for("passing", "view"))
    assert browser.ask("GET", "/api/v1/status").status == 200
    TokenFolder(web.settings.tokens).revoke("passing")
    assert browser.ask("GET", "/api/v1/status").status == 401


@pytest.mark.parametrize("roles", [("view",), ("operate",), ("enrol",), ("operate", "enrol")])
def test_whoever_can_log_in_sees_who_that_is_and_can_log_out(web: Server, roles: tuple[str, ...]) -> None:
    browser = Browser(web)
    answer = browser.log_in(web.token_for("-".join(("session", *roles)), *roles))
    assert browser.ask("GET", "/api/v1/session").json == answer.json  # as a page does that is loaded again
    assert browser.ask("DELETE", "/api/v1/session", X_CSRF_Token="wrong").status == 403
    assert browser.ask("DELETE", "/api/v1/session", X_CSRF_Token=browser.csrf).status == 204


def test_a_session_may_do_what_its_token_may(web: Server) -> None:
    browser = Browser(web)
    browser.log_in(web.token_for("looker", "view"))
    answer = browser.ask("POST", "/api/v1/streams", ADD, X_CSRF_Token=browser.csrf)
    assert (answer.status, answer.code) == (403, "forbidden")


@pytest.mark.parametrize("value", ["", "wrong", "ü"])
def test_a_page_that_cannot_read_ours_changes_nothing(web: Server, value: str) -> None:
    browser = Browser(web)
    browser.log_in(web.token)
    headers = {"X_CSRF_Token": value} if value else {}
    answer = browser.ask("POST", "/api/v1/streams", ADD, **headers)
    assert (answer.status, answer.json["error"]["field"]) == (403, "X-CSRF-Token")
    assert web.service.asked == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Origin": "https://127.0.0.1"},
        {"Origin": "http://127.0.0.1.evil.example"},
        {"Origin": "http://[::1"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_another_sites_page_changes_nothing_and_logs_nobody_in(web: Server, headers: dict[str, str]) -> None:
    browser = Browser(web)
    browser.log_in(web.token)
    answer = browser.ask("POST", "/api/v1/streams", ADD, X_CSRF_Token=browser.csrf, **headers)
    assert (answer.status, answer.json["error"]["field"]) == (403, "Origin")
    assert Browser(web).log_in(web.token, **headers).status == 403
    assert web.service.asked == []


def test_our_own_page_is_let_in(web: Server) -> None:
    browser = Browser(web)
    own = {"Origin": f"http://127.0.0.1:{web.port}", "Sec_Fetch_Site": "same-origin"}
    assert browser.log_in(web.token, **own).status == 200
    assert browser.ask("POST", "/api/v1/streams", ADD, X_CSRF_Token=browser.csrf, **own).status == 201


def test_a_cookie_that_was_planted_is_never_a_session(web: Server) -> None:
    """Fixation: what the attacker knows before the login is worth nothing after it."""
    planted = f"{web.web.auth._cookie}=known-to-somebody-else"
    browser = Browser(web, planted)
    answer = browser.log_in(web.token)
    assert browser.cookie not in ("", planted)
    assert Browser(web, planted).ask("GET", "/api/v1/status").status == 401
    first = browser.cookie
    browser.log_in(web.token)
    assert browser.cookie != first
    assert Browser(web, first).ask("GET", "/api/v1/status").status == 401
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("body", [{}, {"token": 3}, {"token": "x", "more": 1}, {"Token": "x"}])
def test_a_login_has_a_token_and_nothing_else(web: Server, body: object) -> None:
    answer = web.ask("POST", "/api/v1/session", body, token=None)
    assert (answer.status, answer.json["error"]["field"]) == (400, "token")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200), ("127.0.0.1:{port}", 200), ("localhost:9", 200), ("LOCALHOST", 200), ("[::1]:{port}", 200),
        ("192.0.2.7", 200), ("cameras.example.org", 200), ("Cameras.Example.ORG:443", 200), ("facestream.localhost", 200),
        ("evil.example", 421), ("127.0.0.1.evil.example", 421), ("localhost.evil.example", 421), ("x@127.0.0.1", 421),
        ("127.0.0.1/x", 421), ("evil.example#127.0.0.1", 421), ("[::1", 421), ("", 421), ("127.0.0.1:x", 421),
        ("2130706433", 421), ("0x7f.1", 421), ("127.1", 421),
    ],
)  # fmt: skip
def test_the_service_is_asked_under_its_names_alone(web: Server, host: str, status: int) -> None:
    """Rebinding: a name of another site that its name server has turned into this address."""
    answer = web.ask("GET", "/", token=None, Host=host.format(port=web.port))
    assert answer.status == status
    assert web.ask("GET", "/api/v1/status", Host=host.format(port=web.port)).status == status
    assert len(web.service.asked) <= (status == 200)


def test_without_a_host_or_with_two_nothing_is_answered(web: Server) -> None:
    for lines in ("", "Host: localhost\r\nHost: evil.example\r\n"):
        seen = web.raw(f"GET / HTTP/1.1\r\n{lines}Connection: close\r\n\r\n".encode())
        assert seen.startswith(b"HTTP/1.1 400")
    assert web.raw(b"GET / HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 421")


def test_too_many_wrong_tokens_are_not_heard_any_more(web: Server) -> None:
    browser = Browser(web)
    browser.log_in(web.token)
    lines_before = len(web.lines)
    for known_before in (True, False):
        web.web.auth._attempts = Attempts()
        if known_before:
            assert web.ask("GET", "/api/v1/status").status == 200
        for _ in range(10):
            assert web.ask("GET", "/api/v1/status", token="fs_guess").status == 401
        answer = web.ask("GET", "/api/v1/status", token="fs_guess")
        assert (answer.status, answer.code) == (429, "unauthorised")
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
        right = 200 if known_before else 429
        assert web.ask("GET", "/api/v1/status").status == right
        assert web.ask("POST", "/api/v1/session", {"token": web.token}, token=None).status == right
        assert browser.ask("GET", "/api/v1/status").status == 200  # who is logged in goes on
    assert len(web.lines) - lines_before <= 1  # one line a minute, which an earlier test may have had


@pytest.fixture
def no_tokens(web: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> TokenFolder:
    folder = TokenFolder(tmp_path / "tokens")
    monkeypatch.setattr(web.web.auth, "_tokens", folder)
    return folder


def test_the_link_of_the_terminal_is_worthless_once_there_is_a_token(web: Server, no_tokens: TokenFolder) -> None:
    secret = web.web.auth.link.make()
    no_tokens.add("kiosk", ["view"])
    assert Browser(web).ask("GET", f"/login/{secret}").status == 401
    no_tokens.path.chmod(0o755)  # nobody knows who is let in
    assert Browser(web).ask("GET", f"/login/{secret}").status == 401


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST"])
def test_a_look_at_the_link_of_the_terminal_does_not_use_it_up(web: Server, no_tokens: TokenFolder, method: str) -> None:
    secret, browser = web.web.auth.link.make(), Browser(web)
    answer = browser.ask(method, f"/login/{secret}")
    assert (answer.status, browser.cookie) == (405, "")
    assert browser.ask("GET", f"/login/{secret}").status == 303


def test_the_link_of_the_terminal_lets_one_browser_in_once(web: Server, no_tokens: TokenFolder) -> None:
    secret, browser = web.web.auth.link.make(), Browser(web)
    answer = browser.ask("GET", f"/login/{secret}")
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    known = browser.ask("GET", "/api/v1/session").json
    assert (known["name"], known["roles"]) == ("owner", ["view", "operate", "enrol"])
    again = Browser(web)
    assert again.ask("GET", f"/login/{secret}").status == 401
    assert again.cookie == ""
    assert again.ask("GET", "/login/").status == 404


def test_every_answer_has_the_headers_that_browsers_obey(web: Server) -> None:
    for path, token in (
        ("/", None),
        ("/api/v1/status", None),
        ("/nothing", None),
        ("/console/main.js", None),
        ("/metrics", ""),
    ):
        headers = web.ask("GET", path, token=token).headers
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert headers["Server"] is None
        assert headers["Access-Control-Allow-Origin"] is None


def test_a_folder_that_others_may_use_lets_nobody_in(service: FakeService) -> None:
    with server(service) as running:
        running.token = running.token_for("anybody", "view")
        assert running.ask("GET", "/api/v1/status").status == 200
        running.settings.tokens.chmod(0o755)
        try:
            assert running.ask("GET", "/api/v1/status").status == 401
        finally:
            running.settings.tokens.chmod(0o700)
        assert running.ask("GET", "/api/v1/status").status == 200
    assert running.said("others may use the folder of tokens")


def test_no_line_holds_a_token(web: Server) -> None:
    web.ask("GET", f"/api/v1/status?token={web.token}", token="fs_secret-guess")
    web.raw(b"GET fs_secret guess HTTP/1.1\r\n\r\n")
    assert all("fs_" not in line for line in web.lines)
