"""The console, open in a real Chromium for as long as a bench lasts, and what its page holds."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from typing import Any

from tests.web.console.browser import chromium
from tests.web.console.measure import sizes

_VIEWS = ("Timeline", "Health", "Live")


class OpenConsole:
    """One page on the wall of streams; between two looks at its memory it shows each of several views once.

    Args:
        url: of the service.
        token: lets it in.
    """

    def __init__(self, url: str, token: str) -> None:
        self._stack = ExitStack()
        browser: Any = self._stack.enter_context(chromium("--js-flags=--expose-gc"))
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        context.set_default_timeout(120_000)
        answer = context.request.post(f"{url}/api/v1/session", data={"token": token}, headers={"Origin": url})
        assert answer.status == 200, answer.text()
        self.faults: list[str] = []
        self.page = context.new_page()
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.goto(url)
        self.page.locator("body.in").wait_for()

    def look(self) -> dict[str, float]:
        """Return heap in MB, nodes and listeners after a forced garbage collection, back on the wall."""
        for name in _VIEWS:
            with suppress(Exception):  # a dialog that covers the link is seen in the sizes
                self.page.get_by_role("link", name=name, exact=True).first.click()
        self.page.locator(".tile").first.wait_for()
        return sizes(self.page)

    def close(self) -> None:
        self._stack.close()
