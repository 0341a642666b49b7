"""What comes of a picture does not depend on what is computed beside it, or by how many threads: on a CPU all that is stored
and compared is the same to the last bit, whichever faces and frames happen to come at the same time."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import cache
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from insightface.data import get_image

from engine.config import DetectConfig, SuperResolveConfig
from engine.config.verify import VerifyConfig
from engine.contracts.manifest import read_manifest
from engine.detect.judged import open_judged
from engine.models import find_model
from engine.models.catalog import embedded_manifests
from engine.pictures.colour import planes_from_bgr
from engine.super_resolve.generator import Generator, open_generator
from engine.verify.embedder import open_embedder

GENERATORS = [path.stem for path in embedded_manifests() if read_manifest(path).kind == "generator"]
SIZES = ((8, 8), (16, 13), (21, 28))
"""Height and width of faces."""
KINDS = ("photograph", "noise", "black and white", "white")
pictures = st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from(SIZES), st.integers(0, 3)), min_size=1, max_size=6)


@cache
def picture(kind: str, size: tuple[int, int], number: int) -> np.ndarray:
    """Return (height, width, 3) uint8."""
    rng, shape = np.random.default_rng(number), (*size, 3)
    match kind:
        case "photograph":
            top, left = (100, 180, 300, 60)[number], (100, 220, 330, 500)[number]
            return cv2.resize(get_image("t1")[top : top + 120, left : left + 100], size[::-1], interpolation=cv2.INTER_AREA)
        case "noise":
            return rng.integers(0, 256, shape).astype(np.uint8)
        case "black and white":
            return rng.integers(0, 2, shape).astype(np.uint8) * 255
    return np.full(shape, 255, np.uint8)


def assert_as_alone(
    compute: Callable[[Sequence[np.ndarray]], Sequence[Any]],
    chosen: Sequence[Hashable],
    items: Sequence[Any],
    alone: dict[Any, bytes],
) -> None:
    """Check that each item of a call gives what it gave alone, the first time that it was computed."""
    for key, item in zip(chosen, items, strict=True):
        if key not in alone:
            [found] = compute([item])
            alone[key] = found.tobytes()
    for key, found in zip(chosen, compute(items), strict=True):
        assert found.tobytes() == alone[key], key


@pytest.fixture(scope="module", params=GENERATORS)
def generators(request: pytest.FixtureRequest):
    """One generator, computed with one and with two threads: a face of a camera that is alone gets two."""
    opened = [open_generator(SuperResolveConfig(generator=request.param), find_model, threads) for threads in (1, 2)]
    alone: dict[Any, bytes] = {}
    yield opened, alone
    for generator in opened:
        generator.close()


@given(chosen=pictures, threads=st.integers(0, 1))
@settings(max_examples=6)
def test_enhanced_faces(generators: tuple[list[Generator], dict[Any, bytes]], chosen, threads: int):
    opened, alone = generators
    items = [np.ascontiguousarray(picture(*one)[:, :, 1]) for one in chosen]
    assert_as_alone(opened[threads].upscale, chosen, items, alone)


@given(chosen=pictures)
@settings(max_examples=4)
def test_a_batch_of_one_size(generators: tuple[list[Generator], dict[Any, bytes]], chosen):
    """Nothing forms one on a CPU, as it does not pay; whatever does computes the same."""
    session = generators[0][0]._session
    items = np.stack([picture(kind, SIZES[1], number)[None, :, :, 1] for kind, _, number in chosen]).astype(np.float32) / 255
    [alone] = zip(*(session.run({session.inputs[0].name: items[at : at + 1]}) for at in range(len(items))), strict=True)
    [together] = session.run({session.inputs[0].name: items})
    assert together.tobytes() == np.concatenate(alone).tobytes()


@pytest.fixture(scope="module")
def embedders():
    opened = [open_embedder(VerifyConfig(), find_model, threads) for threads in (1, 2)]
    yield opened, {}
    for embedder in opened:
        embedder.close()


@given(chosen=pictures, threads=st.integers(0, 1))
@settings(max_examples=6)
def test_vectors(embedders, chosen, threads: int):
    opened, alone = embedders
    embed = opened[threads].embed
    assert_as_alone(lambda some: embed(some, [None] * len(some)), chosen, [picture(*one) for one in chosen], alone)


@pytest.fixture(scope="module")
def detector():
    opened, _ = open_judged(DetectConfig(detector="grey"), find_model)
    yield opened, {}
    opened.close()


@given(chosen=st.lists(st.sampled_from((0.3, 0.25, 0.2)), min_size=1, max_size=5))
@settings(max_examples=5)
def test_faces_that_are_found(detector, chosen: list[float]):
    opened, alone = detector

    def found(pictures: Sequence[Any]) -> list[np.ndarray]:
        return [
            np.column_stack([one.boxes, one.landmarks.reshape(len(one), -1), one.scores, one.faceness])
            for one in opened.detect(pictures)
        ]

    sized = [cv2.resize(get_image("t1"), None, fx=one, fy=one, interpolation=cv2.INTER_AREA) for one in chosen]
    assert_as_alone(found, chosen, [planes_from_bgr(one) for one in sized], alone)
