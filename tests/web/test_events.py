"""Events and pictures, from the run's own sockets to the browser's."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from engine.contracts.findings import Candidate
from engine.contracts.messages import Part, Stream, Track
from engine.web.fan import MOST_CLIENTS
from engine.web.tokens import TokenFolder
from tests.patience import PATIENCE_SECONDS, until
from tests.web.listening import listening
from tests.web.server import Server, server
from tests.web.service import JPEG, FakeService, face, usual_answer

RUN = "20260301T120000Z-00000001"


@pytest.fixture(scope="module")
def _listened(service: FakeService) -> Iterator[Server]:
    with server(service) as running:
        running.token = running.token_for("all", "view", "operate", "enrol")
        service.wait_for_listener()
        yield running


@pytest.fixture
def web(_listened: Server) -> Server:
    _listened.service.answer = usual_answer
    return _listened


def track(seq: int, decision: str, *names: str, run_id: str = RUN) -> Track:
    return Track(
        run_id=run_id, stream="door", seq=seq, sent_ns=1, track_id=7, ended=False, first_pts_seconds=0, last_pts_seconds=1,
        first_pts=0, last_pts=25, time_base=(1, 25), frames_seen=25, faces_enhanced=2, best_face_seq=0, decision=decision,  # type: ignore[arg-type]
        candidates=[Candidate(name, 0.9) for name in names], gallery_version=1,
    )  # fmt: skip


def test_a_face_comes_with_its_pictures(web: Server) -> None:
    with listening(web, "?kinds=face") as heard:
        assert (heard.status, heard.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        assert heard.headers["cache-control"] == "no-store"
        web.service.publish(face(1, "door", ("original", JPEG), ("enhanced", JPEG + b"2")), JPEG, JPEG + b"2")
        event = heard.first("face")
    assert (event.data["stream"], event.data["track_id"], event.data["kind"]) == ("door", 7, "face")
    shown = web.ask("GET", event.data["pictures"]["enhanced"])
    assert (shown.status, shown.body, shown.headers["Content-Type"]) == (200, JPEG + b"2", "image/jpeg")
    assert shown.headers["Cache-Control"] == "private, max-age=86400, immutable"
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert web.ask("GET", event.data["pictures"]["original"]).body == JPEG
    assert web.ask("GET", event.data["pictures"]["original"], token=None).status == 401


def test_a_track_comes_with_its_picture(web: Server) -> None:
    with listening(web, "?kinds=track") as heard:
        parts = [Part("embedding", "raw", (1,), "float32", ""), Part("track", "jpeg", (8, 8, 3), "uint8", "")]
        web.service.publish(replace(track(0, "known", "Ada"), parts=parts), b"\0" * 4, JPEG + b"3")
        pictures = heard.first("track").data["pictures"]
    assert list(pictures) == ["track"]
    assert web.ask("GET", pictures["track"]).body == JPEG + b"3"


def test_only_what_was_asked_for_comes(web: Server) -> None:
    with listening(web, "?kinds=stream&streams=gate,roof") as heard:
        web.service.publish(face(2))
        web.service.publish(Stream(run_id=RUN, stream="door", seq=0, sent_ns=1, state="live"))
        web.service.publish(Stream(run_id=RUN, stream="roof", seq=0, sent_ns=1, state="stalled", detail="a\nline"))
        event = next(heard.events())
    assert (event.kind, event.data["stream"], event.data["detail"]) == ("stream", "roof", "a\nline")


@pytest.mark.parametrize(
    "query",
    ["?kinds=faces", "?streams=" + ",".join(map(str, range(513)))]
    + [f"?kinds=preview&streams=door,{name}" for name in ("A" * 65, "A" * 600, "..", "a/b", "a%00", "%C3%BC")],
)
def test_what_cannot_be_asked_for_is_refused(web: Server, query: str) -> None:
    answer = web.ask("GET", f"/api/v1/events{query}")
    assert (answer.status, answer.code) == (400, "bad_request")


def test_the_status_comes_once_a_second_while_somebody_listens(web: Server) -> None:
    with listening(web, "?kinds=status") as heard:
        assert heard.first("status").data["state"] == "running"


def test_a_preview_comes_with_the_names_of_its_faces(web: Server) -> None:
    with listening(web, "?kinds=preview,track&streams=door") as heard:
        assert web.service.wait_for_watcher() == b"\x01v1/preview/door/"
        web.service.publish(track(0, "known", "Ada"))
        heard.first("track")
        web.service.preview()
        shown = heard.first("preview").data
    assert (shown["stream"], shown["width_px"], shown["height_px"]) == ("door", 640, 480)
    assert shown["boxes"] == [{"x": 1.0, "y": 2.0, "width": 3.0, "height": 4.0, "track_id": 7, "accepted": True, "name": "Ada"}]
    assert web.service.wait_for_watcher() == b"\x00v1/preview/door/"  # nobody looks any more: none are made


@pytest.mark.parametrize(
    ("run_id", "name"),
    [(RUN, "Ada"), (f"{RUN}-1", "Ada"), ("20260301T120000Z-00000002", ""), (f"{RUN}1", ""), (RUN[:-1], ""), ("", "")],
)
def test_the_name_of_another_runs_track_is_nobodys(web: Server, run_id: str, name: str) -> None:
    """Track ids begin at 1 in each run; what is sent after publish was replaced has a number behind the run's id."""
    with listening(web, "?kinds=preview,track&streams=door") as heard:
        assert web.service.wait_for_watcher() == b"\x01v1/preview/door/"
        web.service.publish(track(0, "known", "Ada", run_id=run_id))
        heard.first("track")
        web.service.preview()
        assert heard.first("preview").data["boxes"][0]["name"] == name
    assert web.service.wait_for_watcher() == b"\x00v1/preview/door/"


