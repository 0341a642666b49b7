"""A real Chromium for the tests of the console."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

ARGUMENTS = ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--disable-dev-shm-usage"]
"""A camera of Chromium's own that shows a test picture; as root there is no sandbox."""


@contextmanager
def chromium(*more: str) -> Iterator[object]:
    """Yield a browser of playwright's, driven over the system's Chromium; skip with a reason where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs the package playwright (of the development extras)")
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        (pytest.fail if os.environ.get("FAIL_WITHOUT_CHROMIUM") else pytest.skip)("needs Chromium (Debian's package chromium)")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=[*ARGUMENTS, *more])
        try:
            yield browser
        finally:
            browser.close()
