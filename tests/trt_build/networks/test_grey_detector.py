import dataclasses

import msgspec
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from engine.contracts.frames import Planes  # noqa: E402
from engine.detect.grey import GreyDetector as Running  # noqa: E402
from engine.sessions.session import SessionSpec  # noqa: E402
from tests.trt_build.data.scenes.made import BOX, drawn_face, material, recipe  # noqa: E402
from trt_build.data.scenes.compose import compose  # noqa: E402
from trt_build.data.scenes.geometry import overlaps  # noqa: E402
from trt_build.data.scenes.hard import NEGATIVES, PICTURES, Hard, read_hard, write_hard  # noqa: E402
from trt_build.data.scenes.teacher import Labelled  # noqa: E402
from trt_build.networks.grey_detector import GreyDetector, boxes_of, cells_of  # noqa: E402
from trt_build.recipes.detector import DetectorLossSpec, DistilSpec, MiningSpec, NetworkSpec  # noqa: E402
from trt_build.systems.detector.batches import SceneBatches  # noqa: E402
from trt_build.systems.detector.export import export_detector  # noqa: E402
from trt_build.systems.detector.losses import detection_loss, unlikeness  # noqa: E402
from trt_build.systems.detector.scoring import find_faces, measure  # noqa: E402
from trt_build.systems.detector.training import Trainer, last_validation, load_detector, new_state  # noqa: E402

NETWORK = {"stem": (4, 8), "widths": (16, 16, 16), "depths": (1, 1, 1), "neck": 16}


class Quiet:
    def __init__(self):
        self.rows, self.losses = [], []

    def on_prepare(self, what, done, total):
        pass

    def on_step(self, step, fraction, loss, parts, rate):
        self.losses.append(loss)

    def on_validation(self, row):
        self.rows.append(row)


def batches_of(some, hard, different=64):
    """Yield so many batches again and again: to compose them takes longer than to learn from them."""
    batches = SceneBatches(material(), some, hard)
    made = []
    for step in range(different):
        made.append([torch.from_numpy(part) for part in batches[step]])
        yield made[-1]
    while True:
        yield from made


def train(some, folder):
    watcher, pictures = Quiet(), []
    for seed in range(12):
        scene = compose(material(), [], some.scene, np.random.default_rng(seed))
        pictures.append(Labelled(scene.image, scene.boxes, scene.points, scene.ignored))
    batches = batches_of(some, folder / "hard.npz")
    return Trainer(new_state(some), batches, material(), pictures, folder, watcher).run(), watcher


def test_the_outputs_cover_every_cell_of_every_level():
    network = GreyDetector(**NETWORK).eval()
    raw = network(torch.zeros(2, 1, 64, 96))
    cells = cells_of(64, 96)
    assert raw.shape == (2, 8 * 12 + 4 * 6 + 2 * 3, 15)
    assert len(cells[0]) == len(cells[1]) == raw.shape[1]
    assert raw[..., 0].sigmoid().max() < 0.1  # faces are rare before training


def test_the_shipped_recipe_is_a_network_of_less_than_a_quarter_of_a_million_numbers():
    from trt_build.networks.grey_detector import count_parameters
    from trt_build.recipes.detector import DetectorRecipe
    from trt_build.recipes.files import find_recipe, read_recipe_of

    chosen = read_recipe_of(DetectorRecipe, find_recipe("grey_detector"))
    assert isinstance(chosen.network, NetworkSpec)
    network = GreyDetector(**msgspec.structs.asdict(chosen.network))
    assert 60_000 < count_parameters(network) < 250_000


