"""However much arrives, the page holds no more than it shows."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.e2e
STREAMS = 60
ELEMENTS = "() => document.querySelectorAll('*').length"
SETTLED = """() => {
    const before = window.elements;
    window.elements = document.querySelectorAll('*').length;
    return window.elements === before;
}"""
"""As many elements as when it was asked last: tiles are filled when they come into view."""
HELD = """async () => {
    const { state } = await import('/console/store.js');
    return [state.streams.size, state.previews.size, state.faces.size, state.events.size];
}"""


def tell(server, page, first: int, count: int) -> None:
    """Tell of so many tracks, with a status after each tenth; wait until the last is shown."""
    service = server.service
    for track in range(first, first + count):
        service.track(service.face(f"camera-{track % STREAMS}", track, track % 6), "unknown", [])
        service.note("something_happened", stream=f"camera-{track % STREAMS}")
        if track % 10 == 0:
            service.tick()
    service.tick()
    page.get_by_text(f"track {first + count - 1} ·").wait_for()


def test_nothing_grows_with_what_arrives(page, server):
    for number in range(STREAMS):
        server.service.add_stream(f"camera-{number}")
    server.service.tick()
    page.locator(".tile").nth(STREAMS - 1).wait_for(state="attached")
    tell(server, page, 0, 100)
    page.locator(".tile canvas").first.wait_for(state="attached")
    page.wait_for_function(SETTLED, polling=500)
    before = page.evaluate(ELEMENTS)
    tell(server, page, 100, 400)
    assert page.evaluate(ELEMENTS) <= 1.05 * before
    assert page.locator(".face").count() == 30
    streams, previews, faces, events = page.evaluate(HELD)
    assert (streams, faces) == (STREAMS, 30)
    assert previews <= STREAMS
    assert events <= 200


def test_a_camera_that_is_away_fills_no_log(page, server):
    """Each of its attempts was a line, until nothing else was left of the log."""
    service = server.service
    for _ in range(3):
        for stream in ("gate", "yard"):
            service.note("stream", "warning", stream=stream, state="connecting", reason="network")
        service.tick()
    service.note("stream", stream="gate", state="live")
    service.note("stream", "warning", stream="gate", state="connecting", reason="network")
    service.tick()
    page.goto(f"{server.url}/#/health")
    page.locator(".log tr").nth(4).wait_for()
    lines = [line.split("\t")[2:] for line in page.locator(".log tbody tr").all_inner_texts()]
    away = "state connecting, reason network"
    assert lines == [
        ["stream", f"stream gate, {away}"],
        ["stream", "stream gate, state live"],
        ["stream, 3 times", f"stream yard, {away}"],
        ["stream, 3 times", f"stream gate, {away}"],
    ]


def test_a_stream_that_is_removed_leaves_nothing(page, server):
    for number in range(STREAMS):
        server.service.add_stream(f"camera-{number}")
    server.service.tick()
    page.locator(".tile").nth(STREAMS - 1).wait_for(state="attached")
    server.service.streams.clear()
    server.service.tick()
    page.get_by_text("No stream yet").wait_for()
    assert page.locator(".tile").count() == 0
    assert page.evaluate(HELD)[:2] == [0, 0]


def test_tiles_that_nobody_sees_are_empty_and_are_filled_when_they_come_into_view(page, server):
    for number in range(STREAMS):
        server.service.add_stream(f"camera-{number:02}")
    server.service.tick()
    last = page.locator(".tile").nth(STREAMS - 1)
    last.wait_for(state="attached")
    assert page.locator(".tile canvas").count() < STREAMS / 2
    assert last.locator("canvas").count() == 0
    last.scroll_into_view_if_needed()
    last.locator("canvas").wait_for()
    last.get_by_role("button", name=f"Pause camera-{STREAMS - 1:02}").wait_for()
