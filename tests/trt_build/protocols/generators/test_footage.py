"""Real faces through a codec, measured against the clip as it was."""

import subprocess
import sys

import numpy as np
import pytest

from tests.trt_build.systems.redeg.made import clip_of_a_face
from trt_build.errors import DataError
from trt_build.protocols.generators.footage import find_clips, measure_footage
from trt_build.protocols.generators.methods import by_scale
from trt_build.protocols.generators.options import Options


def test_clips_by_path_folder_or_pattern(tmp_path):
    for name in ("a.mkv", "b.mp4", "note.txt"):
        (tmp_path / name).touch()
    both = (str(tmp_path / "a.mkv"), str(tmp_path / "b.mp4"))
    assert find_clips(tmp_path) == both
    assert find_clips(tmp_path / "a.mkv") == both[:1]
    assert find_clips(tmp_path / "?.m*") == both
    with pytest.raises(DataError, match=r"There is no clip .*: give a video"):
        find_clips(tmp_path / "c.mkv")


def test_interpolations_are_measured_with_intervals(tmp_path):
    pytest.importorskip("dlib", reason="the likeness needs dlib")
    clip = clip_of_a_face(tmp_path / "clip.mp4")
    options = Options(seed=3, cache=tmp_path, rounds=20)
    columns, rows, strips, data = measure_footage((str(clip),), by_scale([], "footage"), options, lambda *_: None)
    assert [(row.inputs, row.low_px, row.method) for row in rows] == [("footage", 16, "bicubic"), ("footage", 16, "lanczos4")]
    assert data["faces"] > 4
    assert data["encodings"] == 8
    for row in rows:
        assert 15 < row.figures["psnr_db"].value < 40
        assert 0 < row.figures["cosine"].value <= 1
        assert set(row.figures) <= {column.key for column in columns}
    assert rows[1].figures["psnr_db"].gain is not None
    assert np.isfinite(rows[1].figures["psnr_db"].gain.low)
    assert strips


def test_the_evaluation_is_imported_without_torch():
    code = "import sys, trt_build.protocols.generators.run; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
