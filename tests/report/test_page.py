import base64
import json
import re

import cv2
import msgspec
import numpy as np
import pytest

from engine.archive.reader import read_streams
from engine.archive.writer import DirectorySink
from engine.config import OutputConfig
from engine.errors import PublishError
from engine.publish.numbering import Numbering
from engine.report.page import write_report
from engine.report.summary import models_table, texts_table
from tests.publish.samples import face, pictures, stream_event, track

RUN = {"run_id": "run1", "versions": {"facestream": "0.1.0", "opencv": "5.0"}}
FACTS = {
    "inputs": {"cam1": {"path": "/archive/<gate> & yard.mp4", "size_bytes": 12_300_000, "sha256": "ab" * 32}},
    "workers": {
        f"enhance-{index}": {"generator": "compact_x4", "generator_sha256": "cd" * 32, "generator_licence": "Apache-2.0"}
        for index in range(2)
    },
    "counters": {"frames": 12345},
}


def write_run(directory, tracks=3, faces=4, codec="jpeg"):
    numbering, sink = Numbering("run1"), DirectorySink(OutputConfig(directory=str(directory)), RUN)
    sink.write(numbering.stamp(stream_event("cam1")), [])
    for track_id in reversed(range(tracks)):
        start, decision = 10.0 * track_id, ("known", "unknown", "undecided")[track_id % 3]
        for index in range(faces):
            message, payloads = face(track_id=track_id, index=index, score=index / 10, codec=codec, pts_seconds=start + index)
            sink.write(numbering.stamp(message), payloads)
        message, payloads = track(track_id=track_id, first=start, last=start + faces, decision=decision)
        sink.write(numbering.stamp(message), payloads)
    sink.write(numbering.stamp(stream_event("cam1", "ended", "end_of_file")), [])
    sink.close("completed", FACTS)
    return directory


def report(directory, max_tracks=500):
    path = write_report(directory, max_tracks)
    assert path == directory / "report.html"
    return path.read_text(encoding="utf-8")


def test_tracks_of_no_face_are_counted_in_the_summary(tmp_path):
    directory = write_run(tmp_path, tracks=1, faces=1)
    assert "rejected" not in report(directory)
    record = json.loads((directory / "run.json").read_text())
    (directory / "run.json").write_text(json.dumps(record | {"counters": {"rejected": 1234}}))
    assert "<b>1,234</b><span>rejected as no face</span>" in report(directory)


def test_what_a_run_left_unread_is_named(tmp_path):
    """That a recording has no track said nothing of whether it was looked at."""
    directory = write_run(tmp_path, tracks=1, faces=1)
    assert "not searched" not in report(directory)
    record = json.loads((directory / "run.json").read_text())
    inputs = record["inputs"] | {"yard": {"path": "yard.mp4"}}
    (directory / "run.json").write_text(json.dumps(record | {"outcome": "drained", "inputs": inputs}))
    assert "1 of 2 recordings was not searched to the end: yard (not read)." in report(directory)
    with (directory / "stream.jsonl").open("a") as lines:
        lines.write((directory / "stream.jsonl").read_text().splitlines()[0].replace("cam1", "yard") + "\n")
    assert "1 of 2 recordings was not searched to the end: yard (read in part)." in report(directory)


def test_how_long_an_archive_took_is_not_how_long_its_results_were_put_together(tmp_path):
    directory = write_run(tmp_path, tracks=1, faces=1)
    record = json.loads((directory / "run.json").read_text())
    (directory / "run.json").write_text(json.dumps(record | {"archive": {"content": "", "joined": {}}}))
    assert re.search(r"facestream · results put together [-0-9]+ [:0-9]+ UTC · completed<", report(directory))


def cards(page):
    return re.findall(r'<article class="card.*?</article>', page, re.DOTALL)


def test_a_card_shows_the_original_twice_and_the_enhanced_face_at_one_scale(tmp_path):
    page = report(write_run(tmp_path, tracks=1, faces=1, codec="png"))
    [card] = cards(page)
    shown = [
        cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
        for data in re.findall(r'src="data:image/[a-z]+;base64,([^"]+)"', card)
    ]
    original, enhanced = pictures()
    assert re.findall(r'<figure class="([^"]+)"', card) == ["pixels", "smooth", "enhanced"]
    for picture, expected in zip(shown, (original, original, enhanced), strict=True):
        assert cv2.PSNR(picture, expected) > 40, "the invisible mark is all that differs"
    assert "AI-enhanced: not for identification" in card
    for text in ("00:00:00.0 to 00:00:01.0", "Eileen Collins", "0.730", "0.750", "41.3 dB", "62", "24 px"):
        assert text in card


