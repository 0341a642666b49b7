"""Execution contexts of a TensorRT engine: one for all shapes, or one for each shape with a CUDA graph."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from engine.errors import InferenceError
from engine.sessions.cuda_api import Cuda, CudaFault
from engine.sessions.tensorrt_api import TensorRT

Shape = tuple[int, ...]
_MOST_SHAPES = 32
"""Number of contexts kept in a lane; the least recently used one is dropped."""


class Contexts(Protocol):
    """The contexts of one lane; call ``shaped`` before each run."""

    def shaped(self, inputs: Mapping[str, Shape], outputs: tuple[str, ...]) -> list[Shape]:
        """Set the shapes of the inputs and return those of the outputs.

        Raises:
            InferenceError: the engine does not accept them.
        """
        ...

    def start(self, addresses: Mapping[str, int], stream: Any) -> bool:
        """Start the computation on these addresses, by tensor; return whether it started.

        Raises:
            CudaFault: the GPU reports an error.
        """
        ...

    def close(self) -> None:
        """Free everything."""
        ...


class OneContext:
    """One context for all shapes; TensorRT-RTX keeps a CUDA graph of each shape itself."""

    def __init__(self, context: Any) -> None:
        self._context = context

    def shaped(self, inputs: Mapping[str, Shape], outputs: tuple[str, ...]) -> list[Shape]:
        for name, shape in inputs.items():
            if not self._context.set_input_shape(name, shape):
                raise InferenceError(f"the engine does not take {name} of the shape {shape}")
        return [tuple(self._context.get_tensor_shape(name)) for name in outputs]

    def start(self, addresses: Mapping[str, int], stream: Any) -> bool:
        for name, address in addresses.items():
            self._context.set_tensor_address(name, address)
        return bool(self._context.execute_async_v3(stream))

    def close(self) -> None:
        self._context = None


@dataclass
class _OfShape:
    """The context of one shape."""

    context: OneContext
    outputs: list[Shape]
    addresses: dict[str, int] = field(default_factory=dict)
    """Addresses of the previous run: a graph is valid only for them."""
    graph: Any = None
    is_recordable: bool = True


class GraphedContexts:
    """One context for each shape. When a shape comes the second time at the same addresses, its run is recorded as a graph, and
    replayed from then on.

    A graph depends on the state of its context, so no two shapes share one. All contexts share their scratch memory, because
    one runs at a time.

    Args:
        cuda: the GPU.
        rt: the package.
        engine: the engine.
        name: its name in messages.
        stream: the lane's stream.
    """

    def __init__(self, cuda: Cuda, rt: TensorRT, engine: Any, name: str, stream: Any) -> None:
        self._cuda, self._rt, self._engine, self._name, self._stream = cuda, rt, engine, name, stream
        self._bytes = int(engine.device_memory_size_v2)
        self._memory = cuda.allocate(self._bytes, stream)
        self._kept: OrderedDict[tuple[Shape, ...], _OfShape] = OrderedDict()

    def shaped(self, inputs: Mapping[str, Shape], outputs: tuple[str, ...]) -> list[Shape]:
        key = tuple(inputs.values())
        if key not in self._kept:
            context = self._new()
            self._kept[key] = _OfShape(context, context.shaped(inputs, outputs))
        self._kept.move_to_end(key)
        if len(self._kept) > _MOST_SHAPES:
            self._drop(self._kept.popitem(last=False)[1])
        return self._kept[key].outputs

    def start(self, addresses: Mapping[str, int], stream: Any) -> bool:
        one = next(reversed(self._kept.values()))
        if one.addresses != addresses:
            self._drop(one)
            one.addresses = dict(addresses)
            return one.context.start(addresses, stream)
        if one.graph is None and one.is_recordable:
            self._record(one, stream)
        if one.graph is None:
            return one.context.start(addresses, stream)
        self._cuda.launch(one.graph, stream)
        return True

    def close(self) -> None:
        for one in self._kept.values():
            self._drop(one)
        self._kept.clear()
        self._cuda.free(self._memory, self._stream)

    def _record(self, one: _OfShape, stream: Any) -> None:
        """Record the run as a graph; an engine that cannot be recorded is run without one."""
        try:
            one.graph = self._cuda.record(stream, lambda: one.context.start(one.addresses, stream))
        except CudaFault:
            one.is_recordable = False

    def _drop(self, one: _OfShape) -> None:
        if one.graph is not None:
            graph, one.graph = one.graph, None
            with suppress(CudaFault):  # nothing can be freed on a lost device
                self._cuda.drop(graph)

    def _new(self) -> OneContext:
        context = self._rt.context(self._engine, self._name, self._rt.api.ExecutionContextAllocationStrategy.USER_MANAGED)
        context.set_device_memory(self._memory, self._bytes)
        return OneContext(context)
