"""Detector, generator and embedder do not know where their sessions are computed: the results are the same arrays."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial

import cv2
import numpy as np
import pytest
from insightface.data import get_image
from msgspec.structs import replace

from engine.config import DetectConfig, SuperResolveConfig
from engine.config.verify import VerifyConfig
from engine.contracts.frames import Detections
from engine.detect.judged import open_judged
from engine.inference.client import InferenceClient
from engine.models import find_model
from engine.pictures.colour import planes_from_bgr
from engine.sessions.session import open_elsewhere
from engine.super_resolve.generator import open_generator
from engine.verify.embedder import open_embedder
from tests.inference.fake_device import DEVICE, open_fake
from tests.inference.test_process import Device
from tests.patience import PATIENCE_SECONDS

PICTURE = get_image("t1")
PLANES = [planes_from_bgr(cv2.resize(PICTURE, None, fx=f, fy=f, interpolation=cv2.INTER_AREA)) for f in (0.3, 0.3, 0.2)]
FACES = [np.ascontiguousarray(PICTURE[at : at + 24, at : at + 20]) for at in (100, 180, 300)]
CONFIGS = (DetectConfig(detector="grey"), SuperResolveConfig(), VerifyConfig())
Results = tuple[list[Detections], list[np.ndarray], np.ndarray]


def results(device: str) -> tuple[Results, list[str]]:
    """Return what the models find on a device, and what computed it."""
    detect, super_resolve, verify = (replace(config, device=device) for config in CONFIGS)
    detector, _ = open_judged(detect, find_model)
    generator, embedder = open_generator(super_resolve, find_model), open_embedder(verify, find_model)
    assert embedder is not None
    lumas = [np.ascontiguousarray(face[:, :, 1]) for face in FACES]
    found = detector.detect(PLANES), generator.upscale(lumas), embedder.embed(FACES, [None] * len(FACES))
    used = [one.runtime for one in (detector, generator, embedder)]
    for one in (detector, generator, embedder):
        one.close()
    return found, used


@pytest.fixture
def elsewhere() -> Iterator[None]:
    """What is on the device is computed by another process, which is a thread here."""
    device = Device(open_fake)
    client = InferenceClient(device.listener.address)
    open_elsewhere(DEVICE, client.open)
    yield
    open_elsewhere(DEVICE, None)
    client.close()
    device.close()


def assert_same(found: Results, expected: Results, tolerance: float) -> None:
    check = partial(np.testing.assert_allclose, rtol=0, atol=tolerance) if tolerance else np.testing.assert_array_equal
    for one, other in zip(found[0], expected[0], strict=True):
        assert len(one) == len(other)
        for name in ("boxes", "scores", "landmarks", "faceness"):
            check(getattr(one, name), getattr(other, name))
    for picture, other_picture in zip(found[1], expected[1], strict=True):
        np.testing.assert_array_equal(picture, other_picture)
    check(found[2], expected[2])


def test_two_workers_get_the_arrays_of_sessions_here(elsewhere: None):
    """One after the other exactly; at once, where they share batches, but for rounding."""
    expected, here = results("cpu")
    assert sum(map(len, expected[0])) >= 10
    assert all(one.startswith("onnxruntime") for one in here)
    found: list[tuple[Results, list[str]]] = [results(DEVICE)]
    assert all(one.startswith("fake over onnxruntime") for one in found[0][1])
    assert_same(found[0][0], expected, 0.0)
    threads = [threading.Thread(target=lambda: found.append(results(DEVICE))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert len(found) == 3
    for one, _ in found:
        assert_same(one, expected, 1e-4)