def test_named_tracks_come_first_with_their_other_faces(tmp_path):
    page = report(write_run(tmp_path, tracks=6, faces=4))
    assert [re.search(r"track (\d+)", card)[1] for card in cards(page)] == ["0", "3", "2", "5", "1", "4"]
    assert all(card.count('<span class="small') == 3 for card in cards(page))
    assert ["best at</dt><dd>00:00:03.0" in card for card in cards(page)] == [True] + 5 * [False]
    assert {"known (2)", "unknown (2)", "undecided (2)", "all (6)"} <= set(re.findall(r">(\w+ \(\d\))</label>", page))
    assert re.findall(r'<h2 class="section">([^<]+) <small>(\d)', page) == [
        ("Named", "2"), ("Not decided, with evidence for somebody", "2"), ("Others", "2")
    ]  # fmt: skip
    assert (
        page.index('Eileen Collins</bdi></a></span></td><td data-title="tracks"><span>2<')
        < page.index("<main")
        < page.index("<details>")
    )


def test_the_head_says_what_was_read_and_with_what(tmp_path):
    page = report(write_run(tmp_path))
    for text in ("&lt;gate&gt; &amp; yard.mp4", "ab" * 32, "12.3 MB", "768 x 432", "ended (end of file)", "12,345", "completed",
                 "Apache-2.0", "opencv", "processed 20", ", took "):  # fmt: skip
        assert text in page
    assert page.count("cd" * 32) == 1  # two equal workers are one row
    assert "<b>& B" not in page


def test_the_page_needs_nothing_beside_it(tmp_path):
    page = report(write_run(tmp_path))
    assert not re.findall(r'src="(?!data:)', page)
    assert not re.findall(r'href="(?!#t\d|faces/)', page), "only the same pictures, larger"
    assert "http" not in page.replace("http-", "")
    assert "$cards" not in page


def test_a_killed_run_has_a_report(tmp_path):
    write_run(tmp_path, tracks=2)
    (tmp_path / "run.json").write_text(json.dumps(RUN | {"outcome": "running"}))
    for name in ("faces.jsonl", "tracks.jsonl"):
        whole = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(whole[:-40])  # the last line is cut
    (tmp_path / "faces/cam1/1/000000_enhanced.jpg").unlink()
    page = report(tmp_path)
    assert "This run was killed, or is still going on" in page
    assert len(cards(page)) == 2
    assert "Eileen Collins" in cards(page)[0]


def test_a_run_without_faces_says_so(tmp_path):
    page = report(write_run(tmp_path, tracks=0))
    assert "No faces were found." in page


@pytest.mark.parametrize("content", [None, "{", "[1]"])
def test_a_directory_without_a_run_is_one_sentence(tmp_path, content):
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    with pytest.raises(PublishError, match=r"is not the (output directory|record) of a run"):
        write_report(tmp_path, 5)


