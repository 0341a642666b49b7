"""The session of TensorRT over stand-ins for the package and for CUDA, with ONNX Runtime as the GPU behind: what goes where, in
which order, and what is said. That says nothing about a GPU."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from engine.errors import ConfigError, DeviceLostError, DeviceMemoryError, InferenceError, MissingRuntimeError, ModelError
from engine.sessions.cuda_api import Cuda, CudaFault
from engine.sessions.session import SessionSpec, open_session
from tests.onnx_models import grey_model
from tests.patience import PATIENCE_SECONDS
from tests.sessions.fake_tensorrt import LOW, Context, Engine, Gpu, picture, spec
from tests.together import run_together


@pytest.mark.parametrize("runtime", ["tensorrt-rtx", "tensorrt"])
def test_every_shape_comes_back_whole(tmp_path: Path, engine: Engine, gpu: Gpu, runtime: str):
    with open_session(spec(tmp_path, runtime)) as session:
        assert session.runtime == f"{runtime} 1.7.1 cuda:0 float16 (up to 4 at once)"
        assert (session.profile.smallest, session.profile.best, session.profile.largest) == (1, 4, 8)
        kept = []
        for shape in ((1, 1, 8, 8), (8, 1, 64, 64), (2, 1, 9, 30), (1, 1, 8, 8)):
            entry = picture(*shape)
            kept.append((entry, session.run({"picture": entry})))
        for entry, (same, first) in kept:
            np.testing.assert_array_equal(same, entry.astype(np.float32))
            np.testing.assert_array_equal(first, entry.max(axis=(2, 3)).astype(np.float32))
    assert (gpu.held, gpu.streams, gpu.graphs) == ({}, set(), {}), "everything was freed"
    assert bool(engine.configs) == (runtime == "tensorrt-rtx")
    assert all(config.cuda_graph_strategy == "whole" for config in engine.configs)


def test_several_threads_do_not_mix_their_pictures(tmp_path: Path, engine: Engine):
    with open_session(spec(tmp_path)) as session:
        wrong: list[int] = []

        def ask(seed: int) -> None:
            entry = picture(1 + seed % 8, 1, 8 + seed, 64 - seed)
            for _ in range(20):
                if not np.array_equal(session.run({"picture": entry})[0], entry):
                    wrong.append(seed)

        threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(6)]
        run_together(threads)
        assert wrong == []


def test_what_was_compiled_is_kept_beside_the_engine(tmp_path: Path, engine: Engine):
    for expected in (b"+", b"++"):
        open_session(spec(tmp_path)).close()
        assert (tmp_path / "face.engine.cache").read_bytes() == expected
    assert engine.configs[0].cache is engine.configs[1].cache, "both lanes share it"
    open_session(spec(tmp_path, "tensorrt")).close()
    assert (tmp_path / "face.engine.cache").read_bytes() == b"++", "TensorRT has none"


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (
            "cudaErrorMemoryAllocation: out of memory",
            DeviceMemoryError,
            r"face failed on picture \(1, 1, 8, 8\): .*out of memory",
        ),
        (
            "cudaErrorIllegalAddress: an illegal memory access was encountered",
            DeviceLostError,
            "the device that computes face is lost: cudaErrorIllegalAddress",
        ),
        ("cudaErrorInvalidValue: invalid argument", InferenceError, "face failed on .*invalid argument"),
    ],
)
def test_what_the_gpu_says_is_told(tmp_path: Path, engine: Engine, gpu: Gpu, fault: str, error: type, words: str):
    session = open_session(spec(tmp_path))
    gpu.fault = fault
    with pytest.raises(error, match=words):
        session.run({"picture": picture(*LOW)})
    gpu.fault = ""
    session.run({"picture": picture(*LOW)})


def test_a_cache_that_cannot_be_written_leaves_nothing(tmp_path: Path, engine: Engine):
    (tmp_path / "face.engine.cache").mkdir()
    open_session(spec(tmp_path)).close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["face.engine", "face.engine.cache"]


def test_a_gpu_that_is_full_keeps_no_memory_of_the_host(tmp_path: Path, engine: Engine, gpu: Gpu):
    """Each face that found no room used to pin a little more of it for ever."""
    session = open_session(spec(tmp_path))
    gpu.room = 64
    for _ in range(3):
        with pytest.raises(DeviceMemoryError, match="out of memory"):
            session.run({"picture": picture(8, 1, 64, 64)})
        assert gpu.held == {}
    gpu.room = 1 << 30
    assert len(session.run({"picture": picture(*LOW)})) == 2
    session.close()
    assert (gpu.held, gpu.streams) == ({}, set())


def test_one_that_cannot_be_opened_whole_leaves_nothing(tmp_path: Path, engine: Engine, gpu: Gpu, monkeypatch):
    contexts = iter([Context(engine), None])
    monkeypatch.setattr(engine, "create_execution_context", lambda how: next(contexts))
    with pytest.raises(ModelError, match=r"the engine face cannot be loaded by TensorRT-RTX 1\.7\.1: out of memory"):
        open_session(spec(tmp_path))
    assert gpu.streams == set()


def test_whoever_waits_while_a_session_is_closed_is_told(tmp_path: Path, engine: Engine, gpu: Gpu, monkeypatch):
    """They used to wait for ever: the session took all that they could have waited for with it."""
    session = open_session(spec(tmp_path))
    both_compute, go_on = threading.Barrier(3), threading.Event()

    def wait(stream: int) -> None:
        if not go_on.is_set():
            both_compute.wait(PATIENCE_SECONDS)
            go_on.wait(PATIENCE_SECONDS)

    monkeypatch.setattr(gpu, "wait", wait)
    said: list[str] = []

    def ask() -> None:
        try:
            session.run({"picture": picture(*LOW)})
            said.append("computed")
        except InferenceError as error:
            said.append(str(error))

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    both_compute.wait(PATIENCE_SECONDS)  # both lanes are lent

    waiting = threading.Event()
    taken = session._lanes.get

    def get() -> object:
        waiting.set()
        return taken()

    monkeypatch.setattr(session._lanes, "get", get)
    late = [threading.Thread(target=ask, daemon=True) for _ in range(3)]
    for thread in late:
        thread.start()
    waiting.wait(PATIENCE_SECONDS)  # at least one of them is past every check
    closing = threading.Thread(target=session.close, daemon=True)
    closing.start()
    go_on.set()
    for thread in (*threads, *late, closing):
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()
    assert set(said) <= {"computed", "face is closed"}
    assert len(said) == 5
    assert (gpu.held, gpu.streams) == ({}, set())
    with pytest.raises(InferenceError, match="face is closed"), session._lane():  # past the first check, as those above
        pass


@pytest.mark.parametrize("shape", [(9, 1, 8, 8), (1, 1, 7, 8), (1, 1, 8, 65)])
def test_what_the_engine_was_not_built_for_is_refused(tmp_path: Path, engine: Engine, shape: tuple[int, ...]):
    with (
        open_session(spec(tmp_path)) as session,
        pytest.raises(
            InferenceError, match=rf"face takes picture from 1x1x8x8 to 8x1x64x64, and got {'x'.join(map(str, shape))}"
        ),
    ):
        session.run({"picture": picture(*shape)})


def test_on_a_cpu_there_is_none(tmp_path: Path):
    with pytest.raises(ConfigError, match="tensorrt-rtx computes the model on a GPU: use the device cuda:0"):
        open_session(SessionSpec(grey_model(), "tensorrt-rtx"))


def test_without_a_driver_every_reason_is_one_sentence(tmp_path: Path):
    """With the real packages: what is wrong with the engine is seen first, then that there is no driver."""
    pytest.importorskip("tensorrt_rtx", reason="needs the extra trt-rtx")
    with pytest.raises(ModelError, match=r"the engine face cannot run: it is damaged, or no engine$"):
        open_session(spec(tmp_path))


def test_without_a_driver_there_is_no_gpu():
    runtime = pytest.importorskip("cuda.bindings.runtime", reason="needs the extra trt-rtx")
    if int(runtime.cudaGetDeviceCount()[0]) == 0:
        pytest.skip("this machine has an NVIDIA driver")
    with pytest.raises(
        MissingRuntimeError,
        match=r"no NVIDIA driver here, or too old a one \(cudaErrorInsufficientDriver: .*\): install a current one, or set",
    ):
        Cuda("cuda:0", "trt-rtx")
    with pytest.raises(ConfigError, match="there is no GPU 'gpu1': use cuda:0"):
        Cuda("gpu1", "trt-rtx")
    bare = object.__new__(Cuda)
    bare._api, bare._number = runtime, 0
    memory = np.zeros(8, np.uint8)
    asked = [
        lambda: bare.use(), lambda: bare.stream(), lambda: bare.pinned(8), lambda: bare.free_pinned(memory),
        lambda: bare.allocate(8, 1), lambda: bare.free(4096, 1), lambda: bare.upload(4096, memory, 8, 1),
        lambda: bare.download(memory, 4096, 8, 1), lambda: bare.wait(1), lambda: bare.destroy(1),
        lambda: bare.record(1, lambda: True), lambda: bare.launch(4096, 1), lambda: bare.drop(4096),
        lambda: bare._call("cudaStreamEndCapture", 1), lambda: bare._call("cudaGraphInstantiate", 4096, 0),
        lambda: bare._call("cudaGraphDestroy", 4096),
    ]  # fmt: skip
    for call in asked:  # the package takes the arguments, and then finds no driver
        with pytest.raises(CudaFault, match=r"cudaError\w+: "):
            call()
