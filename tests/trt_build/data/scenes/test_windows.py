import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trt_build.data.scenes.made import BOX, POINTS, drawn_face
from trt_build.data.scenes.hard import NEGATIVES, PICTURES, Hard
from trt_build.data.scenes.scene import Scene, flipped
from trt_build.data.scenes.teacher import Labelled
from trt_build.data.scenes.windows import NO_PLACES, Source, cut_scene, draw_width, sorted_out, window
from trt_build.recipes.detector import SceneSpec

SPEC = SceneSpec(side_px=256, smallest_px=60, largest_px=110)
GRIDS = SceneSpec(side_px=128, smallest_px=8, largest_px=60, usual_px=20, overlays=1.0, covers=0.5)


def test_a_face_is_where_its_box_and_points_say():
    """The window is turned and scaled: the eyes are dark, so the points must still lie on dark pixels."""
    seen = 0
    for seed in range(40):
        image, labels = window(drawn_face(180), 256, SPEC, np.random.default_rng(seed))
        for points in labels.points:
            inside = [point for point in points[:3] if (point > 2).all() and (point < 253).all()]
            for x, y in inside:
                assert image[round(float(y)), round(float(x))] < 110
                seen += 1
    assert seen > 60


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_labels_of_a_grid_stay_in_their_cells(seed):
    """Windows of several pictures lie side by side; none of their labels may reach far into the next."""
    ground = Labelled(np.full((90, 120), 80, np.uint8), unsure=np.array([[10, 10, 300, 300]], np.float32))
    scene = cut_scene(Source([drawn_face()], NO_PLACES), Source([ground], NO_PLACES), GRIDS, np.random.default_rng(seed))
    assert scene.image.shape == (128, 128)
    assert scene.image.dtype == np.uint8
    assert len(scene.boxes) == len(scene.points)
    assert (scene.ignored[:, :2] >= -1e-3).all()
    assert (scene.ignored[:, :2] + scene.ignored[:, 2:] <= 128 + 1e-3).all()
    assert (scene.boxes[:, 2] >= 7).all()


def test_a_false_alarm_of_before_is_looked_at_again():
    """With ``hard`` of 1 each window lies about the place, where the only bright spot is."""
    picture = np.zeros((600, 800), np.uint8)
    picture[400:420, 600:620] = 250
    source = Source([Labelled(picture)], np.array([[0, 600, 400, 20, 20]], np.float32))
    spec = msgspec.structs.replace(SPEC, hard=1.0)
    for seed in range(20):
        assert cut_scene(source, source, spec, np.random.default_rng(seed)).image.max() > 100


def test_what_is_hardly_inside_or_tiny_is_set_aside_and_ends_at_the_border():
    boxes = np.array([[10, 10, 30, 40], [-25, 10, 30, 40], [50, 50, 5, 6]], np.float32)
    labels = sorted_out(boxes, np.zeros((3, 5, 2), np.float32), np.zeros((0, 4), np.float32), 64)
    np.testing.assert_array_equal(labels.boxes, boxes[:1])
    np.testing.assert_array_equal(labels.ignored, [[0, 10, 5, 40], [50, 50, 5, 6]])


def test_most_faces_have_the_usual_width():
    spec = SceneSpec(smallest_px=8, largest_px=200, usual_px=32)
    widths = [draw_width(spec, np.random.default_rng(seed), 320) for seed in range(400)]
    assert np.mean([width <= 32 for width in widths]) > 0.7
    assert min(widths) >= 8
    assert 120 < max(widths) <= 200


def test_a_mirrored_face_keeps_its_right_eye_on_the_left():
    image = drawn_face().image
    scene = Scene(image, BOX[None], POINTS[None], np.zeros((0, 4), np.float32))
    mirrored = next(one for one in (flipped(scene, np.random.default_rng(seed)) for seed in range(20)) if one is not scene)
    np.testing.assert_array_equal(mirrored.image, image[:, ::-1])
    assert mirrored.points[0, 0, 0] < mirrored.points[0, 1, 0]
    assert mirrored.boxes[0, 0] == image.shape[1] - BOX[0] - BOX[2]


def test_the_shares_must_fit_together():
    with pytest.raises(ValueError, match="shares of one whole"):
        SceneSpec(pictures=0.6, real=0.3, negatives=0.2)


def test_places_are_kept_by_kind():
    hard = Hard(places=np.array([[NEGATIVES, 3, 1, 1, 9, 9], [PICTURES, 4, 2, 2, 8, 8]], np.float32))
    assert hard.of(NEGATIVES).tolist() == [[3, 1, 1, 9, 9]]
    assert hard.of(PICTURES).tolist() == [[4, 2, 2, 8, 8]]
