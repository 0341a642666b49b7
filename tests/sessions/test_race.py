"""Which of several ways to compute a model is taken."""

from __future__ import annotations

import numpy as np

from engine.contracts.profile import Profile
from engine.sessions.race import measure


def test_a_loss_must_be_worth_it():
    """Each is taken only where it is clearly faster than the best before it: those before are more exact."""
    clock = [0.0]

    class Timed:
        inputs, profile = (), Profile()

        def __init__(self, seconds: float) -> None:
            self.seconds = seconds

        def run(self, tensors: object) -> list[np.ndarray]:
            clock[0] += self.seconds
            return [np.ones(3)]

    def chosen(**seconds: float) -> str:
        sessions = {name: Timed(spent) for name, spent in seconds.items()}
        return measure(sessions, lambda inputs: {"x": np.ones((1, 3))}, 0.1, lambda: clock[0], proven=list(sessions)[1:]).name  # type: ignore[arg-type]

    assert chosen(model=10, bf16=2, int8=1.9) == "bf16"
    assert chosen(model=10, bf16=2, int8=1.5) == "int8"
    assert chosen(model=10, bf16=18, int8=9) == "model"


def test_where_batches_pay_one_is_measured():
    """On a GPU one item alone says little of what eight together take."""
    clock = [0.0]

    class Batched:
        inputs = ()

        def __init__(self, best: int, seconds: float, each: float) -> None:
            self.profile, self.seconds, self.each = Profile(1, best, best), seconds, each

        def run(self, tensors: dict[str, np.ndarray]) -> list[np.ndarray]:
            clock[0] += self.seconds + self.each * len(tensors["x"])
            return [tensors["x"]]

    sessions = {"exact": Batched(8, 1.0, 0.5), "half": Batched(8, 1.5, 0.1), "alone": Batched(1, 0.0, 0.5)}
    choice = measure(sessions, lambda inputs: {"x": np.ones((1, 3))}, 5.0, lambda: clock[0], proven=["half", "alone"])  # type: ignore[arg-type]
    assert choice.name == "half"
    np.testing.assert_allclose(list(choice.milliseconds.values()), [625, 287.5, 500])
