"""What is stored and decided upon does not depend on the processor: each role is computed in the precision that it asks for."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import cv2
import numpy as np
import pytest
from insightface.data import get_image
from skimage.data import astronaut

from engine.config import DetectConfig, SuperResolveConfig
from engine.config.verify import VerifyConfig
from engine.detect.catalog import open_detector
from engine.errors import ConfigError
from engine.models import find_model
from engine.models.dlib_embedder import dlib_embedder
from engine.pictures.colour import planes_from_bgr
from engine.sessions.session import SessionSpec, open_session
from engine.super_resolve.generator import open_generator
from engine.verify.embedder import open_embedder
from tests.sessions.processors import EVERYWHERE, IMITATIONS, IN_FLOAT32, need

GATE = 0.9999
"""Smallest cosine between a vector and that of ONNX Runtime in float32, with which an embedder may be computed."""
EMBEDDERS = ("dlib", "dlib_small")
FEWER = 2
"""Every second chip, where a processor is imitated: what such a one does wrong it does with any picture, and slowly."""


def chips() -> np.ndarray:
    """Faces and other places of two photographs, (12, 3, 150, 150) float32 RGB as dlib's network takes them."""
    rng, found = np.random.default_rng(0), []
    for picture in (get_image("t1")[:, :, ::-1], astronaut()):
        for _ in range(6):
            side = int(rng.integers(60, 200))
            top, left = (int(rng.integers(0, size - side)) for size in picture.shape[:2])
            found.append(cv2.resize(picture[top : top + side, left : left + side], (150, 150), interpolation=cv2.INTER_AREA))
    return np.stack(found).transpose(0, 3, 1, 2).astype(np.float32)


