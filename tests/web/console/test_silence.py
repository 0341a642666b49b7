"""A server that hangs closes nothing: the page notices that it says nothing any more."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.e2e


def test_a_service_that_falls_silent_is_said_within_ten_seconds_and_found_again(page, server):
    """Its connection stays open: the page said that all was well for as long as nobody closed it."""
    says = "(words) => document.querySelector('.pulse').textContent === words"
    page.clock.install()
    page.reload()
    page.wait_for_function(says, arg="All well")
    server.tells_status = False
    page.clock.fast_forward(10_000)
    page.wait_for_function(says, arg="The service cannot be reached")
    server.tells_status = True
    page.wait_for_function(says, arg="All well")


def test_a_tile_does_not_say_that_its_stream_is_live_while_nobody_knows(page, server, tmp_path):
    """The bar said that the service cannot be reached, and each tile below it that its stream was live."""
    badge = "(words) => document.querySelector('.tile .badge')?.textContent === words"
    server.service.add_stream("gate")
    page.clock.install()
    page.reload()
    page.wait_for_function(badge, arg="live")
    server.tells_status = False
    page.clock.fast_forward(10_000)
    page.wait_for_function(badge, arg="not known")
    assert page.locator(".tile .veil").text_content() == "not known"
    assert "what is shown is old" in page.locator(".tile .reason").text_content()
    page.screenshot(path=tmp_path / "lost.png")
    page.evaluate("() => { location.hash = '#/health'; }")
    page.wait_for_function("() => document.querySelector('.notice')?.textContent.includes('what is shown is old')")
    page.evaluate("() => { location.hash = '#/live'; }")
    server.tells_status = True
    page.wait_for_function(badge, arg="live")
