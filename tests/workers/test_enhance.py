"""A model that fails on one face costs that face what the model would have given, and nothing else."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from msgspec.structs import replace

from engine.config import Config, SuperResolveConfig
from engine.contracts.faces import STEPS, FaceCrop, FaceResult, TrackClosed
from engine.contracts.frames import Span
from engine.contracts.orders import Warned
from engine.contracts.profile import Profile
from engine.contracts.streams import StreamChanged
from engine.delivery.verdict import judged
from engine.enhancement.enhancement import Enhancement
from engine.enhancement.models import enhancer_of
from engine.errors import InferenceError
from engine.runtime.protocol import Drain, Taken
from engine.runtime.worker import WorkerContext
from engine.sessions.model_calls import ModelCalls
from engine.verify.verifier import Verifier
from engine.workers.enhance import EnhanceWorker
from engine.workers.face_line import FaceLine
from engine.workers.links import Outgoing, link_pair
from engine.workers.policy import policy_of
from tests.patience import PATIENCE_SECONDS
from tests.super_resolve.test_enhancer import crop_of, noise_planes
from tests.verify.faces import ThumbnailEmbedder

BAD = 7
"""Track of the face that a model fails on."""


class Generator:
    name, sha256, licence, runtime, scale, colour = "marker", "", "none", "test", 2, "luma"
    profile = Profile(1, 8, 8)

    def __init__(self, fails: bool) -> None:
        self.fails = fails

    def upscale(self, pictures, /):
        if self.fails and any(picture.shape[0] == BAD * 4 for picture in pictures):
            raise InferenceError("the generator marker fails: out of memory")
        return [np.zeros((picture.shape[0] * 2, picture.shape[1] * 2), np.uint8) for picture in pictures]

    def close(self) -> None: ...


class Embedder(ThumbnailEmbedder):
    fails = False

    def embed(self, pictures, landmarks):
        if self.fails and any(len(picture) == BAD * 4 for picture in pictures):
            raise ValueError("not enough pixels")
        return super().embed(pictures, landmarks)


def crop(track_id: int) -> FaceCrop:
    """The bad one is known by its size."""
    side = BAD * 4 if track_id == BAD else 32
    made = replace(crop_of(noise_planes(side, side)), track_id=track_id, box=(0.0, 0.0, float(side), float(side)))
    return replace(made, stream="bad" if track_id == BAD else "cam", marks=[1] if track_id == 1 else None)


def run(generator_fails: bool, embedder_fails: bool, tracks: list[int]) -> tuple[dict[int, FaceResult], dict, list, dict]:
    """Return the faces by track, the last states by stream as publish judges them, the warnings, and the counters."""
    supervisor, control = link_pair()
    perceive, upstream = link_pair()
    downstream, publish = link_pair()
    settings = SuperResolveConfig(max_batch=4, max_wait_ms=10_000)
    embedder = Embedder()
    embedder.fails = embedder_fails
    config = replace(Config(), super_resolve=settings)
    context = WorkerContext("enhance-1", control)
    verifier = Verifier(embedder, None, config.verify)
    calls = ModelCalls(context.telemetry.counts, lambda stream, words: control.send(Warned(stream, words)))
    enhancer = enhancer_of(config, Generator(generator_fails))
    core = Enhancement(config, enhancer, None, verifier, calls, context.telemetry, control.send)
    worker = EnhanceWorker(context, FaceLine(core, 4, 10.0, 2), upstream, downstream, policy_of(has_camera=False))
    thread = threading.Thread(target=worker.run, daemon=True)
    thread.start()
    for track_id in tracks:
        perceive.send(crop(track_id))
    for track_id in tracks:
        stream = crop(track_id).stream
        perceive.send(TrackClosed(stream, track_id, Span(crop(track_id).time, crop(track_id).time), 1))
    for stream in ("cam", "bad"):
        perceive.send(StreamChanged(stream, "ended", "end_of_file", event_id=1, lanes=("enhance-1",)))
    perceive.send(Drain())
    faces: dict[int, FaceResult] = {}
    ends: dict[str, StreamChanged] = {}
    while not isinstance(link := publish.receive(), Drain):
        publish.confirm(Taken(1))
        if isinstance(link, Outgoing) and isinstance(link.body, FaceResult):
            faces[link.body.face.track_id] = link.body
        elif isinstance(link, StreamChanged):
            ends[link.stream] = judged(link)
    thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()
    warnings = []
    while supervisor.has_message():
        if isinstance(said := supervisor.receive(), Warned):
            warnings.append(said)
    return faces, ends, warnings, context.telemetry.counts.now().flat()


TRACKS = [1, 2, BAD, 3, 4]


def test_without_a_fault_nothing_is_said():
    faces, ends, warnings, counters = run(False, False, TRACKS)
    assert set(faces) == set(TRACKS)
    assert all(face.enhanced is not None for face in faces.values())
    assert (ends["bad"].state, warnings) == ("ended", [])
    assert not [name for name in counters if name.startswith("err")]
    marks = faces[1].face.marks
    assert len(marks) == len(STEPS) - 1, "of the one that is traced: chosen, begun, enlarged, verified"
    assert marks == sorted(marks)
    assert {face.face.marks for track, face in faces.items() if track != 1} == {None}


def test_a_generator_that_fails_on_one_face_costs_its_enhancement():
    faces, ends, warnings, counters = run(True, False, TRACKS)
    assert set(faces) == set(TRACKS), "the face is there all the same"
    assert {track for track, face in faces.items() if face.enhanced is None} == {BAD}
    assert {part.name for part in faces[BAD].parts} == {"original", "embedding"}
    assert (counters["errors.super_resolve"], counters["errored.bad"], counters["faces"]) == (1, 1, 5)
    assert warnings == [Warned("bad", "super resolve failed: the generator marker fails: out of memory")]
    assert ends["cam"].state == "ended"
    assert (ends["bad"].state, ends["bad"].reason) == ("failed", "model"), "none of its faces could be enhanced"
    assert "the generator marker fails: out of memory (none of 1 calls worked)" in ends["bad"].detail


def test_an_embedder_that_fails_on_one_face_costs_its_scores():
    faces, ends, warnings, counters = run(False, True, TRACKS)
    assert set(faces) == set(TRACKS)
    assert {track for track, face in faces.items() if "embedding" not in {part.name for part in face.parts}} == {BAD}
    assert (counters["errors.verify"], counters["errored.bad"]) == (1, 1)
    assert "verify failed: ValueError: not enough pixels (test_enhance.py" in warnings[0].detail
    assert (ends["cam"].state, ends["bad"].reason) == ("ended", "model")


@pytest.mark.parametrize("times", [1, 3])
def test_one_face_that_works_keeps_the_stream(times: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(globals(), "crop", lambda track_id, make=crop: replace(make(track_id), stream="cam"))
    faces, ends, _, counters = run(True, True, [BAD] * times + [1])
    assert set(faces) == {BAD, 1}
    assert ends["cam"].state == "ended"
    assert counters["errored.cam"] == 2 * times
