"""What is said of faces of a size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.probe.advice import advice


@pytest.mark.parametrize(
    ("sizes", "height", "verdict", "says"),
    [
        ([14.0], 360, "too_small", "faces are usually 14 px: too small to recognise (30 px): use the main stream"),
        ([14.0], 2160, "too_small", "bring the camera nearer"),
        ([29.9], 480, "too_small", "faces are usually 29.9 px: too small to recognise (30.0 px): use the main stream"),
        ([47.6], 480, "small", "faces are usually 47.6 px: enough to find people again, little for names (48.0 px)"),
        ([36.0], 480, "small", "little for names"),
        ([60.0], 480, "good", "good: faces are usually 60 px"),
        ([10.0, 60.0, 61.0], 480, "good", "good: faces are usually 60 px"),
        ([], 480, "no_face", "no face was seen in 5 s"),
        ([], 8, "too_small", "its pictures have 640x8 px: no face that could be recognised (30 px) fits into them"),
    ],
)
def test_the_sentence_says_the_size_and_what_to_do(sizes, height, verdict, says):
    said, words = advice(sizes, 640, height, 5.0)
    assert said == verdict
    assert says in words


@given(st.lists(st.floats(1, 500), min_size=1), st.integers(100, 4000))
def test_larger_faces_never_get_a_worse_verdict(sizes, height):
    order = ["too_small", "small", "good"]
    before, after = (advice([size * factor for size in sizes], 640, height, 5.0)[0] for factor in (1.0, 1.5))
    assert order.index(after) >= order.index(before)
