"""The generator that a run takes when nobody chooses: described by its card, and better than bicubic on faces of both kinds."""

from functools import cache

import cv2
import numpy as np
import pytest

from engine.config import SuperResolveConfig
from engine.models import find_model
from tests.assets import shared
from tests.crop.photographs import FOUND, picture
from trt_build.data.face_sets import build_set, score_bicubic, score_set, subset
from trt_build.data.faces import Faces, load_faces
from trt_build.networks.onnx_generator import OnnxGenerator

SEED = 2024


@pytest.fixture(scope="module")
def generator():
    return OnnxGenerator(find_model(SuperResolveConfig().generator))


@cache
def photographed():
    """The luma of the seven faces in the photographs of our dependencies, as the training has them: 144 px, twice a face."""
    squares, names = [], []
    for name, found in FOUND.items():
        luma = cv2.cvtColor(picture(name), cv2.COLOR_BGR2GRAY)
        for number, (x, y, width, height, *_) in enumerate(found):
            square = cv2.getRectSubPix(luma, (round(1.5 * height),) * 2, (x + width / 2, y + height / 2))
            squares.append(cv2.resize(square, (144, 144), interpolation=cv2.INTER_AREA))
            names.append(f"{name}/{number}.png")
    return Faces(np.stack(squares), tuple(names))


def gains(generator, faces, kind, side):
    pairs = build_set(kind, faces, 4 * side, 4, SEED)
    base, found = score_bicubic(pairs), score_set(pairs, generator)
    return found.psnr - base.psnr, found.ssim - base.ssim


def test_manifest_and_card_tell_the_same(generator):
    manifest = generator.manifest
    card = generator.manifest_path.with_suffix(".md").read_text(encoding="utf-8")
    assert manifest.parameters <= 500_000
    assert manifest.parity.max_abs_error < 1e-4
    assert manifest.sha256 in card
    assert "LFW" in manifest.training_data
    assert f"{manifest.figures['psnr_gain_clean_db']:+.2f}" in card


def test_a_flat_picture_stays_flat(generator):
    flat = np.full((1, 24, 20), 128, np.uint8)
    assert np.abs(generator(flat)[:, 16:-16, 16:-16].astype(int) - 128).max() <= 2


@pytest.mark.parametrize(
    ("kind", "side", "psnr_gain", "ssim_gain"),
    [("clean", 32, 2.5, 0.047), ("clean", 16, 1.5, 0.07), ("surveillance", 32, 0.9, 0.05)],
)
def test_beats_bicubic_on_photographed_faces(generator, kind, side, psnr_gain, ssim_gain):
    psnr, ssim = gains(generator, photographed(), kind, side)
    assert psnr >= psnr_gain
    assert ssim >= ssim_gain


@pytest.mark.parametrize(
    ("kind", "side", "psnr_gain", "ssim_gain"),
    [("clean", 32, 3.3, 0.035), ("clean", 16, 2.2, 0.085), ("surveillance", 32, 1.8, 0.087)],
)
def test_beats_bicubic_on_people_it_never_saw(generator, kind, side, psnr_gain, ssim_gain):
    faces = subset(load_faces(shared("data/lfw_gray/val.zip")), 60, SEED)
    psnr, ssim = gains(generator, faces, kind, side)
    assert psnr >= psnr_gain
    assert ssim >= ssim_gain
