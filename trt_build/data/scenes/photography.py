"""Simulates what a camera, low light, lens and compression do to a scene."""

from __future__ import annotations

import io

import av
import numpy as np

from engine.contracts.frames import Float32, Uint8
from trt_build.data import degradation
from trt_build.data.degradation import Random
from trt_build.measures.resample import to_levels


def photograph(scene: Float32, rng: Random, *, decoded: bool = False) -> Uint8:
    """Return the scene as a decoded luma plane.

    Args:
        scene: (H, W), 0 to 255.
        rng: makes the random choices.
        decoded: the scene is a decoded plane, which is not converted to video range again.
    """
    image = _light(scene, rng)
    if rng.random() < 0.45:
        image = degradation.optical_blur(image, rng, 0.3, 1.3)
    if rng.random() < 0.12:
        image = degradation.motion_blur(image, rng, 2.0, 6.0)
    if rng.random() < 0.15:
        image = degradation.sharpen(image, rng)
    if not decoded and rng.random() < 0.75:
        image = image * np.float32(219 / 255) + np.float32(16)
    if rng.random() < 0.55:
        image = image + np.float32(rng.uniform(0.5, 9)) * rng.standard_normal(image.shape, np.float32)
    draw = rng.random()
    if draw < 0.40:
        image = degradation.jpeg(image, rng, 25, 92)
    elif draw < 0.52:
        return h264(to_levels(image), int(rng.integers(22, 40)))
    return to_levels(image)


def _light(image: Float32, rng: Random) -> Float32:
    draw = rng.random()
    if draw < 0.15:  # night: little contrast and much noise
        image = (image - 128) * np.float32(rng.uniform(0.2, 0.5)) + np.float32(rng.uniform(35, 120))
        return np.asarray(image + rng.normal(0, rng.uniform(1, 6), image.shape), np.float32)
    if draw < 0.65:
        gamma = float(np.exp(rng.uniform(np.log(0.55), np.log(1.8))))
        image = np.asarray(255 * (np.clip(image, 0, 255) / 255) ** gamma, np.float32)
    return np.asarray((image - 128) * np.float32(rng.uniform(0.7, 1.15)) + np.float32(128 + rng.normal(0, 15)), np.float32)


def h264(image: Uint8, crf: int) -> Uint8:
    """Return a picture with even sides after coding by libx264 as an intra frame."""
    height, width = image.shape
    memory = io.BytesIO()
    with av.open(memory, "w", format="h264") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": str(crf), "preset": "ultrafast", "threads": "1"}
        grey = np.full((height // 2, width), 128, np.uint8)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.concatenate([image, grey]), format="yuv420p")))
        container.mux(stream.encode(None))
    memory.seek(0)
    with av.open(memory, "r", format="h264") as container:
        return np.array(next(container.decode(video=0)).to_ndarray()[:height], np.uint8)
