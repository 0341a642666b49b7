"""The section of what was not believed: closed, counted, linked from the summary, and only where there is something to see."""

from __future__ import annotations

import os
import re

import pytest

from engine.archive.rejected import rejected_lines
from engine.archive.writer import DirectorySink
from engine.config import OutputConfig
from engine.errors import PublishError
from engine.publish.numbering import Numbering
from engine.report.page import write_report
from tests.access import faults_of
from tests.publish.samples import face, rejected, stream_event, track
from tests.web.console.browser import chromium


def write_run(directory, scores=(0.71, 0.82, 0.68), counters=None, tracks=1):
    numbering, sink = Numbering("run1"), DirectorySink(OutputConfig(directory=str(directory)), {"run_id": "run1"})
    sink.write(numbering.stamp(stream_event("door")), [])
    for number in range(1, tracks + 1):
        for body, payloads in (face("door", number), track("door", number)):
            sink.write(numbering.stamp(body), payloads)
    for track_id, score in enumerate(scores, 25):
        sink.write_rejected(*rejected("door", track_id, score))
    sink.close("completed", {"counters": counters or {"rejected": 57}, "inputs": {"door": {"path": "/door.mp4"}}})
    return directory


def report(directory):
    return write_report(directory).read_text(encoding="utf-8")


def test_they_stand_in_a_closed_section_the_likeliest_first(tmp_path):
    page = report(write_run(tmp_path))
    assert '<a href="#rejected">rejected as no face</a>' in page
    [section] = re.findall(r"<details><summary>Perhaps faces.*?</details>", page, re.DOTALL)
    assert "<summary>Perhaps faces: 3 places that were not believed</summary>" in section
    assert "What came nearest to a face, of 57 tracks that were rejected as none; the likeliest first" in section
    said = ["0.82 · 00:00:01.0\ndoor", "0.71 · 00:00:01.0\ndoor", "0.68 · 00:00:01.1\ndoor"]
    assert re.findall(r"<figcaption>(.*?)</figcaption>", section, re.DOTALL) == said
    assert 'title="frame 26, 24 px wide, seen 3 times"' in section
    assert section.count("data:image/jpeg;base64,") == 3
    assert page.index("</main>") < page.index("Perhaps faces") < page.index("What was read")


def test_a_camera_s_have_the_clock_on_the_wall(tmp_path):
    directory = write_run(tmp_path)
    path = directory / "run.json"
    path.write_text(path.read_text().replace('"door": {', '"hall": {'))
    assert re.search(r"0.82 · 2023-11-1\d \d\d:\d\d:20 [+-]\d{4}\ndoor", report(directory))


@pytest.mark.parametrize("gone", ["pictures", "file", "nothing came"])
def test_without_a_picture_there_is_no_section_and_no_link(tmp_path, gone):
    """As of a run by an older version, or after its pictures have expired."""
    directory = write_run(tmp_path, () if gone == "nothing came" else (0.71,))
    for line in list(rejected_lines(directory)) if gone == "pictures" else []:
        line.picture(directory).unlink()
    if gone == "file":
        (directory / "rejected.jsonl").unlink()
    page = report(directory)
    assert "Perhaps faces" not in page
    assert "<b>57</b><span>rejected as no face</span>" in page


def test_one_is_one_place(tmp_path):
    page = report(write_run(tmp_path, (0.7,), {"rejected": 1}))
    assert "Perhaps faces: 1 place that was not believed" in page
    assert "What came nearest to a face, of 1 track that was rejected as none" in page


def test_damaged_and_foreign_lines_show_nothing(tmp_path):
    directory = write_run(tmp_path, (0.7,))
    whole = (directory / "rejected.jsonl").read_text()
    (tmp_path / "secret.jpg").write_bytes(b"not ours")
    foreign = whole.replace("faces/door/25/000000_original.jpg", "../secret.jpg")
    script = whole.replace('"stream":"door"', '"stream":"<script>"')
    (directory / "rejected.jsonl").write_text(whole + foreign + script + '{"kind":"rej\n' + "null\n" + "\0\0\n")
    page = report(directory)
    assert "Perhaps faces: 1 place" in page
    assert "secret" not in page


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_cannot_be_read_is_said(tmp_path):
    directory = write_run(tmp_path)
    (directory / "rejected.jsonl").chmod(0)
    with pytest.raises(PublishError, match=r"cannot read .*rejected.jsonl: Permission denied"):
        report(directory)


def test_a_file_that_is_a_folder_is_said(tmp_path):
    directory = write_run(tmp_path, ())
    (directory / "rejected.jsonl").mkdir()
    with pytest.raises(PublishError, match=r"cannot read .*rejected.jsonl: Is a directory"):
        report(directory)


@pytest.mark.parametrize("script", [True, False])
def test_the_summary_opens_it(tmp_path, script):
    address = write_report(write_run(tmp_path)).absolute().as_uri()
    with chromium() as browser:
        page = browser.new_context(java_script_enabled=script).new_page()
        page.goto(address)
        assert not page.is_visible(".grid")
        page.click(".figures a")
        page.wait_for_selector(".grid figure:nth-child(3)", state="visible")
        if script:
            page.click(".grid .pic")
            assert "0.82 · 00:00:01.0 door" in page.inner_text("#view .said")
            page.keyboard.press("Escape")
            assert not any(faults_of(page).values())


@pytest.mark.parametrize("width", [1280, 390])
def test_the_summary_leads_there_past_cards_that_were_not_drawn_yet(tmp_path, width):
    """On a phone the page ended up a thousand pixels above: cards are as high as was guessed until they come near."""
    address = write_report(write_run(tmp_path, tracks=9)).absolute().as_uri()
    with chromium() as browser:
        page = browser.new_context(viewport={"width": width, "height": 800}).new_page()
        page.goto(address)
        page.click(".figures a")
        title = "document.querySelector('summary').getBoundingClientRect()"
        page.wait_for_function(f"() => {title}.top >= 0 && {title}.bottom < innerHeight - 100")


def test_on_paper_it_is_open_and_on_a_phone_it_fits(tmp_path):
    address = write_report(write_run(tmp_path, [0.6 + at / 100 for at in range(30)])).absolute().as_uri()
    with chromium() as browser:
        page = browser.new_page()
        page.goto(address)
        page.emulate_media(media="print")
        assert page.evaluate("document.querySelector('.grid').getBoundingClientRect().height") > 100
        page.emulate_media(media="screen")
        page.set_viewport_size({"width": 390, "height": 800})
        page.click("summary:has-text('Perhaps')")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
