from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.config import Config, CropConfig, OutputConfig, PublishConfig
from engine.contracts.findings import Quality
from engine.contracts.frames import Planes
from engine.crop.scene import LONGEST_PX, are_wanted, reduced
from engine.crop.selector import CLEARLY_BETTER, Selector
from tests.crop.photographs import frame_of
from tests.crop.test_selector import PLANES, face


@pytest.fixture(autouse=True)
def _rated_by_the_detector(monkeypatch):
    def assess(planes, box, landmarks, score, *, damaged):
        return Quality(size_px=50.0, sharpness=1.0, frontal=1.0, score=score)

    monkeypatch.setattr("engine.crop.selector.assess", assess)


walks = st.lists(st.integers(0, 100).map(lambda value: value / 100), min_size=1, max_size=20)


@pytest.mark.parametrize("policy", ["interval", "prompt", "every", "best"])
@settings(max_examples=15, deadline=None)
@given(walk=walks)
def test_faces_that_are_clearly_better_have_the_whole_picture_with_them(policy, walk):
    selector = Selector(CropConfig(policy=policy, interval_seconds=1.0, top_k=3), scenes=True)
    crops = [
        crop
        for index, score in enumerate(walk)
        for crop in selector.offer(frame_of(PLANES, index, index / 4), [face(1, score)])
    ]
    crops += selector.drain()
    shown = [crop.quality.score for crop in crops if crop.scene is not None]
    assert shown
    assert all(now > before * CLEARLY_BETTER for before, now in pairwise(shown))
    assert max(crop.quality.score for crop in crops) <= max(shown) * CLEARLY_BETTER
    assert len(shown) == 1 or policy != "best"


def test_a_scene_outlives_its_frame_and_is_shared_by_the_faces_of_it():
    planes = Planes(PLANES.y.copy(), PLANES.u.copy(), PLANES.v.copy())
    selector = Selector(CropConfig(policy="every"), scenes=True)
    one, other = selector.offer(frame_of(planes, 0, 0.0), [face(1, 0.5), face(2, 0.5)])
    planes.y[:] = 0
    np.testing.assert_array_equal(one.scene.y, PLANES.y)
    assert one.scene is other.scene
    [later] = selector.offer(frame_of(planes, 1, 0.1), [face(3, 0.5)])
    assert later.scene.y.max() == 0


def test_nobody_asked_for_scenes():
    assert all(
        crop.scene is None for crop in Selector(CropConfig(policy="every")).offer(frame_of(PLANES, 0, 0.0), [face(1, 0.5)])
    )


@pytest.mark.parametrize(
    ("size", "becomes"),
    [((1920, 1080), (960, 540)), ((1280, 720), (960, 540)), ((1080, 1920), (540, 960)), ((641, 479), (641, 479))],
)
def test_the_longer_side_is_bounded(size, becomes):
    width, height = size
    chroma = np.zeros(((height + 1) // 2, (width + 1) // 2), np.uint8)
    ramp = np.broadcast_to(np.linspace(0, 255, width).astype(np.uint8), (height, width)).copy()
    small = reduced(Planes(ramp, chroma, chroma, "bt709"), LONGEST_PX, copy=True)
    assert ((small.width_px, small.height_px), small.matrix) == (becomes, "bt709")
    np.testing.assert_allclose(small.y[0], np.linspace(0, 255, becomes[0]), atol=2)
    assert not np.shares_memory(small.y, ramp)


@pytest.mark.parametrize(
    ("wanted", "output", "publish"),
    [
        (True, {"directory": "out"}, {}),
        (False, {"directory": "out", "scenes": False}, {}),
        (False, {}, {}),
        (True, {}, {"parts": ("original", "scene")}),
        (False, {"directory": "out"}, {"redact": "blur", "parts": ("scene",)}),
        (False, {"directory": "out"}, {"redact": "vectors"}),
    ],
)
def test_scenes_are_made_where_somebody_gets_them_and_no_face_is_hidden(wanted, output, publish):
    assert are_wanted(Config(output=OutputConfig(**output), publish=PublishConfig(**publish))) is wanted
