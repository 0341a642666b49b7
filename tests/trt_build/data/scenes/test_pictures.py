import csv
import zipfile
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.assets import shared
from tests.trt_build.data.scenes.made import POINT_NAMES, archive_of, recipe
from trt_build.data.scenes.pictures import both_sides, merged, read_pictures, split
from trt_build.errors import DataError
from trt_build.recipes.detector import ClipsSpec, DetectorRecipe
from trt_build.recipes.files import find_recipe, read_recipe_of

IMAGE = np.zeros((60, 80), np.uint8)
POINTS = ["re_x", "re_y", "le_x", "le_y", "nose_x", "nose_y", "rm_x", "rm_y", "lm_x", "lm_y"]


def given(x, y, w, h):
    return {"file": "a.jpg", "x": str(x), "y": str(y), "w": str(w), "h": str(h)}


def seen(score, x, y, w, h):
    points = {key: str(10 + at) for at, key in enumerate(POINT_NAMES)}
    return {**given(x, y, w, h), "score": str(score), **points}


def test_a_teachers_box_is_a_face_from_six_tenths_on_and_doubtful_below():
    found = merged(IMAGE, [], [seen(0.5, 40, 10, 10, 12), seen(0.7, 10, 10, 10, 12)])
    assert found.boxes.tolist() == [[10, 10, 10, 12]]
    assert found.points[0].tolist() == [[10, 11], [12, 13], [14, 15], [16, 17], [18, 19]]
    assert found.unsure.tolist() == [[40, 10, 10, 12]]


def test_several_boxes_on_one_face_are_one():
    found = merged(IMAGE, [], [seen(0.65, 10, 10, 10, 12), seen(0.9, 11, 10, 10, 12), seen(0.4, 12, 11, 10, 12)])
    assert found.boxes.tolist() == [[11, 10, 10, 12]]
    assert len(found.unsure) == 0


def test_a_given_face_makes_the_teacher_sure_of_its_box():
    found = merged(IMAGE, [given(10, 10, 10, 12)], [seen(0.35, 11, 10, 10, 12)])
    assert found.boxes.tolist() == [[11, 10, 10, 12]]
    assert np.isfinite(found.points).all()
    assert len(found.unsure) == 0


@pytest.mark.parametrize("others", [[], [("0.8", 50)]])
def test_a_given_face_that_no_teacher_sees_has_no_points(others):
    rows = [seen(float(score), x, 10, 10, 12) for score, x in others]
    found = merged(IMAGE, [given(10, 10, 10, 12)], rows)
    assert found.boxes[-1].tolist() == [10, 10, 10, 12]
    assert np.isnan(found.points[-1]).all()
    assert len(found.boxes) == 1 + len(others)


def test_pictures_are_read_once_and_mapped_later(tmp_path):
    archive = archive_of(tmp_path / "some.zip", ["o/a:x.jpg", "o/b:clip.mp4#frame7"])
    seen_once, again = [], []
    first = read_pictures(archive, tmp_path / "cache", lambda *what: seen_once.append(what))
    second = read_pictures(archive, tmp_path / "cache", lambda *what: again.append(what))
    assert len(seen_once) == 2
    assert again == []
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.labelled.image, other.labelled.image)
        np.testing.assert_array_equal(one.labelled.boxes, [[1, 2, 10, 12]])
    assert [one.labelled.image.shape for one in second] == [(20, 30), (20, 31)]
    assert [one.source for one in second] == ["o/a/x.jpg", "o/b/clip.mp4"]
    assert [int(one.labelled.image[0, 0]) for one in second] == [0, 1]


def test_frames_of_a_clip_and_whole_sources_stay_together(tmp_path):
    sources = [f"o/clips:{clip}.mp4#frame{frame}" for clip in range(30) for frame in range(3)] + [
        "o/apart:x.jpg",
        "o/apart:y.jpg",
    ]
    pictures = read_pictures(archive_of(tmp_path / "some.zip", sources), tmp_path / "cache", lambda *what: None)
    training, validation = split(pictures, ("o/apart/",))
    assert len(training) + len(validation) == len(sources)
    assert not {one.source for one in training} & {one.source for one in validation}
    assert {"o/apart/x.jpg", "o/apart/y.jpg"} <= {one.source for one in validation}
    assert 2 < len(validation) < 45


def test_pictures_of_a_clip_that_is_kept_apart_are_not_learnt_from(tmp_path):
    sources = ["fossas/a:video.mp4#3", "x/surv-dataset:fi001.mp4#1", "x/surv-dataset:fi002.mp4#1", "o/b:surv_fi001.jpg"]
    archive = archive_of(tmp_path / "some.zip", sources)
    spec = ClipsSpec(archive="clips.zip", validation_share=0, validation_clips=("fossa_video.mp4", "surv_fi001.mp4"))
    learnt = {}
    for clips in (spec, ClipsSpec(validation_share=1)):
        material = msgspec.structs.replace(recipe().material, clips=clips)
        sides = both_sides(str(archive), material, tmp_path / "cache", lambda *what: None)
        learnt[clips.archive] = {one.source for side in sides for one in side}
    assert learnt[""] - learnt["clips.zip"] == {"fossas/a/video.mp4", "x/surv-dataset/fi001.mp4"}


