"""Everybody can use it: names, contrast, size, order of focus, keys; in both themes, wide and on a phone."""

from __future__ import annotations

import pytest

from engine.contracts.findings import Candidate
from engine.web.fleet import FleetSeen
from tests.access import NAMES, faults_of
from tests.web.console import fake_pictures
from tests.web.fleets import fleet

pytestmark = pytest.mark.e2e
VIEWS = {
    "live": ".tile",
    "timeline": ".track",
    "people": ".person",
    "person/Anna": ".track",
    "search": ".drop",
    "health": ".parts table",
    "nodes": ".node:nth-child(4)",
    "why/gate": ".funnel",
    "track/run-1/gate/1": ".big",
    "track/run-1/gate/999": ".notice",
}
DIALOGS = [
    ("live", "Add a stream"), ("live", "Change gate"), ("live", "Remove gate"), ("people", "Enrol somebody"),
    ("person/Anna", "Rename"), ("health", "Settings"), ("health", "Stop the service"),
]  # fmt: skip
"""View, and button of it that opens one."""
NAMED = [Candidate("Anna", 0.94, 0.95, false_name_chance=0.0002), Candidate("Omar", 0.7, 0.7, false_name_chance=0.2)]


def furnish(service) -> None:
    """Fill the service with one of everything."""
    for name, facts in {
        "gate": {},
        "yard": {"state": "stalled", "reason": "timeout"},
        "dock": {"state": "paused", "paused": True},
        "lift": {"state": "connecting"},
    }.items():
        service.add_stream(name, **facts)
    service.note("camera_stalled", "warning", stream="yard")
    service.note("worker_died", "error", stream="yard")
    service.fleet = FleetSeen(fleet=fleet(), problem="the database is away", age_seconds=9.0, node="box-1")
    service.enrol("Anna", "a.jpg", fake_pictures.enhanced(0, 72))
    service.set_apart("Anna", "b.jpg", "looks like Bob (cosine 0.94)", fake_pictures.enhanced(1, 72))
    for track, decision in enumerate(("known", "known", "unknown", "undecided", "none"), 1):
        candidates = [] if decision == "none" else NAMED
        face = service.face("gate", track, track, candidates=candidates, decision=decision, sharpness=0.2)
        service.track(face, decision, candidates)


def test_nothing_keeps_anybody_out(open_page, server, complaints):
    furnish(server.service)
    page = open_page()
    faults = {}
    for view, there in VIEWS.items():
        page.goto(f"{server.url}/#/{view}")
        page.locator(there).first.wait_for()
        if view == "live":
            furnish(server.service)
            server.service.tick()
            page.locator(".face").nth(4).wait_for()
            for summary in page.locator(".face summary").all():
                summary.click()
        faults[view] = faults_of(page)
    for view, button in DIALOGS:
        page.goto(f"{server.url}/#/{view}")
        page.get_by_role("button", name=button, exact=True).first.click()
        page.locator("dialog[open]").wait_for()
        page.evaluate("document.querySelectorAll('dialog details').forEach((one) => { one.open = true; })")
        faults[button] = faults_of(page)
        page.keyboard.press("Escape")
        page.locator("dialog").wait_for(state="detached")
    assert {view: found for view, found in faults.items() if found} == {}
    complaints[:] = [one for one in complaints if "404" not in one]  # of the track that is not there


def test_on_paper_an_enhanced_picture_stays_marked_and_the_page_is_light(open_page, server):
    """Printed were neither the grounds of marks, whose letters are white, nor the end of the log."""
    page = open_page(color_scheme="dark")
    furnish(server.service)
    page.locator(".face .mark").first.wait_for()
    page.emulate_media(media="print", color_scheme="dark")
    style = "(one, name) => getComputedStyle(one)[name]"
    assert page.locator(".mark").first.evaluate(style, "printColorAdjust") == "exact"
    assert page.locator("h1").first.evaluate(style, "color") == "rgb(22, 25, 29)"
    assert [one for one in page.locator("button, .bar nav").all() if one.is_visible()] == []


def test_names_of_any_length_and_script_keep_nothing_out_of_sight(open_page, server):
    service = server.service
    stream = "yard-" + "long-" * 11
    service.add_stream(stream)
    page = open_page()
    for track, name in enumerate(NAMES):
        service.enrol(name, "a.jpg", fake_pictures.enhanced(0, 72))
        candidates = [Candidate(name, 0.94, 0.95, false_name_chance=0.0002), Candidate(NAMES[track - 1], 0.7, 0.7)]
        face = service.face(stream, track, track % 6, candidates=candidates, decision="known")
        service.track(face, "known", candidates)
    faults = {}
    views = {"live": ".face", "timeline": ".track", "people": ".person", f"track/run-1/{stream}/0": ".big"}
    for view, there in views.items():
        page.goto(f"{server.url}/#/{view}")
        page.locator(there).first.wait_for()
        faults[view] = faults_of(page)
    assert {view: found for view, found in faults.items() if found} == {}


def test_a_camera_in_trouble_is_said_before_the_load(page, server):
    server.service.add_stream("gate", "stalled", reason="timeout")
    server.service.overload_level = 3
    server.service.tick()
    page.wait_for_function("() => document.querySelector('.pulse').textContent === '1 in trouble'")
    server.service.change("gate", state="live")
    server.service.tick()
    page.wait_for_function("() => document.querySelector('.pulse').textContent === 'Overloaded'")


