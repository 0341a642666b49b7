import csv

import numpy as np
import pytest

pytest.importorskip("torch", reason="reading checkpoints needs torch")

from engine.models.dlib_embedder import packaged_weights
from engine.models.dlib_weights import read_dlib_weights
from tests.trt_build.data.test_chips import faces, recipe
from trt_build.errors import DataError
from trt_build.measures.bootstrap import draw_people
from trt_build.measures.comparison import Comparison
from trt_build.measures.verification import generated_pairs
from trt_build.protocols.embedder import protocol
from trt_build.protocols.embedder.evaluation import SIZES_PX, choose_weights, distances, eyes_px, mixed, plain, rows_of
from trt_build.recipes.embedder import FacesSpec
from trt_build.systems.embedder.training import SCHEMA, new_state

PEOPLE = [f"p{index // 4}" for index in range(80)]
PAIRS = generated_pairs(PEOPLE, 0)


def vectors(noise, seed=0):
    """Of 20 people; ``noise`` by size."""
    rng = np.random.default_rng(seed)
    centres = np.repeat(np.random.default_rng(0).normal(size=(20, 128)), 4, axis=0)
    some = {size: centres + noise[size] * rng.normal(size=centres.shape) for size in SIZES_PX}
    return {size: (one / np.linalg.norm(one, axis=1, keepdims=True)).astype(np.float32) for size, one in some.items()}


GOOD = dict.fromkeys(SIZES_PX, 0.3)
BAD_WHEN_SMALL = GOOD | {12: 6.0, 16: 6.0}
BAD_WHEN_LARGE = dict.fromkeys(SIZES_PX, 6.0) | {12: 0.3, 16: 0.3}


def test_a_mixture_takes_each_network_where_it_is_good():
    base, small = vectors(BAD_WHEN_SMALL), vectors(BAD_WHEN_LARGE, 1)
    weights = choose_weights(base, small, PAIRS)
    assert weights[12] >= 0.5
    assert weights[16] >= 0.5
    assert weights[24] < 0.5
    result = mixed(base, small, weights)
    np.testing.assert_allclose(result[0], base[0], atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(result[12], axis=1), 1, rtol=1e-5)


def test_differences_are_paired_and_of_the_right_sign():
    systems = {"dlib": plain(vectors(BAD_WHEN_SMALL)), "ours": plain(vectors(GOOD, 2))}
    rows = rows_of(Comparison(draw_people(PEOPLE, 20, 0), PAIRS, PAIRS), False, systems)
    by = {(row.gallery, row.size_px, row.system): row for row in rows}
    assert len(by) == len(rows) == 2 * (5 + 4)
    assert by["sharp", 12, "ours"].tar_gain[0].low > 0
    assert by["sharp", 12, "ours"].accuracy.value > by["sharp", 12, "dlib"].accuracy.value
    same = by["low", 24, "dlib"]
    assert (same.tar_gain[0].value, same.tar_gain[0].low, same.tar_gain[0].high) == (0, 0, 0)


def test_distances_compare_with_the_gallery_that_was_asked_for():
    some = vectors(GOOD)
    pairs = generated_pairs(PEOPLE, 1)
    low = distances(some, pairs, ("low", 12))
    np.testing.assert_allclose(low, 1 - (some[12][pairs.left] * some[12][pairs.right]).sum(axis=1), atol=1e-6)
    sharp = distances(some, pairs, ("sharp", 12))
    np.testing.assert_allclose(sharp, 1 - (some[0][pairs.left] * some[12][pairs.right]).sum(axis=1), atol=1e-6)


def test_the_eyes_of_small_pictures_are_near_each_other():
    some = faces(3)
    assert eyes_px(some, 0) == pytest.approx(40, rel=0.1)
    assert eyes_px(some, 24) == pytest.approx(eyes_px(some, 0) / 6)


def test_checkpoints_in_a_table_out(tmp_path, monkeypatch):
    spec = FacesSpec(train="train", teacher="", kept_apart=0.5)
    checkpoint = tmp_path / "last.pt"
    chosen = recipe(name="ours", faces=spec)
    new_state(chosen, read_dlib_weights(packaged_weights())).save(checkpoint, SCHEMA)

    def load(source, teacher, cache, done):
        some = faces(16 if source.name == "train" else 12)
        kind = "a" if source.name == "train" else "b"
        return type(some)(some.images, some.matrices, tuple(f"{kind}{name}" for name in some.names))

    monkeypatch.setattr(protocol, "load_chip_faces", load)
    names = load(tmp_path, None, None, None).names
    table = tmp_path / "pairs.csv"
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image_a", "image_b", "same"])
        writer.writerows([[names[0], names[1], 1], [names[2], names[3], 1], [names[0], names[2], 0], [names[5], "gone", 0]])
    report = protocol.evaluate_embedders([checkpoint], tmp_path, table, tmp_path, lambda *_: None, rounds=3)
    assert (report.faces, report.people, report.same, report.different) == (12, 6, 6, 60)
    # An untrained copy of dlib's network is dlib's network.
    gains = [row.tar_gain[0].value for row in report.rows if row.system == "ours"]
    assert gains
    assert max(map(abs, gains)) == 0
    text = protocol.markdown(report)
    assert "| 12 px | ours, mixed |" in text
    assert "### Both faces small" in text
    protocol.write_report(report, tmp_path / "out" / "embedders.json")
    assert (tmp_path / "out" / "embedders.json").stat().st_size > 1000


def test_people_of_the_training_are_not_evaluated(tmp_path, monkeypatch):
    checkpoint = tmp_path / "last.pt"
    chosen = recipe(faces=FacesSpec(train="train", teacher="", kept_apart=0.5))
    new_state(chosen, read_dlib_weights(packaged_weights())).save(checkpoint, SCHEMA)
    monkeypatch.setattr(protocol, "load_chip_faces", lambda *_: faces(8))
    with pytest.raises(DataError, match="share"):
        protocol.evaluate_embedders([checkpoint], tmp_path, tmp_path / "pairs.csv", tmp_path, lambda *_: None)
    with pytest.raises(DataError, match="at least one"):
        protocol.evaluate_embedders([], tmp_path, tmp_path / "pairs.csv", tmp_path, lambda *_: None)


def test_a_table_of_other_faces_is_refused(tmp_path):
    table = tmp_path / "pairs.csv"
    with pytest.raises(DataError, match="does not exist"):
        protocol.read_pairing(table, faces())
    table.write_text("image_a,image_b,same\nx,y,1\n")
    with pytest.raises(DataError, match="of the faces given"):
        protocol.read_pairing(table, faces())
    table.write_text("image_a,image_b\nx,y\n")
    with pytest.raises(DataError, match="has no column same"):
        protocol.read_pairing(table, faces())
