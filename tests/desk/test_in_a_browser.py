"""The pages of search, compare and people in Chromium: nothing in them keeps anybody out."""

from __future__ import annotations

import re

import cv2
import pytest

from engine.contracts.findings import Quality
from engine.desk.compare_page import write_comparison
from engine.desk.compared import compare, track_side
from engine.desk.corrected import Desk
from engine.desk.hits import search
from engine.desk.hits_page import write_hits
from engine.desk.likeness import Likeness
from engine.desk.page import track_pictures
from engine.desk.people import people_of
from engine.desk.people_page import write_people
from engine.desk.photograph import Photographed
from engine.desk.stored import read_result
from tests.access import NAMES, cut_on_paper, faults_of
from tests.desk.results import DLIB, person_vector, write_result
from tests.publish.samples import pictures
from tests.web.console.browser import chromium

WALKS = [("ann", "", 0.0), ("bea", "", 10.0), ("cid", "Cid", 20.0), ("ann", "", 30.0)]


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module", params=["plain", "awkward"])
def pages(tmp_path_factory, request):
    """One page of each kind, by its name; of plain names, and of long ones, of other scripts, and of markup."""
    folder, walks = tmp_path_factory.mktemp("desk"), WALKS
    if request.param == "awkward":
        walks = [*WALKS, *((f"who{index}", name, 100.0 + 10 * index) for index, name in enumerate(NAMES))]
    result, likeness = read_result(write_result(folder / "a result with a long name", walks)), Likeness(DLIB)
    jpeg = cv2.imencode(".jpg", pictures()[0])[1].tobytes()
    photograph = Photographed("ada.jpg", person_vector("ann", 1), Quality(90, 0.8, 0.9, 0.7), jpeg, ["turned by 90°."])
    found = search(photograph.vector, 90.0, [result], likeness, 4)
    write_hits(folder / "search.html", photograph, found, ["one notice"], {})
    sides = [track_side(track, track.vector, track_pictures(track)) for track in result.tracks[:2]]
    write_comparison(folder / "compare.html", compare(*sides, likeness), [])
    said = Desk([result], people_of([result]), "me", "the same coat", None).name("yard/2", "Bea Arthur")
    people = people_of([result], [said])
    write_people(folder / "people.html", people, people.persons, ["a result with a long name"], ["one notice"], ["1 stranger"])
    return {path.stem: path for path in folder.glob("*.html")}


@pytest.mark.parametrize("name", ["search", "compare", "people"])
def test_nothing_keeps_anybody_out(browser, pages, name):
    page = browser.new_context().new_page()
    page.goto(pages[name].as_uri())
    page.add_style_tag(content="article { content-visibility: visible !important }")
    for summary in page.locator("summary").all():
        summary.click()
    assert faults_of(page) == {}
    assert cut_on_paper(page) == []


def test_original_and_enhanced_stand_side_by_side(browser, pages):
    page = browser.new_context(viewport={"width": 360, "height": 800}).new_page()
    page.goto(pages["compare"].as_uri())
    for media in ("screen", "print"):
        page.emulate_media(media=media)
        places = [one.bounding_box() for one in page.locator("article >> nth=0").locator("figure").all()]
        assert len(places) == 2
        assert places[0]["y"] == places[1]["y"]


def test_what_can_be_shown_stands_in_the_measure_of_the_ratio_and_an_id_stands_once(browser, pages):
    page = browser.new_context().new_page()
    page.goto(pages["compare"].as_uri())
    assert re.search(r"that can be shown\n1/[\d.,]+ to [\d,]+\n", page.inner_text("dl >> nth=0"))
    page.goto(pages["people"].as_uri())
    for stranger in page.locator("article:not(.named)").all():
        said = stranger.locator("h3").text_content().strip()
        assert stranger.locator("p.soft").first.text_content().count(said) == 0