def test_the_loss_is_small_where_the_network_is_right(tmp_path):
    some = recipe()
    batches = SceneBatches(material(), some, tmp_path / "hard.npz")
    image, state, boxes, points = (
        torch.from_numpy(part) for part in next(one for one in map(batches.__getitem__, range(9)) if 1 in one[1])
    )
    side = image.shape[2]
    cells = cells_of(side, side)
    learn = state == 1
    place, stride = cells
    right = torch.zeros(*state.shape, 15)
    right[..., 0] = torch.where(learn, 8.0, -8.0)
    middle = boxes[..., :2] + boxes[..., 2:] / 2
    right[..., 1:3] = middle / stride[:, None] - place
    right[..., 3:5] = (boxes[..., 2:] / stride[:, None]).clamp(min=1e-3).log()
    right[..., 5:] = points
    wrong = right.clone()
    wrong[..., 1:] += 0.7
    good, parts = detection_loss(right, cells, (state, boxes, points), DetectorLossSpec(), 0.0)
    bad, _ = detection_loss(wrong, cells, (state, boxes, points), DetectorLossSpec(), 0.0)
    late, _ = detection_loss(wrong, cells, (state, boxes, points), DetectorLossSpec(), 0.9)
    assert float(good) < 0.05
    assert parts["points"] < 1e-3
    assert float(late) > float(bad) > 1
    torch.testing.assert_close(boxes_of(right[..., 1:5], cells)[learn], boxes[learn], atol=1e-3, rtol=1e-4)


def test_unknown_points_teach_nothing_and_doubtful_cells_what_the_teacher_says():
    cells = cells_of(32, 32)
    count = len(cells[0])
    raw = torch.randn(1, count, 15, requires_grad=True)
    state = torch.zeros(1, count, dtype=torch.uint8)
    state[0, 0], state[0, 1] = 1, 2
    boxes = torch.tensor([0.0, 0.0, 8.0, 8.0]).expand(1, count, 4)
    points = torch.full((1, count, 10), float("nan"))
    soft = torch.full((1, count), 0.9)
    loss, parts = detection_loss(raw, cells, (state, boxes, points), DetectorLossSpec(), 0.0, soft, 1.0)
    loss.backward()
    assert torch.isfinite(loss)
    assert parts["points"] == 0
    assert raw.grad is not None
    assert raw.grad[..., 5:].abs().max() == 0
    assert raw.grad[0, 1, 0] < 0  # it should be surer of this cell
    assert raw.grad[0, 2, 0] > 0


def test_features_are_compared_by_direction_where_they_were_chosen():
    features = torch.tensor([[[1.0, 0.0], [0.0, 2.0], [5.0, 5.0]]])
    chosen = torch.tensor([[1, 0]])
    assert float(unlikeness(features, chosen, torch.tensor([[[0.0, 9.0], [3.0, 0.0]]]))) == pytest.approx(0, abs=1e-6)
    assert float(unlikeness(features, chosen, torch.tensor([[[1.0, 0.0], [0.0, 1.0]]]))) == pytest.approx(1, abs=1e-6)


