"""The nodes of a fleet in a browser."""

from __future__ import annotations

import pytest

from engine.web.fleet import FleetSeen
from tests.web.fleets import camera, fleet, node

pytestmark = pytest.mark.e2e


@pytest.fixture
def opened(open_page, server):
    def now(**seen):
        server.service.fleet = FleetSeen(**{"fleet": fleet(), "age_seconds": 0.4, "node": "box-1"} | seen)
        return open_page("#/nodes")

    return now


def names(page):
    return page.locator(".node h2").all_inner_texts()


def test_what_is_wrong_comes_first(opened):
    page = opened()
    page.locator(".node").nth(3).wait_for()
    assert names(page) == ["box-3", "box-10", "box-1", "box-2"]
    assert page.locator(".node .badge").all_inner_texts() == ["gone", "does not answer", "up", "this one", "up", "drained"]
    unread = page.get_by_role("region", name="Cameras that nobody reads")
    assert unread.locator("tbody tr").all_inner_texts() == [
        "roof\tbox-3\tits node box-3 is away",
        "dock\tnone\tno node has the labels gpu=1",
    ]
    assert page.locator(".figures").inner_text().split() == [
        "2",
        "of",
        "4",
        "nodes",
        "up",
        "18",
        "cameras",
        "2",
        "nobody",
        "reads",
    ]


def test_each_other_node_has_a_link_to_its_own_console(opened):
    page = opened()
    page.locator(".node").nth(3).wait_for()
    links = page.get_by_role("link", name="Its console")
    assert [link.get_attribute("href") for link in links.all()] == [
        f"https://{name}.example.org:8765/" for name in ("box-3", "box-10", "box-2")
    ]


def test_an_address_that_is_no_page_is_no_link(opened):
    page = opened(fleet=fleet(nodes=(node("box-9", about={"console": "javascript:alert(1)"}),), cameras=()))
    page.locator(".node").wait_for()
    assert page.get_by_role("link", name="Its console").count() == 0


def test_a_list_of_cameras_stays_open_while_the_node_changes(opened, server):
    page = opened()
    page.locator(".node summary", has_text="12 cameras").click()
    assert page.get_by_text("gate-11").is_visible()
    nodes = (node("box-1", cameras=13),)
    cameras = tuple(camera(f"gate-{number}", "box-1") for number in range(13))
    server.service.fleet = FleetSeen(fleet=fleet(nodes=nodes, cameras=cameras), node="box-1")
    page.get_by_text("gate-12").wait_for()
    assert names(page) == ["box-1"]


def test_the_age_of_what_is_shown_is_said_while_the_database_is_away(opened):
    page = opened(problem="the database postgresql://db.example.org/facestream: connection refused", age_seconds=312.0)
    page.locator(".node").nth(3).wait_for()
    said = page.locator("main .notice").inner_text()
    assert "connection refused" in said
    assert "What is shown is 5 minutes old; nodes keep their cameras meanwhile." in said


def test_a_database_that_never_answered_leaves_an_explanation(opened):
    page = opened(fleet=None, problem="the database postgresql://db.example.org/facestream: connection refused")
    page.get_by_text("Nothing is known of the fleet yet.").wait_for()
    assert page.locator(".node").count() == 0


def test_too_few_nodes_are_said(opened):
    page = opened(fleet=fleet(quorum=False))
    page.get_by_text("No camera is placed until half of the nodes have been there for 6 s").wait_for()


def test_who_has_no_fleet_has_no_such_page(page):
    assert "Nodes" not in page.locator("#nav").inner_text()