def test_names_go_with_their_run(web: Server) -> None:
    with listening(web, "?kinds=preview,track&streams=door") as heard:
        assert web.service.wait_for_watcher() == b"\x01v1/preview/door/"
        for run_id, who in ((RUN, "Ada"), ("next", "Bea")):
            web.service.publish(track(0, "known", who, run_id=run_id))
            heard.first("track")
        for run_id, who in (("next", "Bea"), (RUN, "")):
            web.service.preview(run_id=run_id)
            assert heard.first("preview").data["boxes"][0]["name"] == who
    assert web.service.wait_for_watcher() == b"\x00v1/preview/door/"


def test_only_streams_of_the_service_are_subscribed_to(web: Server) -> None:
    with listening(web, "?kinds=preview&streams=gate,door,roof"):
        assert web.service.wait_for_watcher() == b"\x01v1/preview/door/"
    assert web.service.wait_for_watcher() == b"\x00v1/preview/door/"
    assert not web.service._previews.poll(0)


def test_so_many_streams_are_looked_at_and_no_more(web: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.web.tap._MOST_TOPICS", 1)
    with listening(web, "?kinds=preview&streams=door"), listening(web, "?kinds=preview"):
        assert web.service.wait_for_watcher() == b"\x01v1/preview/door/"
    assert web.service.wait_for_watcher() == b"\x00v1/preview/door/"
    assert len(web.said("streams are being watched")) == 1


def test_who_comes_back_gets_what_it_missed(web: Server) -> None:
    with listening(web, "?kinds=face") as heard:
        web.service.publish(face(10))
        first = heard.first("face")
    with listening(web, "?kinds=face") as meanwhile:
        web.service.publish(face(11))
        web.service.publish(face(12))
        assert [meanwhile.first("face").data["seq"] for _ in range(2)] == [11, 12]
    with listening(web, "?kinds=face", f"Last-Event-ID: {first.id}") as again:
        assert [again.first("face").data["seq"] for _ in range(2)] == [11, 12]


@pytest.mark.parametrize("last", ["x", "00000000-5", "-", "-1", "{epoch}-99999999999", "{epoch}-" + "9" * 400])
def test_who_comes_back_from_elsewhere_is_told_that_something_is_lost(web: Server, last: str) -> None:
    epoch = web.web.fan._epoch
    with listening(web, "?kinds=face", f"Last-Event-ID: {last.format(epoch=epoch)}") as again:
        assert next(again.events()).kind == "lost"


def test_a_slow_reader_loses_events_and_is_told_and_nobody_else_notices(web: Server) -> None:
    padding = "x" * 20_000
    with contextlib.ExitStack() as stack:
        slow = stack.enter_context(socket.socket())
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.settimeout(PATIENCE_SECONDS)
        slow.connect(("127.0.0.1", web.port))
        slow.sendall(
            f"GET /api/v1/events?kinds=stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {web.token}\r\n\r\n".encode()
        )
        assert slow.recv(10) == b"HTTP/1.1 2"
        fast = stack.enter_context(listening(web, "?kinds=stream"))
        for number in range(600):
            web.service.publish(Stream(run_id=RUN, stream="door", seq=number, sent_ns=1, state="live", detail=padding))
            assert fast.first("stream").data["seq"] == number
        assert max(client._size_bytes for client in web.web.fan.clients) <= 2 << 20
        seen = b""
        while b"event: lost" not in seen:
            seen = seen[-100:] + slow.recv(65536)
        seen += slow.recv(1000)
    lost = json.loads(seen.partition(b"event: lost\ndata: ")[2].partition(b"\n")[0])
    assert 0 < lost["events"] < 600


def test_so_many_listen_and_no_more(web: Server) -> None:
    with contextlib.ExitStack() as stack:
        heard = [stack.enter_context(listening(web, "?kinds=end")) for _ in range(MOST_CLIENTS)]
        assert {one.status for one in heard} == {200}
        answer = web.ask("GET", "/api/v1/events?kinds=end")
        assert (answer.status, answer.code, answer.headers["Retry-After"]) == (503, "busy", "10")
    until(lambda: not web.web.fan.clients)
    with listening(web, "?kinds=end") as one:
        assert one.status == 200


def test_who_is_revoked_hears_no_more(web: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.web.events._ASK_SECONDS", 0.0)
    token = web.token_for("passing", "view")
    with listening(web, "?kinds=status", token=token) as heard:
        heard.first("status")
        TokenFolder(web.settings.tokens).revoke("passing")
        assert len(list(heard.events())) <= 3  # and the answer ends


def test_an_answer_ends_with_the_server(service: FakeService) -> None:
    with contextlib.ExitStack() as stack:
        with server(service) as running:
            running.token = running.token_for("until-the-end", "view")
            heard = stack.enter_context(listening(running, "?kinds=end"))
        assert list(heard.events()) == []
    assert running.lines == []


def test_garbage_on_the_tap_is_one_line(web: Server) -> None:
    for frames in (
        (b"v1/face/",),
        (b"v1/face/", b"\x81\xa4kind\xa2\xff\xff"),
        (b"v1/face/", b"\xc1"),
        (b"v1/x", b"\x80"),
        (b"v1/face/", b"", b"", b""),
    ):
        web.service.publish_raw(*frames)
    with listening(web, "?kinds=face") as heard:
        web.service.publish(face(20))
        assert heard.first("face").data["seq"] == 20
    assert len(web.said("cannot be read")) == 1
