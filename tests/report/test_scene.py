import json

import pytest

from engine.report.scene import scene_of
from tests.report.selection import select_tracks
from tests.report.test_page import write_run


def with_scene(directory, index, box=(480.0, 270.0, 96.0, 54.0), size=(960, 540), name=None):
    """Give one face of the first track a scene; return its file."""
    said = [json.loads(line) for line in (directory / "faces.jsonl").read_text().splitlines()]
    file = name or f"faces/cam1/0/{index:06d}_scene.jpg"
    if name is None:
        (directory / file).write_bytes(b"jpeg")
    said[index]["files"]["scene"] = file
    said[index] |= {"box": box, "width_px": size[0], "height_px": size[1]}
    (directory / "faces.jsonl").write_text("".join(json.dumps(line) + "\n" for line in said))
    return directory / file


def found(directory):
    [record] = select_tracks(directory, 5, 3).records
    return scene_of(directory, record.faces)


def test_the_best_face_with_a_scene_counts_also_where_others_are_better(tmp_path):
    write_run(tmp_path, tracks=1, faces=8)
    with_scene(tmp_path, 0)
    file = with_scene(tmp_path, 1)
    scene = found(tmp_path)
    assert (scene.file, scene.line.face.seq, scene.size) == (file, 1, (960, 540))
    assert scene.box == pytest.approx((0.5, 0.5, 0.1, 0.1))


def test_a_box_over_the_border_ends_there(tmp_path):
    with_scene(write_run(tmp_path, tracks=1, faces=1), 0, box=(-96.0, 500.0, 192.0, 80.0))
    assert found(tmp_path).box == pytest.approx((0.0, 500 / 540, 0.1, 40 / 540))


def test_without_its_file_or_size_there_is_none(tmp_path):
    write_run(tmp_path, tracks=1, faces=2)
    assert found(tmp_path) is None
    with_scene(tmp_path, 0, name="../secret.jpg")
    with_scene(tmp_path, 1, size=(0, 0))
    assert found(tmp_path) is None
