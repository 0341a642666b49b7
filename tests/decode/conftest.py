from __future__ import annotations

import pytest

from tests.decode import watching
from tests.rtsp.clips import Clip, numbered_clip
from tests.rtsp.fixtures import h265_clip

__all__ = ["h265_clip"]


@pytest.fixture(scope="session")
def clip(tmp_path_factory) -> Clip:
    """Two seconds of numbered pictures at 25 fps, H.264, with a key frame each second."""
    return numbered_clip(tmp_path_factory.mktemp("clips") / "numbered.h264")


@pytest.fixture(scope="session")
def small_clip(tmp_path_factory) -> Clip:
    """The same at another size."""
    return numbered_clip(tmp_path_factory.mktemp("clips") / "small.h264", size_px=(160, 128))


@pytest.fixture(autouse=True)
def _stands_still_beside_others(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """How long a decoder may keep its caller waiting is measured where nothing else runs."""
    if request.node.get_closest_marker("alone") is None:
        monkeypatch.setattr(watching, "LONGEST_PAUSE_SECONDS", 10.0)
