"""A service without a run, for the tests of its verbs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.service.build import Parts
from tests.rtsp.fixtures import scripted, small_clip
from tests.service.parts import SOURCES, service_in

__all__ = ["scripted", "small_clip"]


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    with service_in(tmp_path, sources=SOURCES) as opened:
        yield opened
