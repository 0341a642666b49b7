"""Ways to compute one model run against each other: which of them is clearly faster, and computes what it should."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import msgspec
import numpy as np

from engine.errors import FacestreamError
from engine.sessions.session import Session
from engine.sessions.tensors import Tensor, TensorSpec

_LEAST_GAIN = 0.85
"""Of the time of the one before: what is nearer to it is so by chance on a busy machine, and not worth other last digits."""

Example = Callable[[tuple[TensorSpec, ...]], Mapping[str, Tensor]]
"""Gives for a model's inputs what it is typically given."""


class Choice(msgspec.Struct, frozen=True):
    """What was measured of one model."""

    name: str
    """Of the candidate to take."""
    milliseconds: dict[str, float]
    """Of one item, by candidate; the first one's first."""
    refused: dict[str, str] = {}
    """Why candidates cannot be opened here, or do not run."""

    def __str__(self) -> str:
        measured = ", ".join(f"{name} {spent:.3g} ms" for name, spent in self.milliseconds.items())
        return f"auto: {measured}"

    @property
    def times_as_fast(self) -> float:
        """The one to take, in comparison with the first."""
        first = next(iter(self.milliseconds.values()), 1.0)
        return first / self.milliseconds.get(self.name, first)


def measure(
    sessions: Mapping[str, Session],
    example: Example,
    seconds: float,
    clock: Callable[[], float] = time.perf_counter,
    proven: Sequence[str] = (),
) -> Choice:
    """Run each in turn, so that what else the machine does falls on all, and compare their quickest runs.

    Args:
        sessions: by candidate; the first one decides what the result is, those before others are preferred.
        example: see ``Example``.
        seconds: for each, beside one run before.
        clock: in seconds.
        proven: those whose results need not be the first one's.

    Raises:
        InferenceError: the first one fails.
    """
    first, *others = sessions
    refused: dict[str, str] = {}
    # An engine may take pixels instead, and as many as pay where it computes.
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
    """Return so many times the items that there are as make the best batch."""
    return {name: np.repeat(tensor, max(1, best // len(tensor)), axis=0) for name, tensor in tensors.items()}


def _agrees(found: list[Tensor], expected: list[Tensor], is_proven: bool) -> bool:
    if is_proven:
        return all(bool(np.isfinite(one).all()) for one in found)
    return len(found) == len(expected) and all(
        one.shape == other.shape and np.allclose(one, other, rtol=1e-3, atol=1e-4)
        for one, other in zip(found, expected, strict=True)
    )
