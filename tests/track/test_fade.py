"""A dissolve is seen half way; what light, the camera and people do is none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from engine.contracts.frames import Uint8
from engine.track.fade import FadeWatch
from engine.track.scene_cut import SceneCuts
from engine.track.small_picture import detail_of
from tests.assets import shared
from tests.real_footage import frames
from tests.track.test_scene_cut import moved, noisy, scene


def fading(pictures: Sequence[Uint8]) -> list[int]:
    watch = FadeWatch()
    return [index for index, picture in enumerate(pictures) if watch.is_fading(detail_of(picture))]


def dissolve(one: int, other: int, length: int) -> list[Uint8]:
    """Ten frames of a scene, a fade, and ten of another one."""
    shares = np.clip((np.arange(20 + length) - 9) / (length + 1), 0, 1)
    return [noisy((scene(one) * (1 - share) + scene(other) * share).astype(np.uint8), 2, at) for at, share in enumerate(shares)]


@pytest.mark.parametrize("length", [8, 12])
def test_a_dissolve_is_seen_from_about_its_middle_on(length: int):
    seen = 0
    for seed in range(8):
        if where := fading(dissolve(seed, seed + 50, length)):
            seen += 1
            assert 10 + 0.25 * length <= where[0] <= 10 + 0.9 * length
            assert where[-1] <= 10 + length
            assert where == list(range(where[0], where[-1] + 1))
    assert seen >= 7


def test_it_is_one_cut():
    look = SceneCuts()
    told = [(look.is_cut(picture), look.is_fading) for picture in dissolve(1, 2, 12)]
    cuts = [at for at, (is_cut, _) in enumerate(told) if is_cut]
    assert len(cuts) == 1
    assert told[cuts[0]][1]
    assert not told[-1][1]


@pytest.mark.parametrize(
    "change",
    [
        lambda picture, at: moved(picture, right=-0.002 * at),
        lambda picture, at: moved(picture, right=-0.01 * at),
        lambda picture, at: moved(picture, zoom=1 + 0.01 * at),
        lambda picture, at: (picture * (1 - 0.03 * at)).astype(np.uint8),
        lambda picture, at: (255 * (picture / 255.0) ** (1 + 0.05 * at)).astype(np.uint8),
        lambda picture, at: np.where(np.arange(320) < 8 * at, 90, picture).astype(np.uint8),
    ],
    ids=["slow pan", "pan", "zoom", "lamp", "exposure", "somebody walks by"],
)
def test_what_goes_on_evenly_without_another_scene_is_no_fade(change):
    for seed in range(6):
        assert fading([noisy(change(scene(seed), at), 2, at) for at in range(25)]) == []


@pytest.mark.parametrize("clip", ["asl_again.mkv", "asl_help.mkv", "one-by-one-person-detection.mp4"])
def test_no_fade_in_footage_without_one(clip: str):
    assert fading([planes.y for _, planes in frames(shared(f"video/{clip}"), last=120)]) == []
