"""Who dies, and how, decides what ends with it: nothing, a recording, a camera, or the run."""

from __future__ import annotations

import itertools
from typing import get_args

import pytest

from engine.pipeline.fate import Death, Fate, fate_of
from engine.pipeline.plan import Role

CASES: list[tuple[Death, dict[str, bool], Fate]] = [
    (Death("camera"), {}, "replaced"),
    (Death("camera", was_ready=False), {}, "camera"),
    (Death("camera", says_hopeless=True), {}, "camera"),
    (Death("camera", was_ready=False), {"begun": False}, "run"),
    (Death("camera", was_ready=False), {"ending": True}, "nothing"),
    (Death("camera", is_leaving=True, says_hopeless=True), {}, "nothing"),
    (Death("reader"), {"replaces": False}, "replaced"),
    (Death("reader", has_recording=True, says_hopeless=True), {"replaces": False}, "recording"),
    (Death("reader", has_recording=True), {"ending": True}, "recording"),
    (Death("reader", has_recording=True, lost_neighbour=True), {}, "again"),
    (Death("reader", has_recording=True, lost_neighbour=True), {"replaces": False}, "recording"),
    (Death("reader", has_recording=True, lost_neighbour=True), {"ending": True}, "recording"),
    (Death("reader", lost_neighbour=True), {}, "replaced"),
    (Death("reader", says_hopeless=True), {}, "run"),
    (Death("inference"), {"replaces": False}, "replaced"),
    (Death("inference", says_hopeless=True), {}, "run"),
    (Death("perceive"), {}, "replaced"),
    (Death("perceive"), {"replaces": False}, "run"),
    (Death("perceive", says_hopeless=True), {}, "run"),
    (Death("publish"), {"ending": True}, "run"),
    (Death("enhance"), {"begun": False}, "run"),
    (Death("enhance", is_over=True), {}, "run"),
    (Death("perceive", is_over=True), {"replaces": False}, "run"),
    (Death("publish", is_over=True), {"ending": True}, "run"),
    (Death("camera", is_over=True), {}, "nothing"),
    (Death("reader", is_over=True), {"ending": True}, "nothing"),
    (Death("reader", is_over=True, has_recording=True), {}, "recording"),
]


@pytest.mark.parametrize(("death", "others", "fate"), CASES)
def test_what_follows_from_a_death(death: Death, others: dict[str, bool], fate: Fate):
    assert fate_of(death, **{"begun": True, "ending": False, "replaces": True} | others) == fate


def test_no_camera_and_no_recording_ends_a_run_that_has_begun():
    for role, leaving, reads, ready, hopeless, ending, replaces in itertools.product(get_args(Role), *[(False, True)] * 6):
        death = Death(role, leaving, reads and role == "reader", ready, hopeless)
        if role == "camera" or death.has_recording:
            assert fate_of(death, begun=True, ending=ending, replaces=replaces) != "run", death
