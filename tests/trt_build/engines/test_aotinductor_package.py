"""A package of AOTInductor: compiled for this CPU, and computed by its session. On a GPU nobody has computed one yet."""

import os
import shutil
import threading
from importlib.metadata import PackageNotFoundError
from types import SimpleNamespace

import numpy as np
import onnxruntime
import pytest

pytest.importorskip("torch", reason="needs the extra aotinductor")

import torch

from engine.contracts.engine_manifest import read_engine_manifest
from engine.errors import InferenceError, ModelError
from engine.sessions.built_engines import BuiltEngine
from engine.sessions.session import SessionSpec, open_session
from engine.super_resolve.manifest_generator import ManifestGenerator
from engine.super_resolve.wish import Wish
from tests.together import run_together
from tests.trt_build.engines.networks import generator_model
from tests.trt_build.engines.orders import order_of
from trt_build.engines import aotinductor_package as making
from trt_build.engines import targets
from trt_build.engines.build import build
from trt_build.errors import ExportError

pytestmark = pytest.mark.skipif(shutil.which(os.environ.get("CXX", "g++")) is None, reason="AOTInductor needs a C++ compiler")
SHAPES = {"luma": ((1, 1, 8, 8), (2, 1, 24, 24), (4, 1, 64, 64))}


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    path = tmp_path_factory.mktemp("package") / "tiny.pt2"
    path.write_bytes(making.aotinductor_package(generator_model(), "tiny", SHAPES, on_gpu=False))
    return path


def expected(picture):
    session = onnxruntime.InferenceSession(generator_model().SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"luma": picture})[0]


def noise(*shape):
    return np.random.default_rng(sum(shape)).random(shape, np.float32)


def test_every_size_and_batch_of_the_profile(package):
    with open_session(SessionSpec(package, "aotinductor")) as session:
        assert session.runtime == f"aotinductor {torch.__version__} cpu float32"
        assert [str(one) for one in (*session.inputs, *session.outputs)] == [
            "luma (?x1x?x?, float32)",
            "enhanced (?x1x?x?, float32)",
        ]
        for shape in ((1, 1, 8, 8), (2, 1, 24, 24), (1, 1, 64, 9), (4, 1, 31, 64), (3, 1, 13, 57)):
            picture = noise(*shape)
            picture.flags.writeable = False  # as one that came from another process
            np.testing.assert_allclose(session.run({"luma": picture})[0], expected(picture), atol=1e-5)


def test_several_threads_at_once(package):
    pictures = [noise(1 + at % 3, 1, 10 + at, 40 - at) for at in range(8)]
    known = [expected(picture) for picture in pictures]
    with open_session(SessionSpec(package, "aotinductor")) as session:
        off = []

        def ask(at):
            for _ in range(10):
                off.append(np.abs(session.run({"luma": pictures[at]})[0] - known[at]).max())

        run_together([threading.Thread(target=ask, args=(at,)) for at in range(8)])
    assert max(off) < 1e-5
    assert len(off) == 80


def test_what_does_not_fit_and_what_is_closed(package):
    session = open_session(SessionSpec(package, "aotinductor", name="tiny"))
    with pytest.raises(InferenceError, match=r"tiny: input tensor luma, got luma \(1x3x8x8, float32\)"):
        session.run({"luma": noise(1, 3, 8, 8)})
    session.close()
    session.close()
    with pytest.raises(InferenceError, match="tiny is closed"):
        session.run({"luma": noise(1, 1, 8, 8)})


def test_a_damaged_package_is_one_sentence(package, tmp_path):
    cut = tmp_path / "cut.pt2"
    cut.write_bytes(package.read_bytes()[:5000])
    with pytest.raises(ModelError, match=r"^cut cannot be loaded by torch \S+: it is damaged, of another version, or not what"):
        open_session(SessionSpec(cut, "aotinductor", name="cut"))


def test_it_is_an_engine_like_others(package, model, shop, faces, monkeypatch):
    """Built, compared with its model, found again, and opened by whoever asks for it."""
    monkeypatch.setattr(targets, "aotinductor_package", lambda *given, **how: package.read_bytes())  # it takes its time
    order = order_of(model, "aotinductor")
    made = build(order, shop)
    manifest = read_engine_manifest(made.path)
    assert made.path.name == "tiny-aotinductor-fp32.pt2"
    assert (manifest.key.target_version, manifest.key.compute_capability) == (torch.__version__, "")
    assert manifest.parity.verdict == "passed", manifest.parity
    assert not build(order, shop).is_new
    assert BuiltEngine(made.path, manifest).name == "aotinductor float32"
    generator = ManifestGenerator(SessionSpec(model), Wish("aotinductor", "float32", shop.folder))
    assert generator.runtime.startswith(f"aotinductor {torch.__version__} cpu float32 (gate passed on 2 faces")
    (enlarged,) = generator.upscale([np.full((9, 12), 128, np.uint8)])
    assert enlarged.shape == (18, 24)
    generator.close()


def test_for_a_gpu_it_wants_one():
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(ExportError, match=r"torch \S+ finds no CUDA here to compile tiny for: install a driver and a torch"):
        making.aotinductor_package(generator_model(), "tiny", SHAPES, on_gpu=True)


def test_what_torch_cannot_compile_is_one_sentence(monkeypatch):
    def broken(*given, **how):
        raise RuntimeError("no compiler\nand many lines")

    monkeypatch.setattr(torch._inductor, "aoti_compile_and_package", broken)
    with pytest.raises(ExportError, match=r"^torch \S+ cannot compile tiny: no compiler\.$"):
        making.aotinductor_package(generator_model(), "tiny", SHAPES, on_gpu=False)


def test_torch_is_told_where_the_headers_are_that_came_with_it(monkeypatch, tmp_path):
    """It looks for a toolkit alone, and without one refused to compile for any GPU."""

    def brought(package):
        if package != "nvidia-cuda-runtime":
            raise PackageNotFoundError(package)
        names = ("lib/libcudart.so.13", "include/cuda.h", "include/crt/cuda.hpp")
        return [SimpleNamespace(name=name.split("/")[-1], locate=lambda name=name: tmp_path / "cu13" / name) for name in names]

    monkeypatch.setattr(making.shutil, "which", lambda name: None)
    monkeypatch.setattr(making, "_TOOLKIT", tmp_path / "nowhere")
    monkeypatch.setattr(making, "files", brought)
    monkeypatch.delenv("CUDA_PATH", raising=False)
    monkeypatch.setenv("CUDA_HOME", "/opt/mine")
    making._tell_where_cuda_is()
    assert os.environ["CUDA_HOME"] == "/opt/mine"
    monkeypatch.setenv("CUDA_HOME", "")
    making._tell_where_cuda_is()
    assert os.environ["CUDA_HOME"] == str(tmp_path / "cu13")
