"""Material and recipes small enough for a test: drawn faces, photographs without one."""

from __future__ import annotations

import zipfile
from pathlib import Path

import av
import cv2
import numpy as np

from trt_build.data.scenes.material import Material
from trt_build.data.scenes.teacher import Labelled
from trt_build.recipes.detector import DetectorRecipe, MaterialSpec, NetworkSpec, SceneSpec
from trt_build.recipes.timed import BudgetSpec

POINTS = np.array([[52, 60], [92, 60], [72, 84], [57, 102], [87, 102]], np.float32)
"""Of the drawn face, in the order of ``Detections.landmarks``."""
POINT_NAMES = ["re_x", "re_y", "le_x", "le_y", "nose_x", "nose_y", "rm_x", "rm_y", "lm_x", "lm_y"]
BOX = np.array([36, 30, 72, 92], np.float32)


def drawn_face(tone: float = 180) -> Labelled:
    """An oval with two eyes, a nose and a mouth, 144 px."""
    image = np.full((144, 144), 70, np.float32)
    cv2.ellipse(image, (72, 76), (36, 46), 0, 0, 360, tone, -1, cv2.LINE_AA)
    for x, y in POINTS[:3].astype(int):
        cv2.circle(image, (int(x), int(y)), 6, tone / 4, -1, cv2.LINE_AA)
    cv2.line(image, (57, 102), (87, 102), tone / 4, 5, cv2.LINE_AA)
    return Labelled(image.astype(np.uint8), BOX[None], POINTS[None])


def material() -> Material:
    """A few faces, one background, no footage."""
    ramp = np.tile(np.linspace(20, 220, 400, dtype=np.uint8), (360, 1))
    return Material([drawn_face(tone) for tone in (150, 190, 220)], [ramp], [])


def recipe(**changes: object) -> DetectorRecipe:
    """A network of a few thousand numbers on 96-px scenes."""
    options: dict[str, object] = {
        "name": "tiny",
        "material": MaterialSpec(teacher="", faces="", validation_faces="", backgrounds="", footage=(), validation_footage=()),
        "budget": BudgetSpec(steps=3),
        "network": NetworkSpec(stem=(4, 8), widths=(16, 16, 16), depths=(1, 1, 1), neck=16),
        "scene": SceneSpec(side_px=96, faces=1, smallest_px=30, largest_px=60),
        "batch": 4,
        "threads": 1,
        "loaders": 0,
    }
    return DetectorRecipe(**(options | changes))


def archive_of(path: Path, sources: list[str], *, faces: bool = True) -> Path:
    """A zip of pictures whose grey is their number, each with one face; ``sources``: ``repository:path``."""
    with zipfile.ZipFile(path, "w") as archive:
        names = [f"p{number:02d}.png" for number in range(len(sources))]
        for number, name in enumerate(names):
            ok, data = cv2.imencode(".png", np.full((20, 30 + number), number, np.uint8))
            assert ok
            archive.writestr(f"images/{name}", data.tobytes())
        rows = [f"{name},{source.split(':')[0]},{source.split(':')[1]}" for name, source in zip(names, sources, strict=True)]
        archive.writestr("manifest.csv", "\n".join(["file,source_repository,source_path", *rows]))
        labels = [f"{name},1,2,10,12,0.9,1," + ",".join("5" for _ in POINT_NAMES) for name in names]
        if faces:
            header = "file,x,y,w,h,score,scales_that_saw_it," + ",".join(POINT_NAMES)
            archive.writestr("teacher.csv", "\n".join([header, *labels]))
    return path


def clips_of(path: Path, names: list[str], frames: int = 12) -> Path:
    """Write a zip of clips of 96x64 that grow brighter, and return its path."""
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            clip = path.with_name(name)
            with av.open(str(clip), "w") as container:
                stream = container.add_stream("libx264", rate=10)
                stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
                for number in range(frames):
                    frame = av.VideoFrame.from_ndarray(np.full((64, 96), 16 + 15 * number, np.uint8), format="gray")
                    container.mux(stream.encode(frame.reformat(format="yuv420p")))
                container.mux(stream.encode(None))
            archive.write(clip, name)
    return path
