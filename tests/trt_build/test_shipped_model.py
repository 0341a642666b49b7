"""The default weights: described by their manifest, and better than bicubic on both fixed sets."""

from pathlib import Path

import numpy as np
import pytest

from tests.assets import shared
from trt_build.evaluate.face_sets import build_set, score_bicubic, score_set, subset
from trt_build.onnx_generator import OnnxGenerator
from trt_build.train.faces import load_faces

MODELS = Path(__file__).parents[2] / "engine" / "models"
SEED = 2024


@pytest.fixture(scope="module")
def generator():
    return OnnxGenerator(MODELS / "compact_x4.onnx")


@pytest.fixture(scope="module")
def faces():
    return subset(load_faces(shared("data/lfw_gray/val.zip")), 200, SEED)


def test_manifest_and_card_tell_the_same(generator):
    manifest = generator.manifest
    card = (MODELS / "compact_x4.md").read_text(encoding="utf-8")
    assert manifest.parameters <= 500_000
    assert manifest.parity.max_abs_error < 1e-4
    assert manifest.sha256 in card
    assert "LFW" in manifest.training_data
    assert f"{manifest.figures['psnr_gain_clean_db']:+.2f}" in card


def test_a_flat_picture_stays_flat(generator):
    flat = np.full((1, 24, 20), 128, np.uint8)
    assert np.abs(generator(flat)[:, 16:-16, 16:-16].astype(int) - 128).max() <= 2


@pytest.mark.parametrize(("kind", "psnr_gain", "ssim_gain"), [("clean", 2.8, 0.03), ("surveillance", 1.0, 0.03)])
def test_beats_bicubic_on_people_it_never_saw(generator, faces, kind, psnr_gain, ssim_gain):
    pairs = build_set(kind, faces, 128, 4, SEED)
    base, found = score_bicubic(pairs), score_set(pairs, generator)
    assert found.psnr - base.psnr >= psnr_gain
    assert found.ssim - base.ssim >= ssim_gain
