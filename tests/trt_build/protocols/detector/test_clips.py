from dataclasses import replace

import av
import numpy as np
import pytest

pytest.importorskip("torch", reason="the lab needs torch")

from engine.contracts.frames import Detections
from tests.trt_build.data.scenes.made import POINTS
from trt_build.data.scenes.teacher import Labelled
from trt_build.protocols.detector import clips as evaluation


class Seer:
    """Finds the dark middle of a bright frame, whatever its size; both teacher and detector."""

    min_score = 0.5
    views = []

    def __init__(self, *_):
        pass

    def label(self, image, *, full_range):
        assert not full_range
        self.views.append(image)
        height, width = image.shape
        box = np.array([[0.25 * width, 0.25 * height, 0.5 * width, 0.5 * height]], np.float32)
        return Labelled(image, box, box[:, None, :2] + POINTS[None] / 300 * width)

    def steadied(self, labelled, *, full_range):
        assert not full_range
        return replace(labelled, points=labelled.points + np.float32([0.01 * labelled.image.shape[1], 0]))

    def detect(self, pictures):
        found = self.label(pictures[0].y, full_range=False)
        return [Detections(found.boxes, np.array([0.9], np.float32), found.points)]

    def close(self):
        pass


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "clip.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for _ in range(6):
            image = np.full((120, 160, 3), 200, np.uint8)
            image[10:50, 10:90] = 20
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("view", "shape"), [({}, (120, 160)), ({"width_px": 80}, (60, 80)), ({"roll_degrees": 90}, (120, 160))]
)
def test_both_see_the_same_view_of_the_clip(clip, monkeypatch, view, shape):
    monkeypatch.setattr(evaluation, "GreyDetector", Seer)
    monkeypatch.setattr(evaluation, "Teacher", Seer)
    Seer.views.clear()
    counted = []
    rows = evaluation.evaluate_clips(clip, clip, [clip], 3, lambda name, count: counted.append((name, count)), **view)
    assert rows["clip.mkv"]["faces"] == rows["all"]["faces"] == 3
    assert rows["all"]["recall"] == rows["all"]["precision"] == 1
    eyes = np.linalg.norm(POINTS[0] - POINTS[1]) / 300
    assert rows["all"]["points"] == rows["all"]["teacher_points"]
    if "roll_degrees" in view:  # neither turns its points with the face
        assert rows["all"]["points"] > 1
    else:
        assert rows["all"]["points"] == pytest.approx(0.01 / eyes, rel=1e-4)
    assert counted[-1] == ("clip.mkv", 3)
    assert {one.shape for one in Seer.views} == {shape}
    # The dark corner: at the left as recorded, at the bottom once turned counter-clockwise.
    dark = np.argwhere(Seer.views[-1] < 90)
    assert dark[:, 0].mean() / shape[0] > 0.5 if "roll_degrees" in view else dark[:, 0].mean() / shape[0] < 0.3
