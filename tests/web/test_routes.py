from __future__ import annotations

import re
import threading

import pytest

from engine.control import answers, verbs
from engine.control.answers import Problem
from engine.web.paths import API
from engine.web.routes import ENTRIES
from tests.patience import PATIENCE_SECONDS, until
from tests.web.server import FILES, Server
from tests.web.service import JPEG, door

SOURCE = {"uri": "rtsp://192.0.2.9/s", "name": "gate"}


def test_status_is_that_of_the_service(web: Server) -> None:
    answer = web.ask("GET", "/api/v1/status")
    assert (answer.status, answer.json["state"], answer.json["streams"][0]["name"]) == (200, "running", "door")


def test_a_stream_is_added_as_the_body_says(web: Server) -> None:
    answer = web.ask("POST", "/api/v1/streams", {"source": SOURCE, "paused": True}, Idempotency_Key="k1")
    assert (answer.status, answer.json["name"]) == (201, "gate")
    asked = web.service.asked[-1]
    assert isinstance(asked.verb, verbs.AddStream)
    assert (asked.verb.source.uri, asked.verb.paused) == ("rtsp://192.0.2.9/s", True)
    assert (asked.idempotency_key, asked.on_behalf_of, set(asked.roles)) == ("k1", "all", {"view", "operate", "enrol"})
    assert asked.deadline_ns > 0


@pytest.mark.parametrize(
    ("method", "path", "body", "verb"),
    [
        ("GET", "/streams", None, verbs.ListStreams()),
        ("PATCH", "/streams/door", {"detect_fps": 2}, verbs.ChangeStream(name="door", changes={"detect_fps": 2})),
        ("DELETE", "/streams/door", None, verbs.RemoveStream(name="door")),
        ("POST", "/streams/door/pause", None, verbs.PauseStream(name="door")),
        ("POST", "/streams/door/resume", {}, verbs.ResumeStream(name="door")),
        ("GET", "/people", None, verbs.ListPeople()),
        ("DELETE", "/people/Ada%20L%2FB", None, verbs.RemovePerson(name="Ada L/B")),
        ("POST", "/people/Jos%C3%A9/rename", {"new_name": "Joe"}, verbs.RenamePerson(name="José", new_name="Joe")),
        ("GET", "/quarantine", None, verbs.ListQuarantine()),
        ("POST", "/quarantine/3fa91c22/release", {"name": "Ada"}, verbs.ReleasePicture(name="Ada", picture="3fa91c22")),
        ("POST", "/quarantine/3fa91c22/drop", {"name": "Ada"}, verbs.DropPicture(name="Ada", picture="3fa91c22")),
        (
            "POST", "/tracks/r1/door/7/wrong", {"name": "Ada"},
            verbs.NotThatPerson(name="Ada", run_id="r1", stream="door", track_id=7),
        ),
        ("GET", "/settings", None, verbs.GetSettings()),
        ("PATCH", "/settings", {"live.detect_fps": None}, verbs.ChangeSettings(changes={"live.detect_fps": None})),
        ("POST", "/drain", None, verbs.Drain()),
        ("PUT", "/log-level", {"level": "error"}, verbs.SetLogLevel(level="error")),
    ],
)  # fmt: skip
def test_each_address_asks_its_verb(web: Server, method: str, path: str, body: object, verb: verbs.Verb) -> None:
    assert web.ask(method, API + path, body).status == 200
    assert web.service.asked[-1].verb == verb


