"""Which of several ways to compute a model is taken."""

from __future__ import annotations

import numpy as np

from engine.sessions.race import measure


def test_a_loss_must_be_worth_it():
    """Each is taken only where it is clearly faster than the best before it: those before are more exact."""
    clock = [0.0]

    class Timed:
        inputs = ()

        def __init__(self, seconds: float) -> None:
            self.seconds = seconds

        def run(self, tensors: object) -> list[np.ndarray]:
            clock[0] += self.seconds
            return [np.ones(3)]

    def chosen(**seconds: float) -> str:
        sessions = {name: Timed(spent) for name, spent in seconds.items()}
        return measure(sessions, lambda inputs: {}, 0.1, lambda: clock[0], proven=list(sessions)[1:]).name  # type: ignore[arg-type]

    assert chosen(model=10, bf16=2, int8=1.9) == "bf16"
    assert chosen(model=10, bf16=2, int8=1.5) == "int8"
    assert chosen(model=10, bf16=18, int8=9) == "model"