def test_the_report_follows_what_the_track_says(tmp_path):
    write_run(tmp_path, tracks=1, faces=4)
    lines = [json.loads(line) for line in (tmp_path / "tracks.jsonl").read_text().splitlines()]
    lines[0]["best_face_seq"] = 1
    (tmp_path / "tracks.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert "best at</dt><dd>00:00:01.0" in report(tmp_path)


def test_what_a_name_may_claim_is_said_once(tmp_path):
    write_run(tmp_path, tracks=1, faces=1)
    run = json.loads((tmp_path / "run.json").read_text())
    for facts in run["workers"].values():
        facts["names"] = "at most 1 in 1,000 strangers get a name; faces below 20 px & less are too small"
    (tmp_path / "run.json").write_text(json.dumps(run))
    assert report(tmp_path).count("Names: at most 1 in 1,000 strangers get a name; faces below 20 px &amp; less are") == 1


@pytest.mark.usefixtures("in_india")
@pytest.mark.parametrize(
    ("clock_is", "words"), [("start_time", "as given"), ("file_name", "by the file"), ("creation_time", "creation_time")]
)
def test_the_wall_clock_of_a_recording_is_shown_with_its_source(tmp_path, clock_is, words):
    write_run(tmp_path, tracks=1)
    began = 1_772_370_300_000_000_000  # 2026-03-01 13:05 UTC
    for name, told in (
        ("stream.jsonl", {"started_ns": began, "clock": clock_is}),
        ("tracks.jsonl", {"first_recorded_ns": began + 2 * 10**9, "last_recorded_ns": began + 75 * 10**9}),
    ):
        lines = [json.loads(line) | told for line in (tmp_path / name).read_text().splitlines()]
        (tmp_path / name).write_text("".join(json.dumps(line) + "\n" for line in lines))
    page = report(tmp_path)
    assert "2026-03-01 18:35:00 +0530, " in page
    assert words in page
    assert "2026-03-01 18:35:02 to 18:36:15 +0530 (00:00:00.0 to 00:00:04.0)" in page
    assert "clock time, IST, UTC+05:30" in page
    assert 'data-zone="330"' in page
    assert "IST, UTC+05:30</span>" in page, "beside the fields for times"


def test_a_recording_without_a_clock_shows_none(tmp_path):
    write_run(tmp_path, tracks=1)
    assert ">begins</th>" not in report(tmp_path)


def test_tables_escape_and_leave_empty_columns_out():
    page = texts_table(["a", "b"], [["<x>", ""]])
    assert '<tr><th scope="col">a</th></tr>' in page
    assert '<td data-title="a"><span>&lt;x&gt;</span></td></tr>' in page
    assert "not recorded" in models_table({})


def test_a_resumed_run_says_in_how_many_attempts(tmp_path):
    write_run(tmp_path, tracks=1)
    run = json.loads((tmp_path / "run.json").read_text())
    run["attempts"] = [{"run_id": "run0", "started_ns": 1_600_000_000_000_000_000, "outcome": "killed"}, *run["attempts"]]
    (tmp_path / "run.json").write_text(json.dumps(run))
    assert "processed 2020-09-13 12:26:40 UTC in 2 attempts, the last took " in report(tmp_path)


def test_the_best_face_is_of_the_attempt_that_named_it(tmp_path):
    write_run(tmp_path, tracks=1, faces=4)
    lines = [json.loads(line) for line in (tmp_path / "faces.jsonl").read_text().splitlines()]
    lines[3] |= {"run_id": "run0", "seq": 1}
    (tmp_path / "faces.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    [record] = json.loads("[" + (tmp_path / "tracks.jsonl").read_text() + "]")
    (tmp_path / "tracks.jsonl").write_text(json.dumps(record | {"best_face_seq": 1}) + "\n")
    assert "best at</dt><dd>00:00:01.0" in report(tmp_path)


def test_of_a_long_life_of_a_stream_the_head_needs_three_events(tmp_path):
    """A camera that reconnects for months has many."""
    numbering, sink = Numbering("run1"), DirectorySink(OutputConfig(directory=str(tmp_path)), RUN)
    begun = msgspec.structs.replace(
        stream_event("cam1", "connecting"), started_ns=1, clock="start_time", width_px=0, height_px=0
    )
    for event in (begun, *[stream_event("cam1", state) for state in ("live", "discontinuity") * 50]):
        sink.write(numbering.stamp(event), [])
    stalled = msgspec.structs.replace(stream_event("cam1", "stalled", "timeout"), width_px=0, height_px=0)
    sink.write(numbering.stamp(stalled), [])
    sink.close("completed", FACTS)
    assert [event.seq for event in read_streams(tmp_path)["cam1"]] == [0, 100, 101]
    page = report(tmp_path)
    assert "768 x 432" in page
    assert "stalled (timeout)" in page
    assert "as given" in page


def test_a_picture_outside_of_the_directory_is_not_read_into_the_report(tmp_path):
    directory = write_run(tmp_path / "run", tracks=1, faces=4)
    _, secret = cv2.imencode(".jpg", np.full((40, 40, 3), 77, np.uint8))
    (tmp_path / "secret.jpg").write_bytes(secret.tobytes())
    lines = [json.loads(line) for line in (directory / "faces.jsonl").read_bytes().splitlines()]
    lines[0]["files"] = {"original": "../secret.jpg"}
    lines[1]["files"] = {"original": str(tmp_path / "secret.jpg")}
    lines[2]["files"] = {"original": "faces/link.jpg"}
    lines[3]["files"] = {"original": "faces/away/secret.jpg"}
    (directory / "faces/link.jpg").symlink_to(tmp_path / "secret.jpg")
    (directory / "faces/away").symlink_to(tmp_path)
    (directory / "faces.jsonl").write_bytes(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
    assert base64.b64encode(secret.tobytes()).decode() not in report(directory)
    assert "the pictures are missing" in report(directory)


def test_where_nobody_was_enrolled_the_page_says_how_somebody_is(tmp_path):
    directory = write_run(tmp_path / "run", tracks=1, faces=1)
    lines = [json.loads(line) for line in (directory / "tracks.jsonl").read_text().splitlines()]
    told = "".join(json.dumps(line | {"decision": "none", "candidates": []}) + "\n" for line in lines)
    (directory / "tracks.jsonl").write_text(told)
    record = json.loads((directory / "run.json").read_text())
    assert "facestream enrol" not in report(directory), "nothing was compared, as no embedder was set"
    workers = {"enhance-1": {"embedder": "dlib", "embedder_sha256": "ef" * 32}}
    config = {"verify": {"gallery": "my people.sqlite"}}
    (directory / "run.json").write_text(json.dumps(record | {"workers": workers, "config": config}))
    assert "facestream enrol NAME PICTURE --gallery &#x27;my people.sqlite&#x27;" in report(directory)
    job = record | {"workers": workers, "config": config, "archive": {"content": "x"}}
    (directory / "run.json").write_text(json.dumps(job))
    assert "facestream search PICTURE DIRECTORY" in report(directory), "the gallery of a job is a copy"
    (directory / "tracks.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert "facestream enrol" not in report(directory)
