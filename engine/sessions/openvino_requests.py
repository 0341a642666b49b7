"""Requests to a model that OpenVINO has compiled, and a bound on what it keeps for the sizes that it has met.

OpenVINO keeps 0.5 to 1.8 MB for each new shape of its inputs, for as long as the compiled model lives, and no setting of it
changes that. So after so many shapes the model is compiled anew, and what was kept goes with the old one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

MOST_SHAPES = 128
"""Before a model is compiled anew, which takes as long as a dozen new shapes do."""
Shapes = Mapping[str, tuple[int, ...]]
"""Of all inputs, by name."""


class Requests:
    """Lends requests to threads, each to one at a time.

    Args:
        graph: the model as it was read; belongs to this from now on.
        compile: compiles it.
        most_shapes: after so many the model is compiled anew; 0: never, as where sizes are padded and therefore few.

    Raises:
        RuntimeError: of OpenVINO, as it cannot be compiled.
    """

    def __init__(self, graph: Any, compile: Callable[[Any], Any], most_shapes: int = MOST_SHAPES) -> None:
        self._graph, self._compile, self._most_shapes = graph, compile, most_shapes
        self._fitting = FittingShapes(graph.clone())
        self._lock = threading.Lock()
        self.compiled: Any = compile(graph)
        self._idle: list[Any] = []

    @contextmanager
    def lent(self, shapes: Shapes) -> Iterator[Any]:
        """Lend one that is about to get tensors of these shapes.

        Raises:
            RuntimeError: of OpenVINO, as where it fails to compute.
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
                if compiled is self.compiled:  # else it goes, and with the last one of them the old model
                    self._idle.append(request)


class FittingShapes:
    """Refuses shapes on which a model cannot compute, before OpenVINO tries: on one thread it does not notice, and returns or
    overwrites what is left of the run before; on several it does, and some of the runs after it are wrong.

    Args:
        graph: the model as it was read; belongs to this from now on.
    """

    def __init__(self, graph: Any) -> None:
        self._graph = graph
        self._lock = threading.Lock()
        self.known: set[tuple[tuple[str, tuple[int, ...]], ...]] = set()
        """Those that fit."""

    def check(self, shapes: Shapes) -> None:
        """Each that fits is looked at once: that costs some milliseconds.

        Raises:
            RuntimeError: of OpenVINO, as where it fails to compute.
        """
        key = key_of(shapes)
        if key not in self.known:
            with self._lock:
                self._graph.reshape({name: list(shape) for name, shape in shapes.items()})
            self.known.add(key)


def key_of(shapes: Shapes) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Return what tells shapes apart."""
    return tuple(sorted(shapes.items()))
