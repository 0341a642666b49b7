"""The time line, from run directories as they are left: live, killed, damaged, emptied, removed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from engine.archive.expiry import empty
from engine.contracts.findings import Basis, Candidate, Quality
from engine.contracts.messages import Face, Track
from engine.contracts.track_picture import FusedFrame, TrackPicture
from engine.web.problems import Refusal
from engine.web.timeline import Timeline
from engine.web.track_faces import show_track
from engine.web.track_values import Query
from tests.report.selection import select_tracks
from tests.web.server import Server
from tests.web.service import JPEG, face

DAY_NS = 86_400 * 10**9
BASIS = Basis(3, 2, 20.0, 12.0, 0.5, 0.1, 0.02)
RUN, OLDER = "20260302T100000Z-00000002", "20260301T100000Z-00000001"


def track(track_id: int, sent_ns: int, *, stream: str = "door", ended: bool = True, name: str = "", **known: Any) -> Track:
    values: dict[str, Any] = {
        "run_id": RUN, "stream": stream, "seq": 0, "sent_ns": sent_ns, "track_id": track_id, "ended": ended,
        "first_pts_seconds": 1.0, "last_pts_seconds": 3.0, "first_pts": 0, "last_pts": 50, "time_base": (1, 25),
        "frames_seen": 50, "faces_enhanced": 2, "best_face_seq": 4, "decision": "known" if name else "unknown",
        "candidates": [Candidate(name or "Bob", 0.5)], "gallery_version": 1,
    }  # fmt: skip
    return Track(**(values | known))


class Runs:
    """A folder of runs that a test writes."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.timeline = folder, Timeline(folder)

    def write(self, run: str, *messages: Track | Face | bytes) -> None:
        directory = self.folder / run
        directory.mkdir(parents=True, exist_ok=True)
        for message in messages:
            raw = message if isinstance(message, bytes) else msgspec.json.encode(message) + b"\n"
            name = "faces.jsonl" if isinstance(message, Face) else "tracks.jsonl"
            with (directory / name).open("ab") as file:
                file.write(raw)

    def ids(self, **query: Any) -> list[int]:
        return [item.track_id for item in self.timeline.page(Query(**query)).tracks]


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path / "runs")


def test_there_may_be_no_runs_yet(runs: Runs) -> None:
    assert runs.ids() == []
    (runs.folder / RUN).mkdir(parents=True)
    assert runs.ids() == []


def test_the_newest_come_first_over_all_runs(runs: Runs) -> None:
    runs.write(OLDER, track(1, 10), track(2, 20))
    runs.write(RUN, track(1, 30), track(2, 40))
    items = runs.timeline.page(Query()).tracks
    assert [(item.run_id, item.track_id) for item in items] == [(RUN, 2), (RUN, 1), (OLDER, 2), (OLDER, 1)]
    assert (items[0].first_ns, items[0].last_ns) == (40 - 2 * 10**9, 40)


def test_pages_follow_each_other_without_a_gap_or_a_double_while_more_comes(runs: Runs) -> None:
    for number in range(30):
        runs.write(OLDER if number < 10 else RUN, track(number, number))
    found: list[int] = []
    cursor = ""
    while True:
        page = runs.timeline.page(Query(limit=7, cursor=cursor))
        found += [item.track_id for item in page.tracks]
        runs.write(RUN, track(100 + len(found), 100))
        cursor = page.cursor
        if not cursor:
            break
    assert found == list(range(29, -1, -1))


def test_a_track_is_listed_once_with_its_last_word(runs: Runs) -> None:
    runs.write(RUN, track(1, 10, ended=False), track(2, 11, ended=False), track(1, 12, ended=False, name="Ada"), track(2, 13))
    items = runs.timeline.page(Query()).tracks
    assert [(item.track_id, item.ended, item.decision) for item in items] == [(2, True, "unknown"), (1, False, "known")]
    runs.write(RUN, track(1, 14, name="Ada"))
    assert [(item.track_id, item.ended) for item in runs.timeline.page(Query()).tracks] == [(1, True), (2, True)]


