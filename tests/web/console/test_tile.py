"""One stream on the wall."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize(("width", "height"), [(640, 480), (768, 432), (480, 640)])
def test_a_picture_of_any_form_leaves_the_tile_as_high(page, server, width, height):
    """One of a tall form made all tiles of its row higher, with a hole in them."""
    server.service.add_stream("gate")
    server.service.tick()
    page.locator(".tile canvas").wait_for()
    page.evaluate("size => Object.assign(document.querySelector('.tile canvas'), size)", {"width": width, "height": height})
    box = page.locator(".tile .screen").bounding_box()
    assert box["width"] / box["height"] == pytest.approx(16 / 9, abs=0.01)