def test_the_theme_is_switched_and_remembered(open_page, server):
    page = open_page(color_scheme="light")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    switch = page.get_by_label("Theme")
    assert switch.locator("option:checked").inner_text() == "Theme: system"
    switch.select_option("dark")
    dark = page.evaluate(paper)
    assert light != dark
    page.reload()
    page.wait_for_selector("body.in")
    assert page.evaluate(paper) == dark
    assert switch.input_value() == "dark"


def test_tab_goes_through_the_page_in_its_order_and_shows_where_it_is(page, server):
    server.service.add_stream("gate")
    server.service.tick()
    page.locator(".tile").wait_for()
    page.evaluate("document.activeElement.blur()")
    visited = []
    for _ in range(40):
        page.keyboard.press("Tab")
        here = page.evaluate(
            """() => {
                const node = document.activeElement, all = [...document.querySelectorAll('*')], style = getComputedStyle(node);
                return [all.indexOf(node), node.tagName, node.textContent.trim() || node.getAttribute('aria-label'),
                    style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2];
            }"""
        )
        if here[1] == "BODY":
            break
        visited.append(here)
    places = [place for place, *_ in visited]
    names = [name for _, _, name, _ in visited]
    assert places == sorted(places)
    assert all(shown for *_, shown in visited)
    assert names[0] == "Skip to the content"
    assert {"Live", "Health", "Sign out", "Add a stream", "Why no face?", "Pause", "Change", "Remove"} <= set(names)


def test_a_dialog_holds_the_focus_and_gives_it_back(page):
    button = page.get_by_role("button", name="Add a stream").first
    button.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.name") == "uri"
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('dialog') !== null || document.activeElement === document.body")
    page.keyboard.press("Escape")
    page.locator("dialog").wait_for(state="detached")
    assert page.evaluate("document.activeElement.textContent") == "Add a stream"


def test_an_error_is_said_in_the_dialog_and_can_be_closed_there(page):
    """Outside a modal dialog it would be dark, unread and out of reach."""
    page.get_by_role("button", name="Add a stream").first.click()
    page.get_by_label("Address").fill("rtsp://127.0.0.1/door")
    page.evaluate("import('/console/ui.js').then((ui) => ui.toast('Not here.'))")
    page.get_by_role("dialog").get_by_text("Not here.").wait_for()
    page.get_by_role("button", name="Close this note").click()
    page.get_by_text("Not here.").wait_for(state="detached")
    page.keyboard.press("Escape")
    page.locator("dialog").wait_for(state="detached")
    page.evaluate("import('/console/ui.js').then((ui) => ui.toast('Here.'))")
    page.get_by_text("Here.").wait_for()


def test_the_keys_walk_through_the_tracks(open_page, server):
    hour = 3600 * 10**9
    now = 1_800_000_000 * 10**9
    for track in range(6):
        face = server.service.face("gate", track, at_ns=now - (5 - track) * hour // 2)
        server.service.track(face, "unknown", [])
    page = open_page("#/timeline")
    page.locator("select[name=hours]").select_option("")
    page.locator(".track").nth(5).wait_for()
    page.locator(".track").first.focus()
    at = "[...document.querySelectorAll('.track')].indexOf(document.activeElement)"
    hours = page.evaluate("[...document.querySelectorAll('.track')].map((one) => one.dataset.hour)")
    found = {}
    for keys in ("ArrowDown", "End", "ArrowDown", "Home", "PageDown", "PageUp"):
        page.keyboard.press(keys)
        found[keys] = page.evaluate(at) if keys not in found else found[keys]
    assert found == {
        "ArrowDown": 1,
        "End": 5,
        "Home": 0,
        "PageDown": next(i for i in range(6) if hours[i] != hours[0]),
        "PageUp": 0,
    }
    page.keyboard.press("Enter")
    page.locator(".big").wait_for()
    assert page.evaluate("location.hash") == "#/track/run-1/gate/5"


def test_fingers_have_room(open_page, server):
    furnish(server.service)
    page = open_page(is_mobile=True, has_touch=True, viewport={"width": 390, "height": 844})
    page.locator(".tile button").first.wait_for()
    targets = page.locator("main :is(button, .button, select, input):visible").all()
    assert min(one.bounding_box()["height"] for one in targets) >= 40
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    nav = page.locator("#nav")
    assert nav.evaluate("(node) => node.scrollWidth") <= nav.bounding_box()["width"], "no view is out of sight"


def test_times_have_their_zone(open_page, server):
    furnish(server.service)
    page = open_page("#/timeline", timezone_id="Asia/Kolkata")
    page.locator("select[name=hours]").select_option("")
    page.get_by_label("From (GMT+5:30)").wait_for()
    page.locator(".track").first.click()
    assert "GMT+5:30 (" in page.locator(".big").locator("xpath=..").locator("p.where").inner_text()


def test_one_of_something_is_not_several(open_page, server):
    server.service.add_stream("gate")
    page = open_page("#/health")
    server.service.tick()
    page.locator(".figures div", has_text="stream").wait_for()
    assert page.locator(".figures div", has_text="stream").inner_text().split() == ["1", "stream"]