def test_tracks_are_chosen_by_stream_person_decision_and_time(runs: Runs) -> None:
    runs.write(OLDER, track(1, DAY_NS, name="Ada"), track(2, 2 * DAY_NS, stream="gate"))
    runs.write(
        RUN, track(3, 3 * DAY_NS, name="Bob"), track(4, 4 * DAY_NS, decision="undecided"), track(5, 5 * DAY_NS, name="Ada")
    )
    assert runs.ids(stream="gate") == [2]
    assert runs.ids(person="Ada") == [5, 1]
    assert runs.ids(decision="undecided") == [4]
    assert runs.ids(since_ns=3 * DAY_NS) == [5, 4, 3]
    assert runs.ids(until_ns=3 * DAY_NS) == [3, 2, 1]
    assert runs.ids(since_ns=2 * DAY_NS, until_ns=4 * DAY_NS) == [4, 3, 2]
    assert runs.ids(since_ns=2 * DAY_NS, person="Ada") == [5]


def test_damaged_lines_are_left_out(runs: Runs) -> None:
    runs.write(RUN, track(1, 1), b"\x00\xff\n", b"{}\n", b'{"kind":"face"}\n', b"[" * 500 + b"\n", track(2, 2), b'{"kind":"tra')
    assert runs.ids() == [2, 1]


def test_a_file_that_is_emptied_cut_or_replaced_is_read_anew(runs: Runs) -> None:
    lines = [msgspec.json.encode(track(number, number)) + b"\n" for number in range(300)]
    runs.write(RUN, *lines)
    assert len(runs.ids(limit=500)) == 300
    path = runs.folder / RUN / "tracks.jsonl"
    empty(path, sum(map(len, lines[:200])))
    assert runs.ids(limit=500) == list(range(299, 199, -1))
    path.unlink()
    runs.write(RUN, track(7, 7, ended=False))
    assert runs.ids() == [7]
    shutil.rmtree(runs.folder / RUN)
    assert runs.ids() == []


