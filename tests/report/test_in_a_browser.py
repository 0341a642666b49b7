"""The page in Chromium, from a file: order, filters, the closer look; and without a script."""

from __future__ import annotations

import json

import pytest

from engine.report.page import write_report
from tests.access import NAMES, cut_on_paper, faults_of
from tests.desk.results import write_result
from tests.report.test_page import write_run
from tests.web.console.browser import chromium


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


@pytest.fixture
def page_of(browser, tmp_path):
    """Open a report of nine tracks, and fail on what it complains of."""
    directory = write_run(tmp_path / "run", tracks=9, faces=2)
    lines = [json.loads(line) for line in (directory / "faces.jsonl").read_text().splitlines()]
    for line in lines:
        line["quality"]["size_px"] = 20.0 + line["track_id"]
    (directory / "faces.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    address = write_report(directory, 4).absolute().as_uri()
    complaints: list[str] = []

    def opened(**options):
        page = browser.new_context(viewport={"width": 1280, "height": 900}, **options).new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.goto(address)
        return page

    yield opened
    assert complaints == []


SHOWN = "() => [...document.querySelectorAll('article')].filter((one) => one.checkVisibility()).map((one) => +one.dataset.k)"


def test_order_filters_and_the_closer_look(page_of):
    page = page_of()
    assert page.evaluate(SHOWN) == [0, 3, 6, 2, 5, 8, 1, 4, 7]
    page.select_option("select[name=order]", "-z")
    assert page.evaluate(SHOWN) == [8, 7, 6, 5, 4, 3, 2, 1, 0]
    page.fill("input[name=size]", "26")
    assert page.evaluate(SHOWN) == [8, 7, 6]
    assert page.inner_text("output") == "3 of 9 shown"
    page.fill("input[name=size]", "")
    page.fill("input[name=from]", "00:01:00")
    assert page.evaluate(SHOWN) == [8, 7, 6]
    page.fill("input[name=from]", "")
    page.fill("input[type=search]", "collins")
    assert page.evaluate(SHOWN) == [6, 3, 0]
    page.click("article.card .enhanced .pic")
    assert page.is_visible("#view .mark")
    assert page.locator("#view .stage img").count() == 2
    page.fill("#view input[type=range]", "0")
    assert "inset(0px 100% 0px 0px)" in page.evaluate("getComputedStyle(document.querySelector('.stage .top')).clipPath")
    page.keyboard.press("Escape")
    assert not page.is_visible("#view")


def test_without_a_script_all_is_there(page_of):
    page = page_of(java_script_enabled=False)
    assert page.locator("article").count() == 9
    assert not page.is_visible(".tools")
    page.check("#show-known", force=True)
    assert [one.is_visible() for one in page.locator("article").all()] == [True] * 3 + [False] * 6


def test_on_a_phone_original_and_enhanced_stand_side_by_side(page_of):
    page = page_of(is_mobile=True)
    page.set_viewport_size({"width": 390, "height": 800})
    card = page.locator("article.card").first
    original, enhanced = (card.locator(f"figure.{kind}").bounding_box() for kind in ("pixels", "enhanced"))
    assert original["y"] == pytest.approx(enhanced["y"], abs=1)
    assert original["width"] == pytest.approx(enhanced["width"], abs=1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    hidden = "[...document.querySelectorAll('[hidden]')].filter((one) => one.checkVisibility()).map((one) => one.outerHTML)"
    assert page.evaluate(hidden) == []


def test_nothing_keeps_anybody_out(page_of):
    page = page_of()
    assert faults_of(page) == {}
    page.click("article.card .enhanced .pic")
    assert faults_of(page) == {}


def test_sections_without_a_track_and_times_that_are_none_are_said(page_of):
    page = page_of()
    page.check("#show-known", force=True)
    assert page.inner_text("output") == "3 of 9 shown"
    assert [one.inner_text() for one in page.locator("h2.section").all() if one.is_visible()] == ["Named 3"]
    page.fill("input[name=size]", "999")
    assert page.inner_text("output") == "No track fits."
    assert page.locator("h2.section:visible").count() == 0
    page.fill("input[name=size]", "")
    page.fill("input[name=from]", "noon")
    assert page.inner_text("output") == "Write a time as 00:00:00."
    page.fill("input[name=from]", "")
    page.check("#show-all", force=True)
    assert page.inner_text("output") == ""
    assert page.locator("h2.section:visible").count() == 3


def test_a_command_is_copied_with_the_keyboard_alone(page_of):
    page = page_of()
    page.focus("code.copy")
    page.keyboard.press("Enter")
    assert page.locator("code.copy.done").count() == 1
    assert page.evaluate("getSelection().toString()").startswith("facestream clip ")


@pytest.fixture
def opened(browser, tmp_path):
    """Open the report of tracks with these names in one stream."""

    def open_report(names, max_tracks=200, stream="10-00"):
        walks = [(f"who{index}", name, 10.0 * index) for index, name in enumerate(names)]
        path = write_report(write_result(tmp_path / "run", walks, stream), max_tracks)
        page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        page.goto(path.absolute().as_uri())
        return page

    return open_report


@pytest.mark.parametrize("max_tracks", [200, 1], ids=["cards", "rows"])
def test_names_of_any_length_and_script_keep_nothing_out_of_sight(opened, max_tracks):
    page = opened(NAMES, max_tracks)
    page.locator("details > summary").click()
    page.add_style_tag(content="article { content-visibility: visible !important }")
    assert faults_of(page) == {}


def test_on_paper_all_is_open_and_nothing_cut(page_of):
    assert cut_on_paper(page_of()) == []


def test_a_name_that_reorders_text_leaves_its_badge_where_it_is(opened):
    page = opened(["a\u202egnp.exe", "שרה כהן"])
    for title in page.locator("article h3").all():
        name, badge = title.locator("bdi").bounding_box(), title.locator(".badge").bounding_box()
        assert name["x"] + name["width"] <= badge["x"]


def test_what_chooses_tracks_is_not_there_without_a_track(opened):
    page = opened([])
    assert page.inner_text("main") == "No faces were found."
    assert not page.is_visible(".filters")
    assert not page.is_visible(".tools")
