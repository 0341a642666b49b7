"""What somebody saw in a place counts, whatever its label was."""

from __future__ import annotations

import numpy as np
import pytest

from trt_build.data.scenes.looked_at import put_right, verdicts
from trt_build.data.scenes.teacher import Labelled

POINTS = np.arange(20, dtype=np.float32).reshape(2, 5, 2)
SURE, OTHER, UNSURE, NEW = (10, 10, 20, 24), (60, 10, 20, 24), (10, 60, 20, 24), (60, 60, 20, 24)


def labelled() -> Labelled:
    return Labelled(np.zeros((100, 100), np.uint8), np.float32([SURE, OTHER]), POINTS, np.float32([UNSURE]))


def rows(*boxes: tuple[float, ...]) -> list[dict[str, str]]:
    return [{"file": "a.jpg", **dict(zip("xywh", map(str, box), strict=True))} for box in boxes]


@pytest.mark.parametrize(
    ("seen", "boxes", "unsure"),
    [
        ({}, [SURE, OTHER], [UNSURE]),
        ({"none": rows(SURE)}, [OTHER], [UNSURE]),
        ({"none": rows(UNSURE)}, [SURE, OTHER], []),
        ({"none": rows(NEW)}, [SURE, OTHER], [UNSURE]),
        ({"none": rows((10.4, 9.8, 20.1, 24.2))}, [OTHER], [UNSURE]),
        ({"none": rows((10, 20, 20, 24))}, [SURE, OTHER], [UNSURE]),
        ({"doubtful": rows(SURE)}, [OTHER], [UNSURE, SURE]),
        ({"doubtful": rows(UNSURE)}, [SURE, OTHER], [UNSURE]),
        ({"doubtful": rows(NEW)}, [SURE, OTHER], [UNSURE, NEW]),
        ({"faces": rows(SURE)}, [SURE, OTHER], [UNSURE]),
        ({"faces": rows(UNSURE)}, [SURE, OTHER, UNSURE], []),
        ({"faces": rows(NEW)}, [SURE, OTHER, NEW], [UNSURE]),
        ({"none": rows(SURE, UNSURE), "doubtful": rows(OTHER), "faces": rows(NEW)}, [NEW], [OTHER]),
    ],
)
def test_a_label_is_what_was_seen_in_its_place(seen, boxes, unsure):
    found = put_right(labelled(), **({"none": [], "doubtful": []} | seen))
    np.testing.assert_array_equal(found.boxes, np.float32(boxes).reshape(-1, 4))
    np.testing.assert_array_equal(found.unsure, np.float32(unsure).reshape(-1, 4))
    assert found.points.shape == (len(boxes), 5, 2)


def test_points_stay_with_their_face_and_a_new_one_has_none():
    found = put_right(labelled(), rows(SURE), [], rows(UNSURE, OTHER))
    np.testing.assert_array_equal(found.boxes, np.float32([OTHER, UNSURE]))
    np.testing.assert_array_equal(found.points[0], POINTS[1])
    assert np.isnan(found.points[1]).all()


def test_a_picture_without_labels_gets_those_that_were_seen():
    bare = Labelled(np.zeros((100, 100), np.uint8))
    assert put_right(bare, rows(SURE), []).is_empty
    found = put_right(bare, [], rows(SURE), rows(NEW))
    np.testing.assert_array_equal(found.boxes, np.float32([NEW]))
    np.testing.assert_array_equal(found.unsure, np.float32([SURE]))


def test_rows_come_by_what_they_are_and_by_picture(tmp_path):
    table = tmp_path / "looked_at.csv"
    table.write_text("file,x,y,w,h,is\na.jpg,1,2,3,4,face\nb.jpg,5,6,7,8,face\na.jpg,9,9,9,9,none\n")
    found = verdicts(str(table))
    assert {word: {name: len(some) for name, some in rows.items()} for word, rows in found.items()} == {
        "face": {"a.jpg": 1, "b.jpg": 1},
        "doubtful": {},
        "none": {"a.jpg": 1},
    }
    assert verdicts("") == {"face": {}, "doubtful": {}, "none": {}}
