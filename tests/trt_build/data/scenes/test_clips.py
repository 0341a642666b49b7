"""Frames of clips are labelled by a teacher, and put right by what somebody saw."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from engine.contracts.frames import Detections
from tests.assets import shared
from tests.trt_build.data.scenes.made import clips_of
from trt_build.data.clips import step_of
from trt_build.data.scenes.clips import clips_in, labelled_clips
from trt_build.data.scenes.looked_at import rows_of
from trt_build.errors import DataError
from trt_build.recipes.detector import ClipsSpec, DetectorRecipe
from trt_build.recipes.files import find_recipe, read_recipe_of

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
    return clips_of(tmp_path_factory.mktemp("clips") / "clips.zip", ["hall.mp4"], FRAMES)


def test_a_label_of_a_frame_is_what_was_seen_there(clips, tmp_path):
    table = tmp_path / "looked_at_clips.csv"
    rows = (f"0,{SURE},none", f"{STEP},{SURE},doubtful", f"{2 * STEP},{UNSURE},face")
    table.write_text("\n".join(["file,x,y,w,h,is", *(f"hall.mp4#{row}" for row in rows), f"other.mp4#{3 * STEP},{SURE},none"]))
    teacher, done = Teacher(), lambda *what: None
    spec = ClipsSpec(archive=str(clips), frames_per_clip=TAKEN)
    plain = labelled_clips(spec, teacher, tmp_path / "cache", done, apart=False)
    looks = teacher.looks
    assert [(len(one.boxes), len(one.unsure)) for one in plain] == [(1, 1)] * TAKEN
    spec = ClipsSpec(archive=str(clips), frames_per_clip=TAKEN, looked_at=str(table))
    seen = labelled_clips(spec, teacher, tmp_path / "cache", done, apart=False)
    assert [(len(one.boxes), len(one.unsure)) for one in seen] == [(0, 1), (0, 2), (2, 0), (1, 1)]
    assert teacher.looks == looks  # what the teacher said is kept, and put right anew


def test_a_clip_is_labelled_on_its_own_side_by_its_own_table(clips, tmp_path):
    learnt, apart = tmp_path / "learnt.csv", tmp_path / "apart.csv"
    learnt.write_text(f"file,x,y,w,h,is\nhall.mp4#0,{SURE},none")
    apart.write_text(f"file,x,y,w,h,is\nhall.mp4#0,{UNSURE},face")
    given = {"archive": str(clips), "frames_per_clip": TAKEN}
    to_learn = ClipsSpec(looked_at=str(learnt), **given)
    to_judge = ClipsSpec(looked_at_apart=str(apart), validation_clips=("hall.mp4",), **given)
    for spec, side, faces in ((to_learn, False, 0), (to_judge, True, 2)):
        frames = labelled_clips(spec, Teacher(), tmp_path / "cache", lambda *what: None, apart=side)
        assert [len(one.boxes) for one in frames] == [faces, *[1] * (TAKEN - 1)]
        assert labelled_clips(spec, Teacher(), tmp_path / "cache", lambda *what: None, apart=not side) == []


@pytest.mark.parametrize("box", [f"{SURE},face", f"{SURE},doubtful", f"{SURE},none"])
def test_nothing_is_learnt_from_a_table_of_clips_that_are_kept_apart(clips, tmp_path, box):
    table = tmp_path / "seen.csv"
    table.write_text(f"file,x,y,w,h,is\nstreet.mp4#0,{SURE},none\nhall.mp4#0,{box}")
    given = {"archive": str(clips), "frames_per_clip": TAKEN}
    spec = ClipsSpec(looked_at=str(table), validation_clips=("hall.mp4",), **given)
    with pytest.raises(DataError, match=r"seen.csv' holds boxes of 'hall.mp4', a clip kept apart: .* clips.looked_at_apart"):
        labelled_clips(spec, Teacher(), tmp_path / "cache", lambda *what: None, apart=False)
    spec = ClipsSpec(looked_at_apart=str(table), **given)
    with pytest.raises(DataError, match=r"seen.csv' holds boxes of 'hall.mp4', a clip to learn from: .* clips.looked_at\."):
        labelled_clips(spec, Teacher(), tmp_path / "cache", lambda *what: None, apart=True)


def test_every_row_of_the_recipes_tables_is_of_a_frame_that_is_taken(tmp_path):
    spec = read_recipe_of(DetectorRecipe, find_recipe("grey_detector")).material.clips
    archive, frames = shared(f"data/{Path(spec.archive).name}"), defaultdict(set)
    for table, apart in ((spec.looked_at, False), (spec.looked_at_apart, True)):
        for row in rows_of(Path(table)):
            name, _, number = row["file"].partition("#")
            assert spec.keeps_apart(name) == apart, row
            frames[name].add(int(number))
    for clip in clips_in(archive, tmp_path):
        step = step_of(clip, spec.frames_per_clip)
        assert [number for number in frames.pop(clip.name, ()) if number % step] == [], clip.name
    assert not frames, "clips that are not there"


@pytest.mark.parametrize("kept", [0.0, 1.0])
def test_clips_are_kept_apart_by_name_and_by_share(kept):
    spec = ClipsSpec(validation_share=kept, validation_clips=("hall.mp4",))
    assert spec.keeps_apart("hall.mp4")
    assert spec.keeps_apart("other.mp4") == bool(kept)
