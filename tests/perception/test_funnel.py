"""Every face that was found is accounted for: it is in one place of the funnel, whatever comes and whatever gives way."""

from __future__ import annotations

from collections import Counter

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.config import Config, CropConfig
from engine.contracts.faces import FaceCrop
from engine.contracts.frames import Detections, Frame, FrameTime, Planes
from engine.contracts.streams import StreamChanged
from engine.detect.second_look import Faceness
from engine.perception.detecting import Found
from engine.perception.perception import Item, Models, Perception
from engine.runtime.telemetry import Telemetry
from engine.sessions.model_calls import ModelCalls
from tests.perception.test_perception import BACKGROUND, Squares

GREY = np.full((120, 160), 128, np.uint8)
BLURRED = np.asarray(cv2.GaussianBlur(BACKGROUND, (0, 0), 5), np.uint8)
LEFT_OUT = ("unconfirmed", "too_small", "outranked", "late")
LIMITS = Faceness(refused_below=0.2, accepted_from=0.7, alone_from=0.9)

face = st.tuples(st.integers(0, 2), st.integers(4, 60), st.floats(0.1, 1.0))
"""Where, of which size, how sure."""
shot = st.none() | st.tuples(st.lists(face, max_size=3, unique_by=lambda one: one[0]), st.booleans())
"""None: the detector did not run; whether the frame is blurred."""


def detections(faces: list[tuple[int, int, float]]) -> Detections:
    faces = sorted(faces, key=lambda one: -one[2])
    boxes = np.array([[100 * place + 20, 60, size, size] for place, size, _ in faces], np.float32).reshape(-1, 4)
    scores = np.array([score for *_, score in faces], np.float32)
    return Detections(boxes, scores, np.full((len(faces), 5, 2), np.nan, np.float32), scores)


class Run:
    def __init__(self, policy: str, *, live: bool, judged: bool, thinning: float) -> None:
        self.telemetry, self.live, self.handed_on = Telemetry("perceive"), live, 0
        config = replace(Config(), crop=CropConfig(policy=policy, interval_seconds=0.3))  # type: ignore[arg-type]
        calls = ModelCalls(self.telemetry.counts, lambda *_: None)
        models = Models(Squares(), LIMITS if judged else None)  # type: ignore[arg-type]
        self.core = Perception(config, models, calls, self.telemetry)
        self.core.change(StreamChanged("cam", "live", frame_rate=25.0), live=live)
        self.core._streams["cam"].thin(thinning)

    def pass_on(self, items: list[Item], drops: bool) -> None:
        for _ in filter(lambda item: isinstance(item, FaceCrop), items):
            if drops and self.live:
                self.core.drop_face("cam", "late")
            else:
                self.handed_on += 1

    @property
    def funnel(self) -> Counter[str]:
        return self.telemetry.counts.streams["cam"]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(shot, max_size=10),
    st.sampled_from(["prompt", "best", "interval", "every"]),
    st.booleans(), st.booleans(), st.sampled_from([1.0, 4.0]), st.randoms(use_true_random=False),
)  # fmt: skip
def test_every_face_is_in_one_place(shots, policy, live, judged, thinning, chance):
    run = Run(policy, live=live, judged=judged, thinning=thinning)
    found = detected = 0
    for index, shown in enumerate(shots):
        luma = BLURRED if shown and shown[1] else BACKGROUND
        frame = Frame("cam", FrameTime(index, index, (1, 25), index / 10, 0), Planes(luma, GREY, GREY))
        seen = None if shown is None else Found(detections(shown[0]), 0.0)
        found += len(shown[0]) if shown else 0
        detected += shown is not None
        run.pass_on(run.core.take(frame, seen, 0.0, live=live), chance.random() < 0.3)
        known = sum(run.funnel[name] for name in LEFT_OUT)
        assert known + run.handed_on <= run.funnel["found"] == found
    run.pass_on(run.core.change(StreamChanged("cam", "ended"), live=live), chance.random() < 0.3)
    assert sum(run.funnel[name] for name in LEFT_OUT) + run.handed_on == run.funnel["found"] == found
    assert run.funnel["detections"] == detected
    assert run.funnel["blurred"] <= run.funnel["outranked"]
    assert min(run.funnel.values(), default=0) >= 0


def test_each_cause_has_its_place():
    """Three detections in a row of one place make a face sharp, blurred, sharp; one is small; one comes once."""
    run = Run("interval", live=True, judged=False, thinning=1.0)
    for index, (faces, blurred) in enumerate([
        ([(0, 40, 0.9), (1, 6, 0.9)], False), ([(0, 40, 0.9), (1, 6, 0.9)], False),
        ([(0, 40, 0.9), (1, 6, 0.9), (2, 40, 0.9)], True), ([(0, 40, 0.95)], False),
    ]):  # fmt: skip
        luma = BLURRED if blurred else BACKGROUND
        frame = Frame("cam", FrameTime(index, index, (1, 25), index / 25, 0), Planes(luma, GREY, GREY))
        run.pass_on(run.core.take(frame, Found(detections(faces), 0.0), 0.0, live=True), drops=True)
    run.pass_on(run.core.change(StreamChanged("cam", "ended"), live=True), drops=True)
    assert {name: run.funnel[name] for name in ("found", *LEFT_OUT, "blurred")} == {
        "found": 8, "unconfirmed": 3, "too_small": 2, "outranked": 2, "late": 1, "blurred": 1,
    }  # fmt: skip
