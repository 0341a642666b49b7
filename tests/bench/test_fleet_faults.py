"""What the bench of a fleet's faults counts: for how long two nodes published a camera, and how old faces were."""

from __future__ import annotations

from tests.bench.fleet_faults import ages, together
from tests.bench.fleet_world import Sent


def sent(*faces: tuple[str, float, int]) -> list[Sent]:
    return [Sent(node, "door", taken, 1.0, life) for node, taken, life in faces]


def test_a_node_that_goes_on_beside_the_next_is_seen() -> None:
    assert together(sent(("a", 1.0, 1), ("b", 2.0, 1), ("b", 3.0, 1), ("a", 4.5, 1), ("b", 5.0, 1)), "door", 0.0) == 2.5
    assert together(sent(("a", 1.0, 1), ("a", 2.0, 1), ("b", 3.0, 1), ("b", 4.0, 1)), "door", 0.0) == 0.0


def test_a_node_that_is_given_the_camera_again_is_another() -> None:
    assert together(sent(("a", 1.0, 1), ("b", 2.0, 1), ("b", 60.0, 1), ("a", 61.0, 2), ("a", 62.0, 2)), "door", 0.0) == 0.0
    assert together(sent(("a", 1.0, 1), ("b", 2.0, 1), ("a", 61.0, 2), ("b", 62.0, 1)), "door", 0.0) == 1.0


def test_faces_of_the_asked_cameras_count_on_the_side_of_the_fault_that_they_are_on() -> None:
    faces = [Sent("a", "door", second, age, 1) for second, age in ((0.5, 900.0), (1.0, 10.0), (2.0, 30.0), (3.0, 40.0))]
    faces.append(Sent("b", "yard", 1.5, 500.0, 1))
    assert ages(faces, ["door"], 1.0, 2.0, 3.0) == {
        "cameras": ["door"], "faces_before": 1, "faces_during": 1, "p99_before_ms": 10.0, "p99_during_ms": 30.0, "ratio": 3.0
    }  # fmt: skip


def test_no_ratio_is_made_of_nothing() -> None:
    assert ages([], [], 1.0, 2.0, 3.0) == {"cameras": [], "ratio": None}
    assert ages([Sent("a", "door", 1.5, 10.0, 1)], ["door"], 1.0, 2.0, 3.0)["ratio"] is None
