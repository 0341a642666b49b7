"""Inference requests to a compiled OpenVINO model, with a bound on the memory it keeps for the sizes it has met.

OpenVINO keeps 0.5 to 1.8 MB for each new input shape as long as the compiled model lives, and no setting changes that. So after
a number of shapes the model is compiled again, and the memory is freed with the old one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

MOST_SHAPES = 128
"""Number of shapes after which a model is compiled again; that takes as long as a dozen new shapes."""
Shapes = Mapping[str, tuple[int, ...]]
"""Shape of each input, by name."""


class Requests:
    """Lends requests to threads, each to one thread at a time.

    Args:
        graph: the model as it was read; owned by this object from now on.
        compile: compiles it.
        most_shapes: number of shapes after which the model is compiled again; 0: never, if sizes are padded and therefore few.

    Raises:
        RuntimeError: from OpenVINO; the model cannot be compiled.
    """

    def __init__(self, graph: Any, compile: Callable[[Any], Any], most_shapes: int = MOST_SHAPES) -> None:
        self._graph, self._compile, self._most_shapes = graph, compile, most_shapes
        self._fitting = FittingShapes(graph.clone())
        self._lock = threading.Lock()
        self.compiled: Any = compile(graph)
        self._idle: list[Any] = []

    @contextmanager
    def lent(self, shapes: Shapes) -> Iterator[Any]:
        """Lend a request for tensors of these shapes.

        Raises:
            RuntimeError: from OpenVINO, for instance if the computation fails.
        """
        self._fitting.check(shapes)
        with self._lock:
            if 0 < self._most_shapes < len(self._fitting.known):
                self.compiled, self._idle = self._compile(self._graph), []
                self._fitting.known = {key_of(shapes)}
            compiled = self.compiled
            request = self._idle.pop() if self._idle else compiled.create_infer_request()
        try:
            yield request
        finally:
            with self._lock:
                if compiled is self.compiled:  # otherwise it is dropped, and the old model with the last of its requests
                    self._idle.append(request)


class FittingShapes:
    """Refuses shapes for which a model cannot be computed, before OpenVINO tries: on one thread OpenVINO does not notice, and
    returns or overwrites the results of the previous run; on several it does notice, but some later runs are wrong.

    Args:
        graph: the model as it was read; owned by this object from now on.
    """

    def __init__(self, graph: Any) -> None:
        self._graph = graph
        self._lock = threading.Lock()
        self.known: set[tuple[tuple[str, tuple[int, ...]], ...]] = set()
        """Shapes that are known to fit."""

    def check(self, shapes: Shapes) -> None:
        """Check shapes; those that fit are checked only once, which costs some milliseconds.

        Raises:
            RuntimeError: from OpenVINO; the shapes do not fit.
        """
        key = key_of(shapes)
        if key not in self.known:
            with self._lock:
                self._graph.reshape({name: list(shape) for name, shape in shapes.items()})
            self.known.add(key)


def key_of(shapes: Shapes) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Return a hashable key of shapes."""
    return tuple(sorted(shapes.items()))
