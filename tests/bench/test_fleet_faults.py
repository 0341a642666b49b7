"""For how long two nodes published a camera, as the bench of a fleet's faults counts it."""

from __future__ import annotations

from tests.bench.fleet_faults import together
from tests.bench.fleet_world import Sent


def sent(*faces: tuple[str, float, int]) -> list[Sent]:
    return [Sent(node, "door", taken, 1.0, life) for node, taken, life in faces]


def test_a_node_that_goes_on_beside_the_next_is_seen() -> None:
    assert together(sent(("a", 1.0, 1), ("b", 2.0, 1), ("b", 3.0, 1), ("a", 4.5, 1), ("b", 5.0, 1)), "door", 0.0) == 2.5
    assert together(sent(("a", 1.0, 1), ("a", 2.0, 1), ("b", 3.0, 1), ("b", 4.0, 1)), "door", 0.0) == 0.0


def test_a_node_that_is_given_the_camera_again_is_another() -> None:
    assert together(sent(("a", 1.0, 1), ("b", 2.0, 1), ("b", 60.0, 1), ("a", 61.0, 2), ("a", 62.0, 2)), "door", 0.0) == 0.0
    assert together(sent(("a", 1.0, 1), ("b", 2.0, 1), ("a", 61.0, 2), ("b", 62.0, 1)), "door", 0.0) == 1.0
