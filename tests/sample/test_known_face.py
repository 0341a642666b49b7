"""The photograph that comes along, and those that do not."""

from __future__ import annotations

import sys

import pytest

from engine.errors import MissingRuntimeError
from engine.sample import people
from engine.sample.known_face import known_face


def test_the_photograph_that_comes_along_is_the_astronaut():
    skimage = pytest.importorskip("skimage.data", reason="the original is scikit-image's")
    picture, original = known_face(), skimage.astronaut()[..., ::-1]
    assert picture.shape == original.shape == (512, 512, 3)
    assert abs(picture.astype(int) - original).mean() < 3, "compressed, and nothing else"


@pytest.mark.parametrize("package", ["insightface.data", "skimage.data"])
def test_the_clip_says_what_its_people_are_in(monkeypatch: pytest.MonkeyPatch, package: str):
    monkeypatch.setitem(sys.modules, package, None)
    people.photographs.cache_clear()
    with pytest.raises(MissingRuntimeError, match=r"pip install 'facestream\[sample\]'"):
        people.photographs()
