"""Every runtime gives the same answers and the same kind of errors."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from engine.contracts.profile import ONE, Profile
from engine.errors import ConfigError, InferenceError, MissingRuntimeError, ModelError
from engine.sessions import openvino_session
from engine.sessions.session import RUNTIMES, SessionSpec, TensorSpec, open_session, trying
from tests.onnx_models import doubling_model, grey_model
from tests.sessions.processors import need
from tests.together import run_together


@pytest.fixture(params=sorted(RUNTIMES))
def runtime(request: pytest.FixtureRequest) -> str:
    need(request.param)
    return request.param


def test_runs_a_model_from_memory_and_from_a_file(runtime: str, tmp_path: Path):
    path = tmp_path / "doubling.onnx"
    path.write_bytes(doubling_model())
    tensor = np.random.default_rng(0).random((1, 2, 3, 5), np.float32)
    for model in (path, doubling_model()):
        with open_session(SessionSpec(model, runtime)) as session:
            assert session.runtime.startswith(f"{runtime} 2" if runtime == "openvino" else f"{runtime} 1")
            assert session.inputs == (TensorSpec("x", (1, 2, None, None), np.dtype(np.float32)),)
            assert [spec.name for spec in session.outputs] == ["y", "z"]
            assert session.profile.best == 1
            y, z = session.run({"x": tensor})
            np.testing.assert_array_equal(y, 2 * tensor)
            np.testing.assert_allclose(z, tensor + 1, rtol=1e-6)


def test_no_number_of_threads_is_all_cores(runtime: str):
    with open_session(SessionSpec(doubling_model(), runtime, threads=0)) as session:
        assert session.run({"x": np.ones((1, 2, 3, 5), np.float32)})[0].max() == 2


def test_a_single_output_is_given_by_its_name(runtime: str):
    tensor = np.random.default_rng(0).random((1, 2, 3, 5), np.float32)
    with open_session(SessionSpec(doubling_model(), runtime, output="z")) as session:
        assert [spec.name for spec in session.outputs] == ["z"]
        (z,) = session.run({"x": tensor})
        np.testing.assert_allclose(z, tensor + 1, rtol=1e-6)


def test_outputs_belong_to_the_caller(runtime: str):
    with open_session(SessionSpec(doubling_model(), runtime)) as session:
        first = session.run({"x": np.ones((1, 2, 2, 2), np.float32)})[0]
        session.run({"x": np.zeros((1, 2, 2, 2), np.float32)})
        assert first.min() == 2


def test_threads_may_share_a_session(runtime: str):
    wrong: list[int] = []
    with open_session(SessionSpec(doubling_model(), runtime)) as session:

        def work(value: int) -> None:
            for size in range(1, 60):
                tensor = np.full((1, 2, size, 7), value, np.float32)
                if not np.array_equal(session.run({"x": tensor})[0], 2 * tensor):
                    wrong.append(value)

        threads = [threading.Thread(target=work, args=(value,)) for value in range(4)]
        run_together(threads)
    assert wrong == []


@pytest.mark.parametrize(
    ("tensors", "told"),
    [
        ({}, "got the inputs none, expected x"),
        ({"image": np.zeros((1, 2, 4, 4), np.float32)}, "got the inputs image, expected x (1x2x?x?, float32)"),
        ({"x": np.zeros((1, 2, 4, 4))}, "input tensor x, got x (1x2x4x4, float64), expected x (1x2x?x?, float32)"),
        ({"x": np.zeros((2, 4, 4), np.float32)}, "got x (2x4x4, float32)"),
        ({"x": np.zeros((1, 3, 4, 4), np.float32)}, "got x (1x3x4x4, float32), expected x (1x2x?x?, float32)"),
    ],
)
def test_a_tensor_that_does_not_fit_is_named(runtime: str, tensors: dict[str, np.ndarray], told: str):
    with (
        open_session(SessionSpec(doubling_model(), runtime, name="doubling")) as session,
        pytest.raises(InferenceError) as error,
    ):
        session.run(tensors)
    assert str(error.value).startswith("doubling")
    assert told in str(error.value)


@pytest.mark.parametrize("content", [b"", b"no model", doubling_model()[:-40]], ids=["empty", "text", "cut"])
def test_a_corrupt_model_is_one_sentence(runtime: str, content: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    path = tmp_path / "broken.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"broken\.onnx cannot be loaded") as error:
        open_session(SessionSpec(path, runtime))
    assert "\n" not in str(error.value)
    assert capfd.readouterr() == ("", "")


def test_a_model_that_fails_while_it_runs(runtime: str):
    graph = helper.make_graph(
        [helper.make_node("Reshape", ["x", "shape"], ["y"])],
        "reshape",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.array([2, 3]), "shape")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8).SerializeToString()
    with open_session(SessionSpec(model, runtime, name="six only")) as session:
        assert session.run({"x": np.zeros(6, np.float32)})[0].shape == (2, 3)
        with pytest.raises(InferenceError, match=r"six only failed on x \(7,\)"):
            session.run({"x": np.zeros(7, np.float32)})


_MEETING = {
    "add": helper.make_node("Add", ["x", "halves"], ["y"]),
    "concat": helper.make_node("Concat", ["x", "halves"], ["y"], axis=1),
}


@pytest.mark.parametrize("cores", [1, 2])
@pytest.mark.parametrize("node", _MEETING.values(), ids=_MEETING)
def test_a_size_that_does_not_fit_is_an_error_on_one_core_too_and_spoils_no_later_run(
    runtime: str, node: onnx.NodeProto, cores: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(openvino_session, "usable_cores", lambda: cores)
    graph = helper.make_graph(  # a tensor meets its half, doubled: sizes must be even
        [
            helper.make_node("MaxPool", ["x"], ["half"], kernel_shape=[2, 2], strides=[2, 2]),
            helper.make_node("Resize", ["half", "", "scales"], ["halves"], mode="nearest"),
            node,
        ],
        "even",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, "h", "w"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "scales")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8).SerializeToString()
    with open_session(SessionSpec(model, runtime, name="even only")) as session:
        for size in [8, 16, 8, 12] * 5:
            with pytest.raises(InferenceError, match=r"even only failed on x \(1, 1, 9, 9\)"):
                session.run({"x": np.ones((1, 1, 9, 9), np.float32)})
            x = np.arange(size * size, dtype=np.float32).reshape(1, 1, size, size)
            halves = x[..., 1::2, 1::2].repeat(2, 2).repeat(2, 3)
            (y,) = session.run({"x": x})
            np.testing.assert_array_equal(y, x + halves if node.op_type == "Add" else np.concatenate([x, halves], 1))


def test_a_closed_session_says_so(runtime: str):
    session = open_session(SessionSpec(doubling_model(), runtime))
    session.close()
    with pytest.raises(InferenceError, match="closed"):
        session.run({"x": np.zeros((1, 2, 2, 2), np.float32)})


def test_a_missing_file_and_an_unknown_runtime(tmp_path: Path):
    with pytest.raises(ModelError, match=r"there is no model file .*nowhere\.onnx"):
        open_session(SessionSpec(tmp_path / "nowhere.onnx"))
    with pytest.raises(ConfigError, match="unknown runtime 'tflite': use one of auto, onnxruntime, openvino"):
        open_session(SessionSpec(doubling_model(), "tflite"))


@pytest.mark.parametrize(("package", "install"), [("openvino", r"'facestream\[openvino\]'"), ("onnxruntime", "onnxruntime")])
def test_a_missing_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch, package: str, install: str):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingRuntimeError, match=f"pip install {install}"):
        open_session(SessionSpec(doubling_model(), package))


def test_auto_is_the_same_runtime_on_every_machine():
    with open_session(SessionSpec(doubling_model())) as session:
        assert session.runtime.startswith("onnxruntime")
        assert session.runtime.endswith(" float32")


def test_a_precision_is_obeyed():
    need("openvino", "bfloat16")
    luma = np.random.default_rng(0).integers(0, 256, (1, 1, 64, 96)).astype(np.uint8)
    with open_session(SessionSpec(grey_model())) as session:
        expected = session.run({"luma": luma})
    apart = {}
    for precision in ("float32", "bfloat16"):
        with open_session(SessionSpec(grey_model(), "openvino", precision=precision)) as session:
            assert session.runtime.endswith(f" {precision}")
            found = session.run({"luma": luma})
            assert {output.dtype for output in found} == {np.dtype(np.float32)}
            apart[precision] = max(np.abs(one - other).max() for one, other in zip(found, expected, strict=True))
    assert apart["float32"] < 1e-5
    assert 1e-4 < apart["bfloat16"] < 0.05


def test_a_precision_that_a_runtime_has_not_is_refused(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(
        ConfigError, match="ONNX Runtime cannot compute doubling in bfloat16: use the runtime openvino, or float32"
    ):
        open_session(SessionSpec(doubling_model(), name="doubling", precision="bfloat16"))
    need("openvino")
    monkeypatch.setattr(openvino_session, "precision_of", lambda model: "float32")  # what OpenVINO falls back to without a word
    told = "OpenVINO would compute doubling in float32 on this CPU, not in bfloat16: choose float32"
    with pytest.raises(ConfigError, match=told):
        open_session(SessionSpec(doubling_model(), "openvino", name="doubling", precision="bfloat16"))


def test_the_batches_that_pay_follow_from_the_device_and_from_what_is_fixed(runtime: str):
    with open_session(SessionSpec(doubling_model(), runtime, profile=Profile(1, 8, 64))) as session:
        assert session.profile == (ONE if session.inputs[0].shape[0] else Profile(1, 1, 64))
    with open_session(SessionSpec(grey_model(), runtime, profile=Profile(1, 8, 64))) as session:
        assert session.profile == Profile(1, 1, 64)


def test_a_device_that_is_not_there_is_one_sentence(runtime: str):
    if runtime == "openvino":
        with pytest.raises(ConfigError, match=r"OpenVINO computes on the CPU only, not on cuda:0: use the device cpu"):
            open_session(SessionSpec(doubling_model(), runtime, "cuda:0"))
        return
    with pytest.raises(MissingRuntimeError, match=r"cannot use cuda:0: run `pip uninstall --yes onnxruntime` and `pip install"):
        open_session(SessionSpec(doubling_model(), runtime, "cuda:0"))
    for device in ("gpu", "cuda", "cuda:", "cuda:one", "CPU", ""):
        with pytest.raises(ConfigError, match=f"ONNX Runtime has no device '{device}': use cpu, or cuda:0"):
            open_session(SessionSpec(doubling_model(), runtime, device))


def test_equal_specs_are_one_key(tmp_path: Path):
    one, other = (SessionSpec(tmp_path / "a.onnx", threads=threads) for threads in (1, 1))
    assert {one: 1}[other] == 1
    assert SessionSpec(tmp_path / "a.onnx", threads=2) != one
    assert SessionSpec(b"content").title == "the model"
    with pytest.raises(ModelError, match="the model is given by its content, and a file is needed"):
        _ = SessionSpec(b"content").path


def test_what_fails_while_a_model_is_tried_out_is_a_model_that_cannot_be_opened():
    session = open_session(SessionSpec(doubling_model(), name="doubling"))
    with pytest.raises(ModelError, match="doubling got the inputs none"), trying(session):
        session.run({})
    with pytest.raises(InferenceError, match="closed"):
        session.run({"x": np.zeros((1, 2, 2, 2), np.float32)})


@pytest.mark.skipif(importlib.util.find_spec("openvino") is None, reason="needs openvino")
def test_openvino_reports_nothing_over_the_network():
    with open_session(SessionSpec(doubling_model(), "openvino")):
        assert sys.modules["openvino.tools.ovc"].telemetry.__class__.__module__.endswith("telemetry_stub")


_OPENED = "from engine.sessions.session import *; from tests.onnx_models import *; open_session(SessionSpec(doubling_model()))"


def test_onnxruntime_reports_nothing_over_the_network(tmp_path: Path):
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    found = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    subprocess.run([sys.executable, "-c", _OPENED], env=found | home, check=True)  # without what says CI: there it never does
    assert list(tmp_path.iterdir()) == []  # what it reports it keeps there first


def test_the_doubling_model_is_valid():
    onnx.checker.check_model(onnx.load_model_from_string(doubling_model()), full_check=True)


def test_a_session_that_computes_several_items_at_once_says_so():
    with open_session(SessionSpec(grey_model(), "onnxruntime", profile=Profile(4, 4, 8))) as session:
        assert session.runtime.endswith(" float32 (up to 4 at once)")
