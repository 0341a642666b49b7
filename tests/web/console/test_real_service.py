"""The whole product, in a browser: a real camera, service, web process and console."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.live_run import make_clip
from tests.patience import PATIENCE_SECONDS
from tests.rtsp.fixtures import StartGst, gst
from tests.web.console.real_service import RealService

pytest.importorskip("starlette", reason="needs the extra `serve`")
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
__all__ = ["gst"]


@pytest.fixture
def watched(browser: Any) -> Any:
    """A page that remembers what went wrong in it, and what was refused."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(1000 * PATIENCE_SECONDS)
    page = context.new_page()
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on("console", lambda said: page.faults.append(said.text) if "Content Security Policy" in said.text else None)
    yield page
    context.close()


def test_a_camera_is_added_a_face_comes_is_enrolled_and_found_and_the_camera_is_lost_and_comes_back(
    browser: Any, gst: StartGst, watched: Any, tmp_path: Path
):
    clip, options = make_clip(tmp_path)
    detect = {"detector": options[1]} if "--detector" in options else {"every": int(options[1])}
    server = gst({"cam": clip}, shared=True)
    live = {"adapt": False, "budget_ms": 20_000}  # a busy machine is slow, and gives the same
    sections = {"detect": detect, "verify": {"gallery": str(tmp_path / "gallery.sqlite")}, "live": live}
    with RealService(tmp_path, **sections) as service:
        page = watched
        page.goto(service.link())
        page.locator("body.in").wait_for()
        page.get_by_role("button", name="Add a stream").first.click()
        page.get_by_label("Address", exact=True).fill(server.url("cam"))
        page.get_by_label("Name", exact=True).fill("entrance")
        page.get_by_role("button", name="Add", exact=True).click()
        page.locator('.tile[data-name="entrance"][data-state="live"]').wait_for()
        page.locator(".face .enhanced .mark").first.wait_for()
        page.wait_for_function("() => document.querySelector('.tile canvas').width > 100")

        page.locator(".face").get_by_role("link", name="Open the track").first.click()
        page.locator(".big .pair img").first.wait_for()
        page.get_by_role("button", name="Give a name").click()
        page.get_by_label("Name", exact=True).fill("Somebody")
        page.get_by_role("button", name="Enrol", exact=True).click()
        page.locator("dialog .verdict .badge").wait_for()
        page.keyboard.press("Escape")

        server.stop()
        page.get_by_role("link", name="Live", exact=True).click()
        page.locator('.tile[data-name="entrance"]:not([data-state="live"]) .reason:not(:empty)').wait_for()
        server.start()
        page.locator('.tile[data-name="entrance"][data-state="live"]').wait_for()
        page.get_by_role("link", name="Timeline", exact=True).click()
        page.locator(".track").first.wait_for()
        assert page.faults == []