def vectors(path: Path, runtime: str, precision: str, threads: int = 1, every: int = 1) -> np.ndarray:
    """Return (12, 128), each row of length 1; with ``every``, those of every n-th chip."""
    with open_session(SessionSpec(path, runtime, precision=precision, threads=threads)) as session:
        found = np.concatenate([session.run({"chip": chip[None]})[0] for chip in chips()[::every]])
    return found / np.linalg.norm(found, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return dlib_embedder(tmp_path_factory.mktemp("models")).parent


@pytest.fixture(scope="module")
def reference(folder):
    return {name: vectors(folder / f"{name}.onnx", "onnxruntime", "float32") for name in EMBEDDERS}


@pytest.mark.parametrize("name", EMBEDDERS)
@pytest.mark.parametrize(("runtime", "precision"), IN_FLOAT32)
@pytest.mark.parametrize("threads", [1, 2])
def test_embedders_pass_the_gate_in_float32(folder, reference, name, runtime, precision, threads):
    need(runtime)
    found = vectors(folder / f"{name}.onnx", runtime, precision, threads)
    assert (found * reference[name]).sum(axis=1).min() >= 0.999999
    assert np.abs(found @ found.T - reference[name] @ reference[name].T).max() < 1e-5  # what decisions rest on


def test_the_embedder_does_not_pass_it_in_bfloat16(folder, reference):
    need("openvino", "bfloat16")
    found = vectors(folder / "dlib.onnx", "openvino", "bfloat16")
    assert (found * reference["dlib"]).sum(axis=1).min() < GATE


def test_the_embedder_of_the_product_computes_in_float32():
    embedder = open_embedder(VerifyConfig(), find_model)
    assert embedder.runtime.endswith(" float32")
    embedder.close()


SCRIPT = """
    import sys
    from importlib.util import find_spec
    from pathlib import Path
    import numpy as np
    from tests.sessions.processors import IN_FLOAT32
    from tests.sessions.test_precision import EMBEDDERS, FEWER, chips, vectors

    folder, found = Path(sys.argv[1]), {}
    for name in EMBEDDERS:
        for runtime, precision in IN_FLOAT32:
            if find_spec(runtime):
                found[f"{name} {runtime}"] = vectors(folder / f"{name}.onnx", runtime, precision, every=FEWER)
    if find_spec("torch"):
        import trt_build
        import torch
        from engine.models.dlib_embedder import packaged_weights
        from engine.models.dlib_weights import read_dlib_weights
        from trt_build.networks.dlib_resnet import DlibResNet

        with torch.inference_mode():
            of_torch = DlibResNet(read_dlib_weights(packaged_weights())).eval()(torch.from_numpy(chips()[::FEWER])).numpy()
        found["dlib torch"] = of_torch / np.linalg.norm(of_torch, axis=1, keepdims=True)
    np.savez(folder / sys.argv[2], **found)
"""


@pytest.mark.parametrize("processor", IMITATIONS)
def test_vectors_of_every_processor_are_the_same(folder, reference, processor):
    """Those of a gallery that was enrolled on one and is compared on another; and those of training."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("ONEDNN_", "DNNL_", "ATEN_"))}
    subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT), str(folder), f"{processor}.npz"],
        env=environment | IMITATIONS[processor],
        check=True,
        timeout=240,
    )
    with np.load(folder / f"{processor}.npz") as found:
        assert "dlib onnxruntime" in found.files
        for key in found.files:
            cosines = (found[key] * reference[key.split()[0]][::FEWER]).sum(axis=1)
            assert cosines.min() >= 0.999999, key


@pytest.mark.parametrize(("runtime", "precision"), EVERYWHERE)
def test_a_detector_finds_the_same_faces(runtime, precision):
    need(runtime, precision)
    picture = get_image("t1")
    planes = [planes_from_bgr(cv2.resize(picture, None, fx=f, fy=f, interpolation=cv2.INTER_AREA)) for f in (0.5, 0.25)]
    found = []
    for settings in (DetectConfig(detector="grey"), DetectConfig(detector="grey", runtime=runtime, precision=precision)):
        detector = open_detector(settings, find_model)
        found.append(detector.detect(planes))
        detector.close()
    assert detector.runtime.startswith(runtime)
    assert detector.runtime.endswith(precision)
    score, box_px = (1e-5, 1e-3) if precision == "float32" else (0.01, 2.0)
    for expected, faces in zip(*found, strict=True):
        assert len(faces) == len(expected) >= 5
        places = [np.argsort(one.boxes[:, 0]) for one in (expected, faces)]
        np.testing.assert_allclose(faces.scores[places[1]], expected.scores[places[0]], atol=score)
        np.testing.assert_allclose(faces.boxes[places[1]], expected.boxes[places[0]], atol=box_px)


@pytest.mark.parametrize("generator", ["compact_fine_x4", "srcnn_x4"])
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(("runtime", "precision"), EVERYWHERE)
def test_a_generator_makes_the_same_picture(runtime, precision, threads, generator):
    need(runtime, precision)
    faces = [cv2.cvtColor(get_image("t1"), cv2.COLOR_BGR2GRAY)[at : at + 40, at : at + 33] for at in (100, 180, 300)]
    made = []
    for settings, number in (
        (SuperResolveConfig(generator=generator), 1),
        (SuperResolveConfig(generator=generator, runtime=runtime, precision=precision), threads),
    ):
        network = open_generator(settings, find_model, number)
        made.append(np.concatenate([picture.ravel() for picture in network.upscale(faces)]).astype(int))
        network.close()
    assert network.runtime.endswith(precision)
    apart = np.abs(made[0] - made[1])
    assert apart.max() <= (1 if precision == "float32" else 10)
    assert (apart**2).mean() <= (1e-3 if precision == "float32" else 3)


@pytest.mark.parametrize("settings", [{"generator": "bicubic"}, {"generator": "compact_fine_x4"}, {"generator": "zero-shot"}])
def test_a_generator_that_has_no_bfloat16_refuses_it(settings):
    with pytest.raises(ConfigError, match="in bfloat16"):
        open_generator(SuperResolveConfig(precision="bfloat16", **settings), find_model)


@pytest.mark.parametrize("settings", [{"detector": "grey"}, {"detector": "dlib-hog"}, {"detector": "scrfd:any"}])
def test_a_detector_that_has_no_bfloat16_refuses_it(settings):
    with pytest.raises(ConfigError, match="in bfloat16"):
        open_detector(DetectConfig(precision="bfloat16", **settings), find_model)