def test_a_zip_without_a_manifest_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "bare.zip", "w") as archive:
        archive.writestr("images/a.png", b"")
    with pytest.raises(DataError, match=r"has no manifest\.csv"):
        read_pictures(tmp_path / "bare.zip", tmp_path, lambda *what: None)
    with pytest.raises(DataError, match="do not exist"):
        read_pictures(tmp_path / "absent.zip", tmp_path, lambda *what: None)


@pytest.mark.parametrize("is_given", [True, False])
def test_a_face_of_a_few_pixels_is_doubtful(is_given):
    rows = [given(10, 10, 7, 9), given(30, 10, 8, 9)] if is_given else []
    found = merged(IMAGE, rows, [] if is_given else [seen(0.9, 10, 10, 7, 9), seen(0.9, 30, 10, 8, 9)])
    assert found.boxes.tolist() == [[30, 10, 8, 9]]
    assert found.unsure.tolist() == [[10, 10, 7, 9]]
    assert found.points.shape == (1, 5, 2)


def test_what_was_looked_at_and_is_no_face_is_no_label(tmp_path):
    archive = archive_of(tmp_path / "some.zip", ["o/a:x.jpg", "o/b:y.jpg"])
    first = read_pictures(archive, tmp_path / "cache", lambda *what: None)[0]
    table = tmp_path / "no_faces.csv"
    table.write_text(f"file,x,y,w,h\n{first.name},1.2,2.1,10,12\n{first.name},1,14,10,12\nother.jpg,1,2,10,12\n")
    one, other = read_pictures(archive, tmp_path / "cache", lambda *what: None, str(table))
    assert len(one.labelled.boxes) == len(one.labelled.points) == 0
    assert one.labelled.is_empty
    np.testing.assert_array_equal(other.labelled.boxes, [[1, 2, 10, 12]])
    with pytest.raises(DataError, match=r"The table '.*absent.csv' cannot be read"):
        read_pictures(archive, tmp_path / "cache", lambda *what: None, str(tmp_path / "absent.csv"))


@pytest.mark.parametrize(
    "row", ["file,x,y,w\na.jpg,1,2,3", "file,x,y,w,h\na.jpg,1,2,3", "name,x,y,w,h\na.jpg,1,2,3,4", "file,x,y,w,h\na,1,2,3,b"]
)
def test_a_table_of_no_faces_that_is_malformed_is_named_with_its_line(tmp_path, row):
    archive = archive_of(tmp_path / "some.zip", ["o/a:x.jpg"])
    table = tmp_path / "no_faces.csv"
    table.write_text(row)
    with pytest.raises(DataError, match=r"no_faces.csv', line 2: give file, x, y, w and h"):
        read_pictures(archive, tmp_path / "cache", lambda *what: None, str(table))


def test_what_was_looked_at_counts_as_what_it_is(tmp_path):
    archive = archive_of(tmp_path / "some.zip", ["o/a:x.jpg", "o/b:y.jpg", "o/c:z.jpg"], faces=False)
    names = [one.name for one in read_pictures(archive, tmp_path / "cache", lambda *what: None)]
    table = tmp_path / "looked_at.csv"
    table.write_text(f"file,x,y,w,h,is\n{names[0]},1,2,10,12,face\n{names[1]},3,2,9,12,doubtful\n{names[2]},3,2,9,12,none\n")
    face, doubtful, none = read_pictures(archive, tmp_path / "cache", lambda *what: None, looked_at=str(table))
    np.testing.assert_array_equal(face.labelled.boxes, [[1, 2, 10, 12]])
    assert np.isnan(face.labelled.points).all()
    np.testing.assert_array_equal(doubtful.labelled.unsure, [[3, 2, 9, 12]])
    assert not len(doubtful.labelled.boxes)
    assert none.labelled.is_empty


def test_a_doubtful_box_that_was_looked_at_is_a_face():
    row = seen(0.4, 10, 10, 10, 12)
    face = merged(IMAGE, [given(10.2, 10, 10, 12)], [row])
    np.testing.assert_array_equal(face.boxes, [[10, 10, 10, 12]])


def test_what_a_box_is_must_be_known(tmp_path):
    archive = archive_of(tmp_path / "some.zip", ["o/a:x.jpg"])
    table = tmp_path / "looked_at.csv"
    table.write_text("file,x,y,w,h,is\na.jpg,1,2,3,4,face\na.jpg,1,2,3,4,maybe\n")
    with pytest.raises(DataError, match=r"looked_at.csv', line 3: 'is' must be one of face, doubtful, none"):
        read_pictures(archive, tmp_path / "cache", lambda *what: None, looked_at=str(table))


def test_every_box_of_the_recipes_tables_lies_in_a_picture():
    pictures = read_recipe_of(DetectorRecipe, find_recipe("grey_detector")).material
    archives = [shared(f"data/{Path(one).name}") for one in (pictures.pictures, pictures.negatives)]
    names = {name.rpartition("/")[2] for one in archives for name in zipfile.ZipFile(one).namelist()}
    for table in (pictures.no_faces, pictures.looked_at):
        with Path(table).open(newline="") as file:
            assert {row["file"] for row in csv.DictReader(file)} <= names
