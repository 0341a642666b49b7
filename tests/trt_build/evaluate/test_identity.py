"""The identity protocol on a stand-in embedder; dlib's own on one real face."""

import numpy as np
import pytest

from tests.trt_build.tiny import smooth_faces
from trt_build.errors import DataError
from trt_build.evaluate import identity
from trt_build.evaluate.dlib_faces import CHIP_PX, ChipFinder, Embedder, cut_chip
from trt_build.train import degradation
from trt_build.train.smoke import smoke_faces


class MeanEmbedder:
    """A chip's 5x5 block means as its vector."""

    def __call__(self, chips, done=None):
        blocks = chips.reshape(len(chips), 5, 30, 5, 30).mean(axis=(2, 4))
        for _ in chips:
            if done is not None:
                done()
        return (blocks.reshape(len(chips), -1) / 255).astype(np.float32)


@pytest.fixture
def table(tmp_path):
    faces = smooth_faces(12, 144, people=6)
    path = tmp_path / "pairs.csv"
    same = [(i, i + 6, 1) for i in range(6)]
    other = [(i, (i + 1) % 6, 0) for i in range(6)]
    lines = [f"{faces.names[a]},{faces.names[b]},{s}" for a, b, s in same + other]
    path.write_text("\n".join(["image_a,image_b,same", *lines]))
    return path, faces


def test_pairs_are_read(table):
    pairs = identity.read_pairs(*table)
    assert pairs.same.sum() == 6
    assert pairs.people_left[:6] == pairs.people_right[:6]


def test_wrong_tables_are_named(table, tmp_path):
    path, faces = table
    with pytest.raises(DataError, match="does not exist"):
        identity.read_pairs(tmp_path / "none.csv", faces)
    path.write_text("image_a,image_b,same\nNobody/x.jpg,Nobody/y.jpg,1\n")
    with pytest.raises(DataError, match="does not fit the faces"):
        identity.read_pairs(path, faces)


def test_all_rows_of_the_protocol(table, monkeypatch):
    monkeypatch.setattr(identity, "ROUNDS", 20)
    pairs = identity.read_pairs(*table)
    counted = []
    gallery = identity.Gallery(table[1], pairs, MeanEmbedder(), counted.append)
    repeat = lambda low: low.repeat(4, axis=1).repeat(4, axis=2)  # noqa: E731
    rows = identity.compare(gallery, pairs, identity.embeddings(gallery, repeat), seed=0)
    assert len(rows) == 1 + 2 * 3 * 3
    assert {row.picture for row in rows} == {"sharp", "original", "enhanced", "fused"}
    assert sum(counted) == 12 * 7
    for row in rows:
        assert 0 <= row.tar.low <= row.tar.high <= 1


def test_the_chip_of_a_small_face_shows_the_same_place():
    face = smoke_faces(1, 0).images[0]
    matrix = ChipFinder().matrix(face)
    sharp = cut_chip(face, matrix, 144).astype(float)
    small = cut_chip(degradation.clean(face, 72), matrix, 144).astype(float)
    assert sharp.shape == (CHIP_PX, CHIP_PX)

    def error(shift):
        return np.abs(np.roll(small, shift, axis=1) - sharp)[20:-20, 20:-20].mean()

    assert min(range(-4, 5), key=error) == 0


def test_embeddings_are_kept(tmp_path):
    faces = smoke_faces(2, 0).images
    finder = ChipFinder()
    chips = np.stack([cut_chip(face, finder.matrix(face), 144) for face in faces])
    embedder = Embedder(tmp_path)
    first = embedder(chips)
    embedder.close()
    again = Embedder(tmp_path)
    again._network = None
    np.testing.assert_array_equal(again(chips), first)
    again.close()
    assert first.shape == (2, 128)
    assert np.any(first[0] != first[1])
