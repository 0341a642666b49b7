"""Who was not recognised cannot be recognised from what leaves."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.config import PublishConfig
from engine.config.verify import VerifyConfig
from engine.models.catalog import find_model
from engine.pictures.veil import BLOCKS, hide, veiled
from engine.publish.encode import parts_of, track_parts_of
from engine.verify.embedder import open_embedder
from tests.publish.samples import pictures
from tests.verify.faces import PEOPLE, portrait

VECTOR = np.zeros(4, np.float32)


def sent(redact: str, is_known: bool, **config):
    original, enhanced = pictures()
    chosen = PublishConfig(redact=redact, **config)
    parts, payloads = parts_of(chosen, original, enhanced, VECTOR, "compact_x4", is_known=is_known)
    return {part.name: payload for part, payload in zip(parts, payloads, strict=True)}


@pytest.mark.parametrize(
    ("redact", "is_known", "names"),
    [
        ("none", False, ["enhanced", "original", "embedding"]),
        ("blur", True, ["enhanced", "original", "embedding"]),
        ("blur", False, ["original", "embedding"]),
        ("vectors", True, ["embedding"]),
        ("vectors", False, ["embedding"]),
    ],
)
def test_what_leaves_of_a_face(redact, is_known, names):
    plain, left = sent("none", False), sent(redact, is_known)
    assert list(left) == names
    assert (left.get("original") == plain["original"]) == (redact == "none" or (redact == "blur" and is_known))


def test_a_face_of_which_only_the_enhanced_picture_is_wanted_is_hidden_too():
    assert list(sent("blur", False, parts=("enhanced",))) == ["original"]
    assert list(sent("vectors", False, parts=("enhanced",))) == []


@pytest.mark.parametrize("redact", ["none", "blur", "vectors"])
@pytest.mark.parametrize("is_known", [False, True])
@pytest.mark.parametrize("wanted", [("enhanced", "original", "embedding"), ("original",), ("embedding", "enhanced")])
def test_what_was_made_of_many_frames_leaves_where_enhanced_faces_do(redact, is_known, wanted):
    config = PublishConfig(redact=redact, parts=wanted)
    _, large = pictures()
    parts, payloads = track_parts_of(config, VECTOR, large, large[..., 0], "mean_x4", is_known=is_known)
    shown = [part.name for part in parts if part.name != "embedding"]
    assert shown == (["track", "agreement"] if "enhanced" in sent(redact, is_known, parts=wanted) else [])
    assert ("embedding" in [part.name for part in parts]) == ("embedding" in wanted)
    for part, payload in zip(parts, payloads, strict=True):
        assert part.name == "embedding" or b"AI-enhanced by facestream mean_x4; not for identification" in payload
    assert [part.shape for part in parts if part.name in shown] == [(128, 128, 3), (128, 128, 1)][: len(shown)]


@pytest.mark.parametrize("size", [(86, 70), (5, 3), (1, 1), (400, 7), (6, 6), (333, 500)])
def test_a_picture_keeps_its_size_and_has_a_few_blocks(size):
    picture = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    hidden = veiled(picture)
    assert hidden.shape == picture.shape
    assert len(np.unique(hidden.reshape(-1, 3), axis=0)) <= BLOCKS**2
    assert set(np.unique(hidden) % 32) == {16}


def test_one_pixel_changes_nothing_or_a_block():
    """What leaves rests on means alone: a pixel cannot be read out of it."""
    picture = np.full((60, 60, 3), 100, np.uint8)
    other = picture.copy()
    other[31, 31] = 0
    np.testing.assert_array_equal(veiled(picture), veiled(other))


def test_the_products_own_embedder_recognises_nobody_of_them():
    """Also where all hidden pictures of a track are taken together, and against the sharp picture of the same moment."""
    embedder = open_embedder(VerifyConfig(), find_model)
    faces = [portrait(*person, size_px=48) for person in PEOPLE[:3]]
    sharp = embedder.embed(*zip(*faces, strict=True))
    for (picture, landmarks), own in zip(faces, sharp, strict=True):
        views = [picture, *(np.roll(picture, (dy, dx), (0, 1)) for dy in (-2, 2) for dx in (-3, 1))]
        hidden = [veiled(view) for view in views]
        vectors = embedder.embed(hidden, [landmarks] * len(hidden))
        mean = np.mean([cv2.GaussianBlur(view, (0, 0), 3) for view in hidden], 0).astype(np.uint8)
        fused = vectors.sum(0) / np.linalg.norm(vectors.sum(0))
        together = [*vectors, fused, embedder.embed([mean], [landmarks])[0]]
        assert max(float(vector @ own) for vector in together) < embedder.known_cosine
        assert float(embedder.embed([picture], [landmarks])[0] @ own) > 0.999
    embedder.close()


def test_faces_of_a_picture_are_hidden_with_what_surrounds_them():
    picture = np.random.default_rng(3).integers(0, 255, (120, 160, 3), np.uint8)
    before = picture.copy()
    hide(picture, [(50.0, 40.0, 20.0, 20.0), (150.0, -8.0, 20.0, 20.0), (500.0, 500.0, 9.0, 9.0), (-50.0, 5.0, 10.0, 10.0)])
    changed = np.argwhere((picture != before).any(axis=2))
    hidden = {(row, column) for row, column in changed.tolist()}
    assert {(40, 50), (59, 69), (33, 43), (66, 76), (0, 155)} <= hidden
    assert not {(30, 60), (69, 60), (50, 40), (50, 79), (60, 155)} & hidden
    np.testing.assert_array_equal(picture[32:68, 42:78], veiled(before[32:68, 42:78]))
