"""What the start of a crew needs of the system."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO

import pytest

from engine.config import Config
from engine.contracts.camera import Camera
from engine.delivery.record import Record
from engine.errors import FatalError
from engine.pipeline import crew, room
from engine.pipeline.crew import Crew
from engine.pipeline.room import descriptors_needed
from engine.runtime import descriptors
from engine.runtime.channel import channel_pair
from engine.runtime.worker import Worker
from engine.workers.links import LINKS

OPEN_BEFORE = 10


def starts(cameras: int, enhancers: int) -> list[list[str]]:
    """The pipes of publish, the enhance workers, perceive and the cameras, as ``Crew`` starts them."""
    out = [f"enhance-{n}-publish" for n in range(enhancers)]
    between = [f"perceive-enhance-{n}" for n in range(enhancers)]
    sources = [f"camera-{n}-perceive" for n in range(cameras)]
    return [out, *([a, b] for a, b in zip(between, out, strict=True)), [*sources, *between], *([pipe] for pipe in sources)]


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "open_descriptors", lambda: OPEN_BEFORE)


@pytest.mark.parametrize(("cameras", "enhancers", "least"), [(1, 1, 32), (200, 4, 4 * 200), (1000, 4, 4 * 1000)])
def test_each_process_takes_four_here_and_each_source_three_in_perceive(cameras: int, enhancers: int, least: int):
    needed = descriptors_needed(starts(cameras, enhancers))
    assert least < needed < least + 80


def test_two_hundred_cameras_fit_the_usual_limit():
    assert descriptors_needed(starts(200, 4)) <= 1024


def test_one_camera_fits_a_limit_of_64():
    assert descriptors_needed(starts(1, 4)) <= 64


def test_too_few_are_said_before_the_first_process_starts(monkeypatch: pytest.MonkeyPatch):
    """It used to be a raw OSError in the middle of the start."""
    monkeypatch.setattr(descriptors.resource, "getrlimit", lambda kind: (256, 512))
    monkeypatch.setattr(descriptors.resource, "setrlimit", lambda kind, limits: None)
    monkeypatch.setattr(crew, "start_worker", None)
    cameras = [Camera(f"door-{number}", f"rtsp://192.0.2.1/{number}", "rtsp://192.0.2.1") for number in range(200)]
    with pytest.raises(FatalError, match=r"the 20\d processes of this run need [89]\d\d open files in one process"):
        Crew(Config(), {}, cameras, 0, None)


@pytest.mark.parametrize("has_camera", [True, False])
def test_who_is_forked_of_a_run_and_that_the_others_load_meanwhile(has_camera: bool, monkeypatch: pytest.MonkeyPatch):
    started: list[tuple[str, Sequence[str]]] = []

    def start(name: str, *_: object, codec: object, forked: Sequence[str]) -> Worker:
        started.append((name, forked))
        return Worker(name, *[None] * 3)  # type: ignore[arg-type]

    monkeypatch.setattr(crew, "start_worker", start)
    cameras = [Camera("door", "rtsp://192.0.2.1/1", "rtsp://192.0.2.1")] if has_camera else []
    Crew(Config(), {"run_id": "r"}, cameras, 0 if has_camera else 1, None)
    roles = ("camera", "publish") if has_camera else ("perceive", "enhance", "recording", "publish")
    modules = [f"engine.workers.{role}" for role in roles]
    forked = ["publish", "camera-door"] if has_camera else [name for name, _ in started]
    assert started[len(started) - len(forked) :] == [(name, modules) for name in forked]
    assert not any(modules for _, modules in started[: len(started) - len(forked)])
    assert {"publish", "perceive"} <= {name for name, _ in started}


def test_who_is_started_anew_reads_nobody_who_has_ended_for_good(monkeypatch: pytest.MonkeyPatch):
    """A reader that had said its last word to the dead perceive failed the run, as it said nothing to the next."""
    upstreams: list[set[str]] = []

    def start(name: str, body: object, *given: object, codec: object, forked: Sequence[str]) -> Worker:
        if name == "perceive":
            inputs = given[0]
            assert isinstance(inputs, dict)
            upstreams.append(set(inputs))
        return Worker(name, None, channel_pair(LINKS)[0], StringIO(), finished=name == "decode-1")  # type: ignore[arg-type]

    monkeypatch.setattr(crew, "start_worker", start)
    made = Crew(Config(), {"run_id": "r"}, [Camera("door", "rtsp://192.0.2.1/1", "rtsp://192.0.2.1")], 2, None)
    made.note_end("decode-1")
    made.restart("perceive")
    assert upstreams == [{"camera-door", "decode-1", "decode-2"}, {"camera-door", "decode-2"}]
    for worker in made.workers.values():
        worker.close()


@pytest.mark.parametrize(("has_camera", "names"), [(True, ("clip", "other")), (False, ())])
def test_publish_knows_what_is_read_again(has_camera: bool, names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch):
    """Recordings beside a camera; nothing is read again of a run over recordings alone, and no camera's stream ever."""
    records: list[Record] = []

    def start(name: str, *given: object, codec: object, forked: Sequence[str]) -> Worker:
        records.extend(one for one in given if isinstance(one, Record))
        return Worker(name, *[None] * 3)  # type: ignore[arg-type]

    monkeypatch.setattr(crew, "start_worker", start)
    cameras = [Camera("door", "rtsp://192.0.2.1/1", "rtsp://192.0.2.1")] if has_camera else []
    Crew(Config(), {"run_id": "r", "inputs": {"clip": {}, "other": {}}}, cameras, 1, None)
    assert [record.read_again for record in records] == [names]
