"""ONNX Runtime on a GPU, over stand-ins: the provider of another package is ONNX Runtime's own for the CPU, so that registered
devices, settings and sessions are the real ones; the build with CUDA is this one, which says that it has it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from engine.errors import ConfigError, InferenceError, MissingRuntimeError, ModelError
from engine.sessions import onnxruntime_providers, packages
from engine.sessions.onnxruntime_providers import ON_CUDA, ON_RTX, provider_for
from engine.sessions.session import SessionSpec, open_session
from tests.onnx_models import doubling_model

MODULE = "onnxruntime_ep_nv_tensorrt_rtx"
CPU = "CPUExecutionProvider"
PICTURE = {"x": np.arange(24, dtype=np.float32).reshape(1, 2, 3, 4)}


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """NVIDIA's package: ``seen`` has what ONNX Runtime was told."""
    if not hasattr(onnxruntime, "register_execution_provider_library"):
        pytest.skip("needs an ONNX Runtime that takes other packages' providers")
    plugin = SimpleNamespace(get_ep_name=lambda: CPU, get_library_path=lambda: "/rtx/provider.so", seen=[])
    monkeypatch.setitem(sys.modules, MODULE, plugin)
    monkeypatch.setattr(onnxruntime, "register_execution_provider_library", lambda *told: plugin.seen.append(told))
    add = onnxruntime.SessionOptions.add_provider_for_devices

    def added(options: Any, gpus: list[Any], settings: dict[str, str]) -> None:
        plugin.seen.append(([gpu.ep_name for gpu in gpus], settings))
        add(options, gpus, settings)

    monkeypatch.setattr(onnxruntime.SessionOptions, "add_provider_for_devices", added)
    onnxruntime_providers._registered.cache_clear()
    yield plugin
    onnxruntime_providers._registered.cache_clear()


def engine(folder: Path, **settings: str) -> SessionSpec:
    """An engine that holds settings, as `trt-build build` writes it."""
    model = onnx.load_model_from_string(doubling_model())
    onnx.helper.set_model_props(model, settings)
    path = folder / "face.onnx"
    path.write_bytes(model.SerializeToString())
    return SessionSpec(path, ON_RTX, "cuda:0", name="face", engine="float16")


def test_an_engine_is_computed_with_what_it_holds(tmp_path: Path, package: SimpleNamespace):
    spec = engine(tmp_path, nv_profile_min_shapes="x:1x2x1x1", producer="somebody")
    for _ in range(2):
        with open_session(spec) as session:
            assert session.runtime == f"{ON_RTX} {onnxruntime.__version__} {CPU} float16"
            doubled, _more = session.run(PICTURE)
            np.testing.assert_array_equal(doubled, 2 * PICTURE["x"])
    settings = {"nv_profile_min_shapes": "x:1x2x1x1", "nv_runtime_cache_path": str(tmp_path / "face.onnx.cache")}
    assert package.seen == [(CPU, "/rtx/provider.so"), ([CPU], settings), ([CPU], settings)], "registered once"
    assert (tmp_path / "face.onnx.cache").is_dir()


def test_where_nothing_can_be_kept_it_is_opened_all_the_same(tmp_path: Path, package: SimpleNamespace):
    """It opens nothing where it is given a folder that it cannot make."""
    spec = engine(tmp_path)
    (tmp_path / "face.onnx.cache").touch()
    open_session(spec).close()
    assert package.seen[-1] == ([CPU], {})


def test_a_damaged_engine_is_one_sentence(tmp_path: Path, package: SimpleNamespace):
    spec = engine(tmp_path)
    spec.path.write_bytes(b"no model")
    with pytest.raises(ModelError, match="face cannot be loaded: it is not an ONNX file, or it is damaged"):
        open_session(spec)


