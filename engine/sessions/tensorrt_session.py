"""TensorRT and TensorRT-RTX on a GPU: runs engines made by `trt-build build`, without torch.

Nothing here has been run on a GPU yet; ``docs/results/engines.md`` says what has been tested.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from engine.contracts.profile import Profile
from engine.errors import ConfigError, InferenceError, ModelError
from engine.runtime.closing import Closing
from engine.sessions.cuda_api import Cuda, CudaFault
from engine.sessions.failures import run_failure
from engine.sessions.spec import SessionSpec
from engine.sessions.tensorrt_api import TensorRT, tensorrt
from engine.sessions.tensorrt_contexts import Contexts, GraphedContexts, OneContext
from engine.sessions.tensorrt_lane import Lane
from engine.sessions.tensors import Tensor, TensorSpec, check_inputs
from engine.whole_file import replacing

_LANES = 2
"""Concurrent runs: while one computes, the next is uploaded."""


class TensorRtSession(Closing):
    """An engine on TensorRT; see ``engine.sessions.session.Session``."""

    def __init__(self, spec: SessionSpec) -> None:
        name = spec.title
        if spec.device == "cpu":
            raise ConfigError(f"{spec.runtime} computes {name} on a GPU: use the device cuda:0, or another runtime")
        rt = tensorrt(spec.runtime)
        content = spec.model if isinstance(spec.model, bytes) else spec.model.read_bytes()
        rt.check(content, name)  # before a GPU is needed: a damaged or foreign engine is recognised without one
        self._cuda = Cuda(spec.device, rt.flavour.extra)
        self._name = name
        self._cache = _RuntimeCache(rt, spec.model if isinstance(spec.model, Path) else None)
        try:
            self._cuda.use()
            self._engine: Any = rt.deserialize(content, name)
            self.inputs, self.outputs = _tensors(rt, self._engine)
            self._ranges = {one.name: _range(self._engine, one.name) for one in self.inputs}
            self._open_lanes(rt)
        except CudaFault as error:
            raise ModelError(f"the engine {name} cannot be loaded on {spec.device}: {error}") from error
        self.runtime = f"{spec.runtime} {rt.version} {spec.device} {spec.computes_in}"
        self.profile = _profile(self._ranges[self.inputs[0].name], spec)

    def run(self, tensors: Mapping[str, Tensor]) -> list[Tensor]:
        check_inputs(self._name, self.inputs, tensors)
        if self._engine is None:
            raise InferenceError(f"{self._name} is closed")
        self._check_sizes(tensors)
        with self._lane() as lane:
            try:
                self._cuda.use()
                return lane.run(tensors)
            except (CudaFault, ModelError) as error:  # also from creating the context of a new shape
                raise run_failure(self._name, tensors, str(error)) from error

    def close(self) -> None:
        with self._closing:
            if self._engine is None:
                return
            self._engine, lanes = None, [self._lanes.get() for _ in range(_LANES)]
        self._lanes.put(None)  # wakes those that are already waiting
        self._free(lane for lane in lanes if lane is not None)
        self._cache.keep()

    def _open_lanes(self, rt: TensorRT) -> None:
        """Open all lanes; if one fails, close the others."""
        lanes: list[Lane] = []
        try:
            for _ in range(_LANES):
                lanes.append(Lane(self._cuda, lambda stream: self._contexts(rt, stream), self.inputs, self.outputs))
        except BaseException:
            self._free(lanes)
            raise
        self._closing = threading.Lock()
        self._lanes: queue.LifoQueue[Lane | None] = queue.LifoQueue()
        for lane in lanes:
            self._lanes.put(lane)

    def _free(self, lanes: Iterable[Lane]) -> None:
        for lane in lanes:
            with suppress(CudaFault):  # a device that is lost frees nothing
                self._cuda.use()
                lane.close()

    @contextmanager
    def _lane(self) -> Iterator[Lane]:
        """Lend a free lane, waiting for one if need be.

        Raises:
            InferenceError: the session was closed meanwhile.
        """
        lane = self._lanes.get()
        try:
            if lane is None:
                raise InferenceError(f"{self._name} is closed")
            yield lane
        finally:
            self._lanes.put(lane)  # even None: others may be waiting

    def _contexts(self, rt: TensorRT, stream: Any) -> Contexts:
        """Return the contexts of a lane: on TensorRT-RTX with its own CUDA graphs and its cache of compiled kernels."""
        if not rt.flavour.compiles_at_run:
            return GraphedContexts(self._cuda, rt, self._engine, self._name, stream)
        config = self._engine.create_runtime_config()
        config.cuda_graph_strategy = rt.api.CudaGraphStrategy.WHOLE_GRAPH_CAPTURE
        self._cache.give(config)
        return OneContext(rt.context(self._engine, self._name, config))

    def _check_sizes(self, tensors: Mapping[str, Tensor]) -> None:
        for name, tensor in tensors.items():
            low, _, high = self._ranges[name]
            if not all(least <= size <= most for least, size, most in zip(low, tensor.shape, high, strict=True)):
                least, most = ("x".join(map(str, shape)) for shape in (low, high))
                raise InferenceError(
                    f"{self._name} takes {name} from {least} to {most}, and got {'x'.join(map(str, tensor.shape))}: "
                    "build the engine with other --sizes or --batch"
                )


class _RuntimeCache:
    """Kernels that TensorRT-RTX compiled for this GPU, in a file beside the engine; with them the next start takes a fraction
    of the time.

    TensorRT-RTX refuses a cache of another version, GPU or driver. A cache that cannot be read or written costs only time.
    """

    def __init__(self, rt: TensorRT, engine: Path | None) -> None:
        self._file = engine.with_name(f"{engine.name}.cache") if engine is not None and rt.flavour.compiles_at_run else None
        self._cache: Any = None

    def give(self, config: Any) -> None:
        """Let a context use the cache."""
        if self._file is None:
            return
        if self._cache is None:
            self._cache = config.create_runtime_cache()
            with suppress(OSError):
                self._cache.deserialize(self._file.read_bytes())
        config.set_runtime_cache(self._cache)

    def keep(self) -> None:
        """Write the cache, whole or not at all."""
        if self._file is None or self._cache is None or (held := self._cache.serialize()) is None:
            return
        with suppress(OSError), replacing(self._file, public=True) as beside:
            beside.write_bytes(bytes(held))


def _tensors(rt: TensorRT, engine: Any) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    names = [engine.get_tensor_name(at) for at in range(engine.num_io_tensors)]
    is_input = {name: engine.get_tensor_mode(name) == rt.api.TensorIOMode.INPUT for name in names}
    specs = {
        name: TensorSpec(
            name,
            tuple(None if size < 0 else int(size) for size in engine.get_tensor_shape(name)),
            np.dtype(rt.api.nptype(engine.get_tensor_dtype(name))),
        )
        for name in names
    }
    inputs, outputs = (tuple(specs[name] for name in names if is_input[name] == wanted) for wanted in (True, False))
    return inputs, outputs


Range = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]


def _range(engine: Any, name: str) -> Range:
    """Return the smallest, the best and the largest shape of an input."""
    low, best, high = (tuple(int(size) for size in shape) for shape in engine.get_tensor_profile_shape(name, 0))
    return low, best, high


def _profile(shapes: Range, spec: SessionSpec) -> Profile:
    low, best, high = (shape[0] for shape in shapes)
    return Profile(low, best, high, step_px=spec.profile.step_px).on(spec.device)
