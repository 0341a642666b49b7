"""Fixtures of clips and servers; a ``conftest.py`` imports those that its tests use.

``small_clip``, ``large_clip``, ``h265_clip`` and ``mjpeg_clip`` are numbered clips, made once a session. ``scripted``,
``gst`` and ``http`` start a server with the arguments of its class, and stop it after the test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.rtsp.clips import Clip, numbered_clip
from tests.rtsp.http_server import HttpServer
from tests.rtsp.scripted import ScriptedServer
from tests.rtsp.server import GstServer

StartScripted = Callable[..., ScriptedServer]
StartGst = Callable[..., GstServer]
StartHttp = Callable[..., HttpServer]


@pytest.fixture(scope="session")
def small_clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """50 frames, 320x240 at 25 a second, H.264."""
    return numbered_clip(tmp_path_factory.mktemp("clips") / "small.h264")


@pytest.fixture(scope="session")
def large_clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """50 frames, 640x480 at 25 a second, H.264."""
    return numbered_clip(tmp_path_factory.mktemp("clips") / "large.h264", size_px=(640, 480))


@pytest.fixture(scope="session")
def h265_clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """50 frames, 320x240 at 25 a second, H.265."""
    return numbered_clip(tmp_path_factory.mktemp("clips") / "small.h265", "h265")


@pytest.fixture(scope="session")
def mjpeg_clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """50 frames, 320x240 at 25 a second, JPEG; for ``gst`` only."""
    return numbered_clip(tmp_path_factory.mktemp("clips") / "small.mjpeg", "mjpeg")


@pytest.fixture
def scripted() -> Iterator[StartScripted]:
    """Start scripted RTSP servers: ``scripted(clip, Behaviour(...), limit=..., hold_seconds=...)``."""
    with ExitStack() as running:
        yield lambda *arguments, **options: running.enter_context(ScriptedServer(*arguments, **options))


@pytest.fixture
def gst() -> Iterator[StartGst]:
    """Start real RTSP servers: ``gst({"cam": clip}, user=..., password=...)``; skips the test where none is installed."""
    with ExitStack() as running:
        yield lambda *arguments, **options: running.enter_context(GstServer(*arguments, **options))


@pytest.fixture
def http() -> Iterator[StartHttp]:
    """Start HTTP servers: ``http(clip, HttpBehaviour(...))``."""
    with ExitStack() as running:
        yield lambda *arguments, **options: running.enter_context(HttpServer(*arguments, **options))
