"""Runs a TensorRT engine once at a time: a stream, its contexts, and memory that grows as needed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.errors import InferenceError
from engine.sessions.cuda_api import Cuda
from engine.sessions.tensorrt_contexts import Contexts
from engine.sessions.tensors import Tensor, TensorSpec


@dataclass
class _Room:
    """Memory of one tensor, on host and device."""

    host: Tensor
    device: int


class Lane:
    """Used by one thread at a time.

    Args:
        cuda: the GPU.
        open_contexts: opens the contexts for the lane's stream, which the lane then owns.
        inputs: of the engine.
        outputs: of the engine.
    """

    def __init__(
        self,
        cuda: Cuda,
        open_contexts: Callable[[Any], Contexts],
        inputs: tuple[TensorSpec, ...],
        outputs: tuple[TensorSpec, ...],
    ) -> None:
        self._cuda, self._inputs, self._outputs = cuda, inputs, outputs
        self._rooms: dict[str, _Room] = {}
        self._stream = cuda.stream()
        try:
            self._contexts = open_contexts(self._stream)
        except BaseException:
            cuda.destroy(self._stream)
            raise

    def run(self, tensors: Mapping[str, Tensor]) -> list[Tensor]:
        """Return the outputs; the arrays belong to the caller.

        Raises:
            CudaFault: the GPU reports an error.
            InferenceError: the engine refuses the shapes, or does not start.
        """
        cuda, stream = self._cuda, self._stream
        given = {spec.name: tensors[spec.name].shape for spec in self._inputs}
        shapes = self._contexts.shaped(given, tuple(spec.name for spec in self._outputs))
        for spec in self._inputs:
            tensor = np.ascontiguousarray(tensors[spec.name])
            room = self._room(spec.name, tensor.nbytes)
            room.host[: tensor.nbytes] = tensor.reshape(-1).view(np.uint8)
            cuda.upload(room.device, room.host, tensor.nbytes, stream)
        sizes = [math.prod(shape) * spec.dtype.itemsize for shape, spec in zip(shapes, self._outputs, strict=True)]
        for spec, size in zip(self._outputs, sizes, strict=True):
            self._room(spec.name, size)
        if not self._contexts.start({name: room.device for name, room in self._rooms.items()}, stream):
            cuda.wait(stream)  # an error of the GPU says more
            raise InferenceError("the engine did not start")
        for spec, size in zip(self._outputs, sizes, strict=True):
            room = self._rooms[spec.name]
            cuda.download(room.host, room.device, size, stream)
        cuda.wait(stream)
        return [
            self._rooms[spec.name].host[:size].view(spec.dtype).reshape(shape).copy()
            for spec, size, shape in zip(self._outputs, sizes, shapes, strict=True)
        ]

    def close(self) -> None:
        """Free everything."""
        self._contexts.close()
        for name in list(self._rooms):
            self._free(name)
        self._cuda.wait(self._stream)
        self._cuda.destroy(self._stream)

    def _room(self, name: str, size: int) -> _Room:
        """Return memory of at least ``size`` bytes, reusing what is there if it is large enough."""
        room = self._rooms.get(name)
        if room is None or len(room.host) < size:
            if room is not None:
                self._free(name)
            host = self._cuda.pinned(size)
            try:
                room = self._rooms[name] = _Room(host, self._cuda.allocate(size, self._stream))
            except BaseException:  # for instance when the GPU is full: the address was never recorded
                self._cuda.free_pinned(host)
                raise
        return room

    def _free(self, name: str) -> None:
        room = self._rooms.pop(name)
        try:
            self._cuda.free(room.device, self._stream)
        finally:
            self._cuda.free_pinned(room.host)
