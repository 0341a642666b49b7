"""Times the ways to compute one model against each other: which is clearly faster, and gives the right result."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import msgspec
import numpy as np

from engine.errors import FacestreamError
from engine.sessions.session import Session
from engine.sessions.tensors import Tensor, TensorSpec

_LEAST_GAIN = 0.85
"""Share of the preferred candidate's time below which another is clearly faster: a smaller difference may be chance on a busy
machine, and is not worth a change in the last digits.
"""

Example = Callable[[tuple[TensorSpec, ...]], Mapping[str, Tensor]]
"""Makes typical input tensors for a model's inputs."""


class Choice(msgspec.Struct, frozen=True):
    """The measurement of one model."""

    name: str
    """Name of the chosen candidate."""
    milliseconds: dict[str, float]
    """Milliseconds for one item by candidate, the first candidate first."""
    refused: dict[str, str] = {}
    """Why candidates cannot be opened or run here, by name."""

    def __str__(self) -> str:
        measured = ", ".join(f"{name} {spent:.3g} ms" for name, spent in self.milliseconds.items())
        return f"auto: {measured}"

    @property
    def times_as_fast(self) -> float:
        """How many times as fast the chosen candidate is as the first."""
        first = next(iter(self.milliseconds.values()), 1.0)
        return first / self.milliseconds.get(self.name, first)


def measure(
    sessions: Mapping[str, Session],
    example: Example,
    seconds: float,
    clock: Callable[[], float] = time.perf_counter,
    proven: Sequence[str] = (),
) -> Choice:
    """Run the candidates in turn, so that other load on the machine affects all of them, and compare their quickest runs.

    Args:
        sessions: by candidate, in order of preference; the first one defines the result.
        example: see ``Example``.
        seconds: time for each, besides one warm-up run.
        clock: in seconds.
        proven: those whose results need not equal the first one's.

    Raises:
        InferenceError: the first one fails.
    """
    first, *others = sessions
    refused: dict[str, str] = {}
    # An engine may take pixels instead, and have another best batch.
    tensors = {name: _filled(example(session.inputs), session.profile.best) for name, session in sessions.items()}
    items = {name: len(next(iter(given.values()))) for name, given in tensors.items()}
    expected = sessions[first].run(tensors[first])
    running = [first]
    for name in others:
        try:
            if _agrees(sessions[name].run(tensors[name]), expected, name in proven):
                running.append(name)
        except FacestreamError as error:
            refused[name] = str(error)
    best: dict[str, float] = {}
    end = clock() + seconds * len(running)
    while len(running) > 1 and (len(best) < len(running) or clock() < end):
        for name in running:
            start = clock()
            sessions[name].run(tensors[name])
            best[name] = min(best.get(name, float("inf")), (clock() - start) / items[name])
    chosen = first
    for name in best:
        if best[name] < _LEAST_GAIN * best[chosen]:
            chosen = name
    return Choice(chosen, {name: 1000 * spent for name, spent in best.items()}, refused)


def _filled(tensors: Mapping[str, Tensor], best: int) -> dict[str, Tensor]:
    """Repeat the items to make up the best batch."""
    return {name: np.repeat(tensor, max(1, best // len(tensor)), axis=0) for name, tensor in tensors.items()}


def _agrees(found: list[Tensor], expected: list[Tensor], is_proven: bool) -> bool:
    if is_proven:
        return all(bool(np.isfinite(one).all()) for one in found)
    return len(found) == len(expected) and all(
        one.shape == other.shape and np.allclose(one, other, rtol=1e-3, atol=1e-4)
        for one, other in zip(found, expected, strict=True)
    )
