"""Footage, recipes and networks for the tests, without any data set."""

from __future__ import annotations

import av
import cv2
import numpy as np
from skimage import data as pictures

from trt_build.recipes.redeg import DegradationOptions, FootageSpec, RedegRecipe
from trt_build.recipes.timed import BudgetSpec
from trt_build.systems.redeg.model import Redeg

TINY = DegradationOptions(multiplier=1 / 32)


def clip_of_a_face(path, frames=8, faces=True):
    """The astronaut, who drifts a little, at 320x240; her face is about 70 px high."""
    grey = cv2.cvtColor(pictures.astronaut(), cv2.COLOR_RGB2GRAY)[:240, 60:380]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        stream.options = {"crf": "12"}
        for index in range(frames):
            luma = np.roll(grey, index, axis=1) if faces else np.full_like(grey, 90)
            planes = np.concatenate([np.rint(16 + luma * (219 / 255)).astype(np.uint8), np.full((120, 320), 128, np.uint8)])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
        container.mux(stream.encode(None))
    return path


def footage_of(clip, **changes):
    return FootageSpec(clips=(str(clip),), **({"frames_per_clip": 4, "passes": 2} | changes))


def recipe_of(folder, clip, steps=3):
    """A run of three steps on faces in ``folder``/faces.zip."""
    faces = str(folder / "faces.zip")
    return RedegRecipe(
        name="tiny", faces=faces, validation_faces=faces, footage=footage_of(clip), network=TINY,
        budget=BudgetSpec(steps=steps), batch=2, threads=1, loaders=0,
    )  # fmt: skip


def tiny_networks():
    return Redeg(TINY).eval().requires_grad_(False)