def test_one_stream_is_found_by_its_name(web: Server) -> None:
    assert web.ask("GET", "/api/v1/streams/door").json["name"] == "door"
    answer = web.ask("GET", "/api/v1/streams/gate")
    assert (answer.status, answer.json["error"]) == (
        404,
        {"code": "not_found", "message": "there is no stream gate", "field": "name"},
    )


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/streams", {}, "source"),
        ("/streams", {"source": {}}, "source.uri"),
        ("/streams", {"source": {"uri": 3}}, "source.uri"),
        ("/streams", {"source": {"uri": "x", "passwort": "y"}}, "source.passwort"),
        ("/streams", {"source": {"uri": "x"}, "extra": 1}, "extra"),
        ("/streams", {"source": {"uri": "x"}, "paused": 1}, "paused"),
        ("/streams", {"source": {"uri": "x"}, "verb": "drain"}, "verb"),
        ("/streams", {"source": {"uri": "x", "options": {"a": 1}}}, "source.options[...]"),
        ("/people/Ada/rename", {"name": "Bob", "new_name": "x"}, "name"),
        ("/people/Ada", {"pictures": [{"content": "%%%"}]}, "pictures[0].content"),
        ("/people/Ada", {"pictures": []}, "pictures"),
        ("/search", {"picture": {"content": ""}}, "pictures"),
        ("/probe", {"source": {"uri": "x"}, "seconds": "long"}, "seconds"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_asked(web: Server, path: str, body: object, field: str) -> None:
    answer = web.ask("POST", API + path, body)
    assert (answer.status, answer.code, answer.json["error"]["field"]) == (400, "bad_request", field)
    assert web.service.asked == []


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"3", b'{"source":' + b"[" * 100_000, b"\xff\xfe", b'{"source": {"uri": "\xff"}}', b"null"]
)
def test_what_is_no_json_object_is_refused(web: Server, body: bytes) -> None:
    answer = web.ask("POST", "/api/v1/streams", body, Content_Type="application/json")
    assert (answer.status, answer.code) == (400, "bad_request")
    assert web.service.asked == []


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""])
def test_a_body_of_another_type_is_refused(web: Server, kind: str) -> None:
    answer = web.ask("POST", "/api/v1/streams", b'{"source": {"uri": "x"}}', Content_Type=kind)
    assert answer.status == 415
    assert web.service.asked == []


@pytest.mark.parametrize(
    ("code", "status"),
    [("bad_request", 400), ("forbidden", 403), ("not_found", 404), ("conflict", 409), ("refused", 422), ("too_large", 413),
     ("busy", 503), ("deadline", 504), ("stopping", 503), ("failed", 500)],
)  # fmt: skip
def test_a_problem_of_the_service_is_told_with_its_status(web: Server, code: answers.ErrorCode, status: int) -> None:
    web.service.answer = lambda request: Problem(code=code, message="why not", field="source.uri")
    answer = web.ask("POST", "/api/v1/streams", {"source": SOURCE})
    assert answer.status == status
    assert answer.json == {"error": {"code": code, "message": "why not", "field": "source.uri"}}


def test_an_answer_of_another_kind_is_an_error_and_not_passed_on(web: Server) -> None:
    web.service.answer = lambda request: door()
    assert (web.ask("GET", "/api/v1/people").status, web.ask("GET", "/api/v1/people").code) == (500, "failed")


def test_a_picture_is_handed_on_as_it_came(web: Server) -> None:
    content = bytes(range(256)) * 100
    answer = web.ask("POST", "/api/v1/people/Ada?file=me.heic&force=1", content, Content_Type="image/heic")
    assert answer.json["pictures"][0]["outcome"] == "enrolled"
    assert web.service.asked[-1].verb == verbs.EnrolPerson(
        name="Ada", pictures=[verbs.Picture(content=content, name="me.heic")], force=True
    )
    web.ask("POST", "/api/v1/search?most=3", content, Content_Type="image/jpeg")
    assert web.service.asked[-1].verb == verbs.SearchPerson(picture=verbs.Picture(content=content), most=3)


def test_pictures_come_as_json_too(web: Server) -> None:
    web.ask("POST", "/api/v1/people/Ada", {"pictures": [{"content": "aGk=", "name": "a"}, {"content": "aG8="}]})
    assert [picture.content for picture in web.service.asked[-1].verb.pictures] == [b"hi", b"ho"]  # type: ignore[union-attr]


@pytest.mark.parametrize("most", ["0", "201", "-1", "x", "9" * 50, "٣"])
def test_a_wrong_bound_of_a_search_is_refused(web: Server, most: str) -> None:
    from urllib.parse import quote

    answer = web.ask("POST", f"/api/v1/search?most={quote(most)}", b"x", Content_Type="image/jpeg")
    assert (answer.status, answer.json["error"]["field"]) == (400, "most")


def test_uploads_are_bounded_in_bytes_and_number(web: Server) -> None:
    most = web.settings.http.upload_bytes
    one = web.ask("POST", "/api/v1/people/Ada", b"x" * (most + 1), Content_Type="image/jpeg")
    many = web.ask("POST", "/api/v1/people/Ada", {"pictures": [{"content": "aGk="}] * 51})
    nothing = web.ask("POST", "/api/v1/people/Ada", b"", Content_Type="image/jpeg")
    page = web.ask("POST", "/api/v1/people/Ada", b"<p>", Content_Type="text/html")
    assert [one.status, many.status, nothing.status, page.status] == [413, 400, 400, 415]
    assert web.service.asked == []


