"""Frames of clips are labelled by a teacher, and put right by what somebody saw."""

from __future__ import annotations

import zipfile
from collections import defaultdict
from pathlib import Path

import av
import numpy as np
import pytest

from engine.contracts.frames import Detections
from tests.assets import shared
from trt_build.data.scenes.looked_at import rows_of
from trt_build.data.scenes.material import step_of
from trt_build.recipes.files import find_recipe, read_recipe_of
from trt_build.recipes.second_look import FootageSpec, SecondLookRecipe
from trt_build.systems.second_look.footage import clips_in, is_kept_apart, labelled_clips

FRAMES, TAKEN = 12, 4
STEP = FRAMES // TAKEN
SURE, UNSURE = "10,10,20,24", "50,10,20,24"


class Teacher:
    """Is sure of one box in every picture, and not of another."""

    def __init__(self) -> None:
        self.looks = 0

    def scored(self, image: np.ndarray) -> Detections:
        self.looks += 1
        boxes = np.float32([(10, 10, 20, 24), (50, 10, 20, 24)]) * (image.shape[1] / 96)
        return Detections(boxes, np.float32([0.9, 0.4]), np.ones((2, 5, 2), np.float32))


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    with av.open(str(folder / "hall.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for number in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(np.full((64, 96), 16 + 15 * number, np.uint8), format="gray")
            container.mux(stream.encode(frame.reformat(format="yuv420p")))
        container.mux(stream.encode(None))
    with zipfile.ZipFile(folder / "clips.zip", "w") as archive:
        archive.write(folder / "hall.mp4", "hall.mp4")
    return folder / "clips.zip"


def test_a_label_of_a_frame_is_what_was_seen_there(clips, tmp_path):
    table = tmp_path / "looked_at_clips.csv"
    rows = (f"0,{SURE},none", f"{STEP},{SURE},doubtful", f"{2 * STEP},{UNSURE},face")
    table.write_text("\n".join(["file,x,y,w,h,is", *(f"hall.mp4#{row}" for row in rows), f"other.mp4#{3 * STEP},{SURE},none"]))
    teacher, done = Teacher(), lambda *what: None
    spec = FootageSpec(clips=str(clips), frames_per_clip=TAKEN)
    plain = labelled_clips(spec, teacher, tmp_path / "cache", done)["hall.mp4"]
    looks = teacher.looks
    assert [(len(one.boxes), len(one.unsure)) for one in plain] == [(1, 1)] * TAKEN
    spec = FootageSpec(clips=str(clips), frames_per_clip=TAKEN, looked_at=str(table))
    seen = labelled_clips(spec, teacher, tmp_path / "cache", done)
    assert [(len(one.boxes), len(one.unsure)) for one in seen["hall.mp4"]] == [(0, 1), (0, 2), (2, 0), (1, 1)]
    assert teacher.looks == looks  # what the teacher said is kept, and put right anew


def test_every_row_of_the_recipes_table_is_of_a_frame_to_learn_from_or_to_judge_by(tmp_path):
    spec = read_recipe_of(SecondLookRecipe, find_recipe("second_look")).footage
    archive, frames = shared(f"data/{Path(spec.clips).name}"), defaultdict(set)
    for row in rows_of(Path(spec.looked_at)):
        name, _, number = row["file"].partition("#")
        frames[name].add(int(number))
    assert {is_kept_apart(name, spec) for name in frames} == {False, True}
    for clip in clips_in(archive, tmp_path):
        step = step_of(clip, spec.frames_per_clip)
        assert [number for number in frames.pop(clip.name, ()) if number % step] == [], clip.name
    assert not frames, "clips that are not there"