class Looker:
    """Sees nothing wrong in a scene, and in every cell the number of it."""

    def label(self, image, *, full_range):
        return Labelled(image)

    def look(self, image):
        cells = sum((image.shape[0] // stride) ** 2 for stride in (8, 16, 32))
        return np.linspace(0, 1, cells, dtype=np.float32), np.tile(np.arange(cells, dtype=np.float32)[:, None], (1, 16))


def test_a_batch_holds_the_teachers_features_of_the_cells_of_faces(tmp_path):
    some = recipe(distil=DistilSpec(features=1.0))
    batches = SceneBatches(material(), some, tmp_path / "hard.npz", Looker())
    _, state, _, _, soft, chosen, features = batches[1]
    assert soft.shape == state.shape
    assert features.shape == (*chosen.shape, 16)
    np.testing.assert_array_equal(features[..., 0], chosen)
    for of_one, numbers in zip(state, chosen, strict=True):
        assert set(np.flatnonzero(of_one)) <= set(numbers.tolist())


def test_false_alarms_in_real_pictures_are_kept_as_places(tmp_path):
    """A network that sees faces everywhere: what it says away from the only face is kept, with the number of the picture."""
    some = recipe(mining=MiningSpec(pictures=8, negatives=0.5, faces=0.5, min_score=0.001))
    face = drawn_face()
    wide = Labelled(np.pad(face.image, ((0, 0), (0, 400)), mode="edge"), face.boxes, face.points)
    real = dataclasses.replace(material(), pictures=[wide], negatives=[Labelled(np.full((200, 300), 99, np.uint8))])
    trainer = Trainer(new_state(some), batches_of(some, tmp_path / "hard.npz"), real, [], tmp_path, Quiet())
    trainer._mine()
    hard = read_hard(tmp_path / "hard.npz")
    assert len(hard.of(NEGATIVES)) > 0
    assert (overlaps(hard.of(PICTURES)[:, 1:], face.boxes) == 0).all()


def test_it_learns_to_find_a_drawn_face_and_the_export_finds_the_same(tmp_path):
    from trt_build.recipes.timed import BudgetSpec, OptimiserSpec

    optimiser = OptimiserSpec(rate=1.2e-2, warmup_steps=10, ema_decay=0.9, clip_norm=10.0)
    loss = DetectorLossSpec(late_from=1.0)
    state, watcher = train(recipe(budget=BudgetSpec(steps=350), optimiser=optimiser, loss=loss, batch=8), tmp_path)
    assert np.mean(watcher.losses[-10:]) < 0.65 * np.mean(watcher.losses[:10])
    assert (tmp_path / "best.pt").exists()
    assert watcher.rows[-1]["step"] == 350
    picture = np.full((128, 192), 120, np.uint8)
    picture[10:82, 60:132] = drawn_face().image[::2, ::2]
    network, _ = load_detector(tmp_path / "last.pt")
    before = find_faces(network, picture, 0.2)
    assert len(before) >= 1
    expected = np.array([[60 + BOX[0] / 2, 10 + BOX[1] / 2, BOX[2] / 2, BOX[3] / 2]], np.float32)
    # So short a training finds the face; which of several doubtful boxes is the surest, the processor still decides.
    assert overlaps(before.boxes, expected).max() > 0.25
    network, _ = load_detector(tmp_path / "last.pt")
    validated = last_validation(tmp_path / "last.pt")
    manifest = export_detector(network, tmp_path / "out", "tiny", "Apache-2.0", "drawn", 0.2, 0.3, validated)
    assert manifest.figures.items() >= {"min_score": 0.2, "sure_score": 0.3}.items()
    assert manifest.figures["validation_recall"] == round(watcher.rows[-1]["recall"], 4)
    running = Running(SessionSpec(tmp_path / "out" / "tiny.json", "onnxruntime"), None)
    grey = np.full((64, 96), 128, np.uint8)
    (after,) = running.detect([Planes(picture, grey, grey)])
    np.testing.assert_allclose(after.boxes[0], before.boxes[0], atol=0.5)
    np.testing.assert_allclose(after.scores[0], before.scores[0], atol=0.01)
    assert (running.min_score, running.sure_score) == (0.2, 0.3)
    assert measure(state.ema, [drawn_face()]).labelled[0][0] == 72


def test_false_alarms_survive_the_disk(tmp_path):
    windows = [np.arange(12, dtype=np.uint8).reshape(3, 4), np.zeros((2, 5), np.uint8)]
    places = np.array([[0, 7, 1, 2, 30, 40], [1, 5, 3, 4, 50, 60]], np.float32)
    write_hard(tmp_path / "hard.npz", Hard(windows, places))
    again = read_hard(tmp_path / "hard.npz")
    for ours, theirs in zip(again.windows, windows, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(again.of(1), [[5, 3, 4, 50, 60]])
    assert len(again) == 4
    write_hard(tmp_path / "hard.npz", Hard())
    assert len(read_hard(tmp_path / "hard.npz")) == 0


def test_the_last_step_is_validated_once(tmp_path):
    _, watcher = train(recipe(validate_every_minutes=1e-9), tmp_path)
    assert [row["step"] for row in watcher.rows] == [1, 2, 3]
