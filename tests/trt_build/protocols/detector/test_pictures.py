from pathlib import Path

import msgspec
import numpy as np
import pytest
from rich.console import Console

pytest.importorskip("torch", reason="the lab needs torch")

import engine.models
from engine.contracts.frames import Detections
from tests.assets import shared
from tests.trt_build.data.scenes.made import archive_of, clips_of, recipe
from trt_build.data.scenes.teacher import Labelled
from trt_build.errors import DataError
from trt_build.protocols.detector.pictures import frames_apart, judge, kept_apart, kinds_of
from trt_build.recipes.detector import ClipsSpec

FRONTAL = np.array([[12, 16], [28, 16], [20, 24], [14, 32], [26, 32]], np.float32)


def face(at, width, points=FRONTAL):
    return np.array([at, 10, width, 1.2 * width], np.float32), points * (width / 40) + (at, 10)


def picture(*faces, tone=128):
    boxes, points = zip(*faces, strict=True) if faces else ((), ())
    image = np.full((120, 400), tone, np.uint8)
    return Labelled(image, np.reshape(boxes, (-1, 4)).astype(np.float32), np.reshape(points, (-1, 5, 2)).astype(np.float32))


class Sees:
    """Reports the same boxes in every picture."""

    min_score = sure_score = 0.1

    def __init__(self, *boxes):
        self._boxes = np.array([box[:4] for box in boxes], np.float32).reshape(-1, 4)
        self._scores = np.array([box[4] for box in boxes], np.float32)

    def detect(self, pictures):
        count = len(self._boxes)
        return [Detections(self._boxes, self._scores, np.zeros((count, 5, 2), np.float32)) for _ in pictures]


def test_recall_is_counted_by_width_and_false_alarms_by_picture():
    some = picture(face(10, 20), face(100, 12), face(200, 60))
    counted = []
    detector = Sees([10, 10, 20, 24, 0.9], [200, 10, 60, 72, 0.5], [300, 10, 30, 36, 0.7])
    judged = judge({"one": detector}, [("street", some), ("", picture())], counted.append)["one"]
    assert counted == [1, 2]
    row = judged.row(0.6)
    assert (row["recall_16_px"], row["recall_10_px"], row["recall_48_px"]) == (1, 0, 0)
    assert row["recall"] == row["recall_street"] == 0.5
    assert row["precision"] == pytest.approx(1 / 4)  # one face right, one false in each picture, two on the empty one
    assert (row["precision_16_px"], row["precision_24_px"], row["precision_48_px"]) == (1 / 2, 0, 1)
    assert row["false_a_picture"] == 2
    assert judged.row(0.4)["recall"] == 1
    assert judged.row(0.95)["false_a_picture"] == 0


def test_kinds_of_faces():
    side = FRONTAL.copy()
    side[2, 0] += 9
    unknown = np.full((5, 2), np.nan, np.float32)
    faces = picture(face(10, 40), face(100, 40, side), face(200, 40, unknown))
    assert kinds_of(faces) == [frozenset(), {"profile"}, {"no_points"}]
    assert kinds_of(picture(face(10, 40), tone=30)) == [{"dark"}]


def test_the_pictures_kept_apart_are_those_of_the_recipe(tmp_path):
    with_faces = archive_of(tmp_path / "faces.zip", ["o/apart:x.jpg", "some/mask-detection-dataset:a.png", "o/kept:y.jpg"])
    without = archive_of(tmp_path / "negatives.zip", ["o/apart:z.jpg"], faces=False)
    spec = msgspec.structs.replace(
        recipe().material,
        pictures=str(with_faces),
        negatives=str(without),
        validation_sources=("o/apart/", "some/"),
    )
    pictures = kept_apart(spec, tmp_path / "cache", lambda *what: None)
    assert [(word, len(one.boxes)) for word, one in pictures if not one.is_empty][:2] == [("", 1), ("masks", 1)]
    assert sum(one.is_empty for _, one in pictures) == 1
    with pytest.raises(DataError, match=r"no real pictures|no material\.pictures"):
        kept_apart(recipe().material, tmp_path / "cache", lambda *what: None)


def test_the_frames_kept_apart_are_those_of_the_recipe_as_they_were_looked_at(tmp_path):
    table, teacher = tmp_path / "seen.csv", shared("models/face_detection_yunet_2023mar.onnx")
    table.write_text("file,x,y,w,h,is\nhall.mp4#3,10,10,20,24,face\nhall.mp4#6,10,10,20,24,doubtful")
    clips = clips_of(tmp_path / "clips.zip", ["hall.mp4", "street.mp4"])
    spec = ClipsSpec(
        archive=str(clips),
        frames_per_clip=4,
        validation_share=0,
        validation_clips=("hall.mp4",),
        looked_at_apart=str(table),
    )
    material = msgspec.structs.replace(recipe().material, teacher=str(teacher), clips=spec)
    frames = frames_apart(material, tmp_path / "cache", lambda *what: None)
    assert [(len(one.boxes), len(one.unsure)) for _, one in frames] == [(0, 0), (1, 0), (0, 1), (0, 0)]
    for wrong in (ClipsSpec(), msgspec.structs.replace(spec, validation_clips=(), looked_at_apart="")):
        with pytest.raises(DataError, match=r"no material\.clips"):
            frames_apart(msgspec.structs.replace(material, clips=wrong), tmp_path / "cache", lambda *what: None)


def test_compare_shows_models_beside_the_teacher(tmp_path, monkeypatch, capsys):
    import msgspec.yaml

    from trt_build.cli import detector as cli_detector

    sources = [f"o/apart:{number}.jpg" for number in range(2)]
    made = recipe()
    material = msgspec.structs.replace(
        made.material,
        teacher=str(shared("models/face_detection_yunet_2023mar.onnx")),
        pictures=str(archive_of(tmp_path / "faces.zip", sources)),
        negatives=str(archive_of(tmp_path / "negatives.zip", sources[:1], faces=False)),
        validation_sources=("o/apart/",),
    )
    (tmp_path / "some.yaml").write_bytes(msgspec.yaml.encode(msgspec.structs.replace(made, material=material)))
    monkeypatch.setattr(cli_detector, "CONSOLE", Console(width=200, force_terminal=False))
    manifest = Path(engine.models.__file__).with_name("grey.json")
    cli_detector.compare([manifest], recipe=str(tmp_path / "some.yaml"), cache=tmp_path / "cache", json=tmp_path / "out.json")
    rows = msgspec.json.decode((tmp_path / "out.json").read_bytes())
    assert set(rows) == {str(manifest), f"{manifest} and second look", "teacher"}
    assert rows["teacher"]["recall_10_px"] == 0  # the pictures are flat
    assert rows["teacher"]["precision"] == 1
    assert "false_a_picture" in capsys.readouterr().out
