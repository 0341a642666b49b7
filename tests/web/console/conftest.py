"""A browser for the tests of this folder, a service and a page for each test; a page may not complain in its console."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.patience import PATIENCE_SECONDS
from tests.web.console.browser import chromium
from tests.web.console.fake_server import FakeServer

SIGNED_OUT = "the server responded with a status of 401"
"""Chromium complains of this itself when the page asks whether somebody is signed in."""
HEARS = "() => !document.querySelector('.pulse').textContent.startsWith('Connecting')"
"""The status is there, which is the first event: what the server tells before somebody listens is lost."""


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    """While it is there, an event loop runs in this thread and no other test can have one: it goes with this folder's last."""
    with chromium("--enable-precise-memory-info") as started:
        yield started


@pytest.fixture
def server() -> Iterator[FakeServer]:
    started = FakeServer()
    yield started
    started.close()


@pytest.fixture
def complaints() -> list[str]:
    """What pages said in their consoles; a test that expects something takes it out."""
    return []


@pytest.fixture
def open_page(browser: Any, server: FakeServer, complaints: list[str]) -> Iterator[Callable[..., Any]]:
    contexts = []

    def opened(address: str = "", token: str = "all", **options: Any) -> Any:
        context = browser.new_context(viewport=options.pop("viewport", {"width": 1280, "height": 800}), **options)
        contexts.append(context)
        context.set_default_timeout(1000 * PATIENCE_SECONDS)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        if token:
            context.request.post(f"{server.url}/api/v1/session", data={"token": token})
        page.goto(f"{server.url}/{address}")
        page.wait_for_selector("body.in" if token else ".signin")
        if token:
            page.wait_for_function(HEARS)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [text for text in complaints if SIGNED_OUT not in text] == []


@pytest.fixture
def page(open_page: Callable[..., Any]) -> Any:
    return open_page()
