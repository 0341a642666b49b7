"""Pages of many tracks and streams: what has a card, what a line, and what is beside the page."""

import json
import re
from urllib.parse import unquote

from engine.report.page import write_report
from tests.report.test_page import cards, report, write_run


def rows(page):
    return re.findall(r'<article class="row.*?</article>', page, re.DOTALL)


def test_tracks_without_a_card_have_a_line(tmp_path):
    page = report(write_run(tmp_path, tracks=5, faces=1), max_tracks=2)
    assert len(cards(page)) == 2
    assert [re.search(r"track (\d+)", row)[1] for row in rows(page)] == ["2", "1", "4"]
    assert all("<img" in row and "24 px" in row for row in rows(page))
    assert ["most like <bdi>Eileen Collins</bdi>" in row for row in rows(page)] == [True, False, False]


def test_named_tracks_are_never_left_out_and_others_are_said_to_be(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.report.page._MOST_ROWS", 1)
    page = report(write_run(tmp_path, tracks=9, faces=1), max_tracks=1)
    assert [re.search(r'class="row (\w+)', row)[1] for row in rows(page)] == ["known", "known"]
    assert "Not shown: 6 more without a name; tracks.jsonl holds all tracks." in page


def test_pictures_beyond_the_room_are_read_from_beside_it(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.report.page._ROOM_BYTES", 4000)
    run = write_run(tmp_path / "run 1", tracks=3, faces=1)
    (tmp_path / "sent").mkdir()
    page = write_report(run, 2, out=tmp_path / "sent" / "page.html").read_text()
    beside = re.findall(r'src="(?!data:)([^"]+)"', page)
    assert "data:image" in page
    assert beside
    assert all((tmp_path / "sent" / unquote(name)).is_file() for name in beside)
    lazy = [img.startswith("data:") for img in re.findall(r'src="([^"]+)"[^>]* loading="lazy"', page)]
    assert lazy == [False] * len(beside), "what the page holds is there at once, for whatever prints it"
    assert f"Not in this file: {len(set(beside))} pictures, read from the folder faces of run 1." in page


def test_hundreds_of_streams_stay_short(tmp_path):
    write_run(tmp_path, tracks=3, faces=1)
    streams = [json.loads(line) for line in (tmp_path / "stream.jsonl").read_text().splitlines()]
    failed = [line | {"stream": f"yard-{number:03}", "state": "failed"} for number in range(200) for line in streams]
    (tmp_path / "stream.jsonl").write_text("".join(json.dumps(line) + "\n" for line in [*streams, *failed]))
    page = report(tmp_path)
    assert "200 of 201 streams failed: yard-000 (end of file), " in page
    assert " and 195 more, see the table below." in page
    assert "What was read (201), and with what" in page
    assert page.count('<span class="lane" ') == 1, "those with tracks"


def test_counters_of_single_streams_are_left_to_the_record(tmp_path):
    directory = write_run(tmp_path, tracks=1, faces=1)
    run = json.loads((directory / "run.json").read_text())
    counters = {"faces": 7001, "faces.cam1": 7002, "drops.late": 7003, "drops.late.cam1": 7004}
    (directory / "run.json").write_text(json.dumps(run | {"counters": counters}))
    page = report(directory)
    assert [number in page for number in ("7,001", "7,002", "7,003", "7,004")] == [True, False, True, False]
