"""What a worker that died had said, and comes again."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.archive.resume import reopen
from engine.archive.writer import DirectorySink
from engine.config import OutputConfig
from engine.delivery.repeats import Repeats
from tests.publish.samples import as_sent, face, stream_event, track


def test_a_face_and_the_end_of_a_track_are_said_once_and_all_else_as_often_as_it_comes():
    repeats = Repeats()
    said = [
        face("clip", 1, 7)[0], face("clip", 1, 8)[0], face("clip", 2, 7)[0], face("other", 1, 7)[0],
        track("clip", 1)[0], track("clip", 2)[0],
    ]  # fmt: skip
    assert [repeats.knows(body) for body in said] == [False] * len(said)
    assert [repeats.knows(body) for body in said] == [True] * len(said)
    live = replace(said[0], face=replace(said[0].face, live=True))
    for body in (live, track("clip", 1, ended=False)[0], stream_event("clip")):
        assert [repeats.knows(body) for _ in range(3)] == [False] * 3


def test_only_the_newest_are_remembered():
    repeats, body = Repeats(), face("clip", 1, 0)[0]
    many = [replace(body, face=replace(body.face, track_id=number)) for number in range(5000)]
    assert not any(repeats.knows(one) for one in many)
    assert repeats.knows(many[-1])
    assert not repeats.knows(many[0])


@pytest.mark.parametrize("count", [0, 3, 300])
def test_another_publisher_knows_what_was_written_last(tmp_path: Path, count: int):
    sink = DirectorySink(OutputConfig(directory=str(tmp_path / "out")), {"run_id": "run1", "config": {}})
    bodies = [face("clip", 1 + number // 10, number)[0] for number in range(count)]
    for number, body in enumerate(bodies):
        sink.write(as_sent(replace(body, parts=[]), number), [])
    sink.write(as_sent(replace(track("clip", 1)[0], parts=[])), [])
    sink.close("failed")
    repeats = Repeats(reopen(tmp_path / "out").newest)
    assert [repeats.knows(body) for body in bodies[-100:]] == [True] * min(count, 100)
    assert repeats.knows(track("clip", 1)[0])
    assert not repeats.knows(face("clip", 1, 5000)[0])
    assert not repeats.knows(track("clip", 2)[0])
