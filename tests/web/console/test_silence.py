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