def test_what_is_missing_for_tensorrt_rtx_is_said(package: SimpleNamespace, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(ConfigError, match="there is no cuda:7 for ONNX Runtime's provider of TensorRT-RTX: it finds 1 GPU"):
        provider_for(ON_RTX, "cuda:7")
    with pytest.raises(ConfigError, match=f"{ON_RTX} computes on a GPU: use the device cuda:0, or another runtime"):
        provider_for(ON_RTX, "cpu")
    monkeypatch.setattr(onnxruntime, "get_ep_devices", lambda: [])
    with pytest.raises(MissingRuntimeError, match=r"finds no GPU here that it knows .*, or no driver: see what nvidia-smi"):
        provider_for(ON_RTX, "cuda:0")


def test_a_library_that_cannot_be_loaded_is_said_in_its_own_words(package: SimpleNamespace, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, MODULE, package)
    with pytest.raises(MissingRuntimeError, match=r"cannot load its provider of TensorRT-RTX: .*provider\.so.*pip install -"):
        provider_for(ON_RTX, "cuda:0")


def test_what_cuda_comes_along_is_loaded_first(package: SimpleNamespace, tmp_path: Path):
    """NVIDIA's package 0.5.0 has it beside the provider, where no linker looks, and does not load it."""
    (tmp_path / "libcudart.so.12.9").write_bytes(b"no library")
    package.get_library_path = lambda: str(tmp_path / "provider.so")
    with pytest.raises(MissingRuntimeError, match=r"cannot load its provider of TensorRT-RTX: .*libcudart\.so\.12\.9: "):
        provider_for(ON_RTX, "cuda:0")
    assert package.seen == []


def test_a_driver_that_is_missing_is_said_as_such(package: SimpleNamespace, monkeypatch: pytest.MonkeyPatch):
    def refused(name: str, path: str) -> None:
        raise RuntimeError(f"Failed to load library {path} with error: libcuda.so.1: cannot open shared object file")

    monkeypatch.setattr(onnxruntime, "register_execution_provider_library", refused)
    with pytest.raises(MissingRuntimeError, match=r"RTX: there is no NVIDIA driver here, or too old a one: install a current"):
        provider_for(ON_RTX, "cuda:0")


def test_an_onnx_runtime_that_takes_no_other_providers(package: SimpleNamespace, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delattr(onnxruntime, "register_execution_provider_library")
    with pytest.raises(MissingRuntimeError, match=r"takes no providers of other packages: pip install 'onnxruntime>=1\.24'"):
        provider_for(ON_RTX, "cuda:0")


def test_a_package_that_is_not_there(package: SimpleNamespace, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, MODULE, None)
    with pytest.raises(MissingRuntimeError, match=r"is not installed: pip install 'facestream\[onnxruntime-rtx\]'"):
        provider_for(ON_RTX, "cuda:0")


class OnCuda:
    """A session of a build with CUDA."""

    given: dict[str, Any] = {}
    works = True
    fails = ""

    def __init__(self, model: Any, options: Any, **given: Any) -> None:
        type(self).given = given
        self._session = onnxruntime_session(model, options, providers=[CPU])

    def get_providers(self) -> list[str]:
        return ["CUDAExecutionProvider"] if self.works else [CPU]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def run(self, names: None, tensors: Any) -> Any:
        if self.fails:
            raise RuntimeError(self.fails)
        return self._session.run(names, tensors)


onnxruntime_session = onnxruntime.InferenceSession


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> type[OnCuda]:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider", CPU])
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: print("Failed to load libcublas.so.12"), raising=False)  # noqa: T201
    monkeypatch.setattr(onnxruntime, "InferenceSession", OnCuda)
    monkeypatch.setattr(OnCuda, "works", True)
    return OnCuda


@pytest.mark.parametrize("runtime", ["auto", "onnxruntime", ON_CUDA])
def test_cuda_computes_in_float32_and_never_becomes_the_cpu(
    cuda: type[OnCuda], runtime: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    with open_session(SessionSpec(doubling_model(), runtime, "cuda:0", name="doubling")) as session:
        named = "onnxruntime" if runtime == "auto" else runtime
        assert session.runtime.startswith(f"{named} {onnxruntime.__version__} CUDAExecutionProvider float32")
        np.testing.assert_array_equal(session.run(PICTURE)[0], 2 * PICTURE["x"])
        monkeypatch.setattr(OnCuda, "fails", "CUDA failure 2: out of memory")
        with pytest.raises(InferenceError, match=r"doubling failed on x \(1, 2, 3, 4\): CUDA failure 2: out of memory"):
            session.run(PICTURE)
    settings = {"device_id": "0", "use_tf32": "0"}
    assert cuda.given == {"providers": [("CUDAExecutionProvider", settings)], "enable_fallback": 0}
    assert capfd.readouterr() == ("", "")


def test_cuda_that_does_not_load_is_one_sentence(cuda: type[OnCuda], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(OnCuda, "works", False)
    words = rf"cannot use cuda:0 here and would compute doubling by {CPU}: .*no CUDA and cuDNN .*onnxruntime-gpu\[cuda,cudnn\]"
    with pytest.raises(MissingRuntimeError, match=words):
        open_session(SessionSpec(doubling_model(), "onnxruntime", "cuda:0", name="doubling"))


def test_without_cuda_the_commands_are_said():
    words = r"has no CUDA and cannot use cuda:1: run `pip uninstall --yes onnxruntime` and `pip install 'onnxruntime-gpu\[cuda"
    for runtime in ("onnxruntime", ON_CUDA):
        with pytest.raises(MissingRuntimeError, match=words):
            provider_for(runtime, "cuda:1")
    with pytest.raises(ConfigError, match=f"{ON_CUDA} computes on a GPU"):
        provider_for(ON_CUDA, "cpu")


@pytest.mark.parametrize("here", [["onnxruntime-gpu"], ["onnxruntime"], ["onnxruntime-ep-nv-tensorrt-rtx-cu13"], []])
def test_a_module_may_come_in_a_package_of_another_name(here: list[str], monkeypatch: pytest.MonkeyPatch):
    """With the build for CUDA in its place ONNX Runtime counted as not installed, and every engine of it as foreign."""

    def version(name: str) -> str:
        if name not in here:
            raise PackageNotFoundError(name)
        return f"version of {name}"

    monkeypatch.setattr(packages, "version", version)
    is_rtx = any("-ep-" in name for name in here)
    for asked in ("onnxruntime-ep-nv-tensorrt-rtx",) if is_rtx else ("onnxruntime", "onnxruntime-gpu"):
        assert packages.installed(asked) == "".join(f"version of {name}" for name in here)
    assert packages.installed("torch") == ""