def test_a_body_of_unknown_length_is_cut_at_the_bound(web: Server) -> None:
    head = f"POST /api/v1/people/Ada HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {web.token}\r\n"
    head += "Content-Type: image/jpeg\r\nTransfer-Encoding: chunked\r\n\r\n"
    piece = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
    seen = web.raw(head.encode() + piece * 8)
    assert seen.startswith(b"HTTP/1.1 413")
    assert web.service.asked == []


def test_so_many_uploads_at_once_and_no_more(web: Server) -> None:
    waiting, let_go = threading.Semaphore(0), threading.Event()

    def slowly(request: verbs.Request) -> answers.AnyResult:
        waiting.release()
        assert let_go.wait(PATIENCE_SECONDS)
        return answers.Found()

    web.service.answer = slowly  # one at a time: the others wait in the service's queue, and hold their places here
    threads = [
        threading.Thread(target=web.ask, args=("POST", "/api/v1/search", b"x"), kwargs={"Content_Type": "image/jpeg"})
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    try:
        assert waiting.acquire(timeout=PATIENCE_SECONDS)
        until(web.web.uploads.locked)
        answer = web.ask("POST", "/api/v1/search", b"x", Content_Type="image/jpeg")
    finally:
        let_go.set()
        for thread in threads:
            thread.join(PATIENCE_SECONDS)
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (503, "busy", "2")


def test_a_key_of_idempotency_is_bounded(web: Server) -> None:
    answer = web.ask("POST", "/api/v1/drain", Idempotency_Key="k" * 129)
    assert (answer.status, answer.json["error"]["field"]) == (400, "Idempotency-Key")


def test_the_console_is_served_without_a_token_and_may_be_kept(web: Server) -> None:
    page = web.ask("GET", "/", token=None)
    script = web.ask("GET", "/console/main.js", token=None)
    assert (page.status, page.body, page.headers["Content-Type"]) == (200, FILES["index.html"], "text/html; charset=utf-8")
    assert (script.body, script.headers["Content-Type"]) == (FILES["main.js"], "text/javascript; charset=utf-8")
    again = web.ask("GET", "/console/main.js", token=None, If_None_Match=script.headers["ETag"])
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/api/v1", "/api/v1/", "/api/v1/streams/", "/api/v2/status", "/console/", "/console/none.js",
     f"/api/v1/tracks/r/door/{'9' * 5000}", f"/api/v1/tracks/r/door/{'9' * 5000}/wrong"],
)  # fmt: skip
def test_there_is_nothing_elsewhere(web: Server, path: str) -> None:
    answer = web.ask("GET", path)
    assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.parametrize("path", ["/status", "/events"])
def test_head_is_answered_without_a_body(web: Server, path: str) -> None:
    answer = web.ask("HEAD", API + path)
    assert (answer.status, answer.body) == (200, b"")


def test_every_entry_of_the_table_is_reached(web: Server) -> None:
    """No path hides another one that comes later."""
    filled = {"name": "door", "run_id": "r", "stream": "door", "track_id": "7", "id": "x", "picture": "3f"}
    for entry in ENTRIES:
        path = re.sub(r"{(\w+)}", lambda found: filled[found[1]], entry.plain_path)
        answer = web.ask(entry.method, API + path, token=None)
        assert (answer.status, answer.code) == (401, "unauthorised"), entry


def test_a_picture_shows_what_the_stream_shows_now(web: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = threading.Thread(target=lambda: got.append(web.ask("GET", "/api/v1/streams/door/picture")))
    got: list = []
    asked.start()
    assert web.service.wait_for_watcher() == b"\x01v1/preview/door/"
    web.service.preview("door")
    asked.join(PATIENCE_SECONDS)
    assert (got[0].status, got[0].headers["Content-Type"], got[0].body) == (200, "image/jpeg", JPEG)
    assert got[0].headers["Cache-Control"] == "no-store"
    assert web.service.wait_for_watcher() == b"\x00v1/preview/door/"
    monkeypatch.setattr("engine.web.tap._PREVIEW_SECONDS", 0.05)
    assert web.ask("GET", "/api/v1/streams/door/picture").body == JPEG
    monkeypatch.setattr("engine.web.tap._FRESH_SECONDS", -1.0)
    assert web.ask("GET", "/api/v1/streams/door/picture").status == 404  # one of yesterday is not what it shows now


@pytest.mark.parametrize("name", ["gate", "A" * 64, "A" * 600, "..", "a%0ab", "%C3%BC"])
def test_of_what_is_no_stream_no_picture_is_asked_for(web: Server, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    watched: list[bytes] = []
    monkeypatch.setattr(web.web.tap, "_watch", watched.append)
    assert web.ask("GET", f"/api/v1/streams/{name}/picture").status == 404
    assert watched == []