def test_one_page_reads_so_much_and_says_where_to_go_on(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.web.timeline._PAGE_BYTES", 100_000)
    runs.write(RUN, track(0, 1, name="Ada"), *(track(number, 2) for number in range(1, 1000)))
    pages, cursor = 0, ""
    while True:
        page = runs.timeline.page(Query(person="Ada", cursor=cursor))
        pages, cursor = pages + 1, page.cursor
        if not cursor:
            break
        assert page.tracks == []
    assert [item.track_id for item in page.tracks] == [0]
    assert 3 < pages < 30


@pytest.mark.parametrize("cursor", ["x", ":", "..:5", "../x:5", f"{RUN}:", f"{RUN}:-1", f"{RUN}:" + "9" * 30, f"{RUN}:٣"])
def test_a_cursor_that_was_not_given_is_refused(runs: Runs, cursor: str) -> None:
    with pytest.raises(Refusal, match="cursor"):
        runs.timeline.page(Query(cursor=cursor))


def test_memory_does_not_grow_with_the_tracks_that_never_end(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.web.run_index._MOST_OPEN", 10)
    runs.write(RUN, *(track(number, number, ended=False) for number in range(50)), track(49, 100))
    assert runs.ids(limit=100) == [49, *range(48, 39, -1)]
    for number in range(70):
        runs.write(f"{RUN}{number}", track(1, 1))
    assert len(runs.ids(limit=500)) == 80
    assert len(runs.timeline._indices) <= 64


def seen(seq: int, score: float, sent_ns: int, **known: Any) -> Face:
    return face(seq, "door", run_id=RUN, sent_ns=sent_ns, quality=Quality(20.0, 0.5, 0.5, score), **known)


def test_one_track_comes_with_its_faces_best_first_and_what_decided(runs: Runs) -> None:
    now = 10 * DAY_NS
    faces = [seen(3, 0.2, now - 9 * 10**9), seen(4, 0.9, now - 8 * 10**9), seen(5, 0.5, now - 7 * 10**9)]
    others = [seen(1, 1.0, now - DAY_NS), replace(faces[0], track_id=8, seq=6), replace(faces[0], stream="gate", seq=0)]
    runs.write(
        RUN,
        *others,
        *faces,
        b"torn\n",
        track(7, now - 10**9, ended=False),
        track(7, now, name="Ada", basis=BASIS),
        track(9, now),
    )
    pictures = runs.folder / RUN / "faces" / "door" / "7"
    pictures.mkdir(parents=True)
    (pictures / "000004_original.jpg").write_bytes(JPEG)
    (runs.folder / RUN / "run.json").write_text(json.dumps({"config": {"verify": {"min_faces": 2, "gallery": "/secret"}}}))
    shown = show_track(runs.timeline, RUN, "door", 7)
    assert [one["seq"] for one in shown.all] == [4, 5, 3]
    assert shown.basis == BASIS
    assert (shown.decision, shown.candidates[0].identity, shown.settings) == ("known", "Ada", {"verify.min_faces": 2})
    assert shown.best is not None
    assert shown.best["pictures"] == {"original": f"/api/v1/pictures/{RUN}~door~7~4~original"}
    assert shown.all[1]["pictures"] == {}
    assert runs.timeline.picture(RUN, "door", 7, 4, "original").content == JPEG
    listed = next(item for item in runs.timeline.page(Query()).tracks if item.track_id == 7)
    assert listed.best == {"seq": 4, "pictures": shown.best["pictures"]}


def test_a_track_that_goes_on_is_found_too(runs: Runs) -> None:
    runs.write(RUN, track(7, 5, ended=False), seen(1, 0.4, 6))
    shown = show_track(runs.timeline, RUN, "door", 7)
    assert (shown.ended, [one["seq"] for one in shown.all]) == (False, [1])


def test_a_track_of_which_only_faces_are_there_is_shown_as_far_as_it_is_known(runs: Runs) -> None:
    runs.write(RUN, seen(1, 0.4, 10**9, pts_seconds=1.0), seen(2, 0.8, 2 * 10**9, pts_seconds=2.0, decision="undecided"))
    runs.write(RUN, seen(3, 0.1, 3 * 10**9, pts_seconds=3.0), track(9, 4))
    shown = show_track(runs.timeline, RUN, "door", 7)
    assert ([one["seq"] for one in shown.all], shown.ended, shown.decision) == ([2, 1, 3], False, "undecided")
    assert (shown.first_ns, shown.last_ns, shown.faces, shown.best and shown.best["seq"]) == (10**9, 3 * 10**9, 3, 2)


def test_only_the_best_of_very_many_faces_are_kept(runs: Runs) -> None:
    runs.write(RUN, *(seen(number, number / 1000, 5) for number in range(700)), track(7, 10))
    shown = show_track(runs.timeline, RUN, "door", 7)
    assert [one["seq"] for one in shown.all] == list(range(699, 499, -1))


@pytest.mark.parametrize(
    ("run", "stream", "track_id"), [(OLDER, "door", 7), (RUN, "gate", 7), (RUN, "door", 8), (RUN, "..", 7)]
)
def test_what_is_not_kept_is_not_found(runs: Runs, run: str, stream: str, track_id: int) -> None:
    runs.write(RUN, track(7, 5))
    with pytest.raises(Refusal) as refused:
        show_track(runs.timeline, run, stream, track_id)
    assert refused.value.status == 404


def test_pictures_and_tracks_over_http(web: Server) -> None:
    runs = Runs(web.settings.runs)
    runs.write(RUN, seen(4, 0.5, 5), track(7, 9, name="Ada"))
    pictures = runs.folder / RUN / "faces" / "door" / "7"
    pictures.mkdir(parents=True)
    (pictures / "000004_enhanced.png").write_bytes(b"\x89PNG")
    items = web.ask("GET", "/api/v1/tracks?person=Ada&limit=5&from=1&to=99").json["tracks"]
    assert [item["track_id"] for item in items] == [7]
    shown = web.ask("GET", items[0]["best"]["pictures"]["enhanced"])
    assert (shown.status, shown.body, shown.headers["Content-Type"]) == (200, b"\x89PNG", "image/png")
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    assert web.ask("GET", f"/api/v1/tracks/{RUN}/door/7").json["all"][0]["seq"] == 4
    assert web.ask("GET", "/api/v1/tracks/none/door/7").status == 404


def test_the_picture_of_a_track_over_http(web: Server) -> None:
    runs = Runs(web.settings.runs)
    picture = TrackPicture("net", 4, [FusedFrame(1, 0.1, 0.5), FusedFrame(9, 0.9, 0.5)], [], 64, 64, 0.9)
    runs.write(RUN, track(17, 9, seq=3, picture=picture), track(18, 10, seq=4, picture=picture))
    pictures = runs.folder / RUN / "faces" / "door" / "17"
    pictures.mkdir(parents=True)
    (pictures / "000003_track.jpg").write_bytes(JPEG)
    shown = web.ask("GET", f"/api/v1/tracks/{RUN}/door/17").json["picture"]
    assert shown == msgspec.to_builtins(picture) | {"pictures": {"track": f"/api/v1/pictures/{RUN}~door~17~3~track"}}
    assert web.ask("GET", shown["pictures"]["track"]).body == JPEG
    gone = web.ask("GET", f"/api/v1/tracks/{RUN}/door/18").json
    assert gone.get("picture") is None, "its picture is not kept any more"


@pytest.mark.parametrize("last", ["another", "end"])
@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ([("known", 3), ("known", None)], 3), ([("undecided", 3), ("known", None)], 3),
        ([("undecided", 3), ("known", 4), ("known", None)], 4), ([("known", 3), ("unknown", None)], None),
        ([("known", 3), ("undecided", None), ("known", None)], None),
        ([("undecided", 3), ("known", None), ("unknown", None)], None),
    ],
)  # fmt: skip
def test_the_picture_of_an_earlier_line_stands_for_a_track_as_in_the_report(
    runs: Runs, said: list[tuple[str, int | None]], shown: int | None, last: str
) -> None:
    """Not where the track has lost its name since: what is hidden could leave only with it."""
    picture = TrackPicture("net", 4, [FusedFrame(1, 0.1, 0.5), FusedFrame(9, 0.9, 0.5)], [], 64, 64, 0.9)
    pictures = runs.folder / RUN / "faces" / "door" / "7"
    pictures.mkdir(parents=True)
    for place, (decision, seq) in enumerate(said):
        ended = last == "end" and place == len(said) - 1
        held = picture if seq else None
        runs.write(RUN, track(7, place, seq=seq or 90 + place, ended=ended, decision=decision, picture=held))
        if seq:
            (pictures / f"{seq:06d}_track.jpg").write_bytes(JPEG)
    [item] = runs.timeline.page(Query()).tracks
    found = runs.timeline.item(RUN, runs.timeline.find(RUN, "door", 7)).picture
    assert found == item.picture
    assert (found and found["pictures"]) == (shown and {"track": f"/api/v1/pictures/{RUN}~door~7~{shown}~track"})
    (runs.folder / RUN / "run.json").write_text('{"run_id": "run1"}')
    [told] = select_tracks(runs.folder / RUN, 9, 9).records
    assert told.track is not None
    assert (told.track.picture is not None) == (shown is not None)


@pytest.mark.parametrize(
    "query",
    ["limit=x", "limit=501", "limit=%D9%A3", "decision=no", "cursor=../x", "from=-1", "to=" + "9" * 400, "to=today",
     "to=1700000000", "from=1700000000000"],
)  # fmt: skip
def test_wrong_questions_are_refused(web: Server, query: str) -> None:
    answer, field = web.ask("GET", f"/api/v1/tracks?{query}"), query.partition("=")[0]
    says_unit = "in nanoseconds" in answer.json["error"]["message"]
    assert (answer.status, answer.json["error"]["field"], says_unit) == (400, field, field in ("from", "to"))
    assert web.ask("GET", "/api/v1/tracks?stream=a%2Fb").status == 404
