"""What comes a second time: a worker that died had said it, or a recording is read again."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.archive.resume import Said, reopen
from engine.archive.writer import DirectorySink
from engine.config import OutputConfig
from engine.contracts.faces import IDS_PER_PERCEIVE, FaceResult, TrackResult
from engine.contracts.streams import Checkpoint, StreamChanged
from engine.delivery.repeats import Repeats
from tests.publish.samples import as_sent, face, stream_event, track

RECORDINGS = ("clip", "other")
AGAIN = IDS_PER_PERCEIVE
"""Track ids of the second perceive."""


def seen(track_id: int, index: int, *, x: float = 0.0, live: bool = False, stream: str = "clip") -> FaceResult:
    body = face(stream, track_id, index)[0]
    return replace(body, face=replace(body.face, live=live, box=(x, 20.0, 24.0, 24.0)))


def over(track_id: int, last: int, *, ended: bool = True) -> TrackResult:
    body = track("clip", track_id, ended=ended)[0]
    span = replace(body.track.span, last=replace(body.track.span.last, frame_index=last))
    return replace(body, track=replace(body.track, span=span))


def ids(repeats: Repeats, *bodies: FaceResult | TrackResult) -> list[int | None]:
    """Return by which track id each is said, None for those that are not."""
    found = [repeats.fresh(body) for body in bodies]
    return [None if one is None else one.face.track_id if isinstance(one, FaceResult) else one.track.track_id for one in found]


def test_a_face_and_the_end_of_a_track_are_said_once_and_all_else_as_often_as_it_comes():
    repeats = Repeats(RECORDINGS)
    said = [seen(1, 7), seen(1, 8), seen(2, 7, x=50.0), seen(1, 7, stream="other"), over(1, 8), over(2, 8)]
    assert [repeats.fresh(body) for body in said] == said
    assert [repeats.fresh(body) for body in said] == [None] * len(said)
    for body in (seen(1, 7, live=True, stream="cam"), over(3, 8, ended=False), stream_event("clip")):
        assert [repeats.fresh(body) for _ in range(3)] == [body] * 3


def test_what_is_read_again_has_the_ids_that_were_given_first():
    repeats = Repeats(RECORDINGS)
    assert ids(repeats, seen(1, 7), seen(2, 7, x=50.0), seen(1, 9), over(2, 9)) == [1, 2, 1, 2]
    a, b, c = AGAIN + 4, AGAIN + 9, AGAIN + 10
    assert ids(repeats, seen(b, 7), seen(a, 7, x=50.0), over(a, 9), seen(b, 9)) == [None] * 4, "known, and known to be over"
    assert ids(repeats, seen(2, 8, x=50.0), over(1, 9)) == [None, None], "said late by who died: it is found again"
    assert ids(repeats, seen(a, 8, x=50.0)) == [a], "after its end it is another track"
    assert ids(repeats, over(b, 12, ended=False), seen(b, 12), seen(c, 12, x=50.0), over(b, 20)) == [1, 1, c, 1]


def test_what_lies_before_a_checkpoint_is_never_said_again():
    repeats = Repeats(RECORDINGS)
    assert ids(repeats, seen(1, 7), over(1, 9)) == [1, 1]
    assert repeats.passes(Checkpoint("clip", 10, 2))
    assert ids(repeats, seen(AGAIN, 7), over(AGAIN, 9), seen(AGAIN + 1, 11)) == [None, None, AGAIN + 1]


@pytest.mark.parametrize("is_successor", [False, True], ids=["first", "another publisher"])
def test_nothing_follows_the_last_word_of_a_recording_but_a_camera_may_come_again(is_successor: bool):
    """Another publisher, which knows faces of the camera from the files, took it for a recording."""
    box = (0.0, 20.0, 24.0, 24.0)
    said = [Said(stream, 1, 7, box) for stream in ("clip", "cam")] if is_successor else []
    repeats = Repeats(RECORDINGS, said)
    assert ids(repeats, seen(1, 7)) == [None if is_successor else 1]
    end = StreamChanged("clip", "ended", "end_of_file")
    assert repeats.passes(end)
    assert not repeats.passes(stream_event("clip", "connecting"))
    assert not repeats.passes(end)
    assert ids(repeats, seen(AGAIN, 7), over(AGAIN, 9)) == [None, None]
    gone = StreamChanged("cam", "ended", "drained")
    for life in range(3):
        assert repeats.passes(stream_event("cam", "connecting"))
        assert ids(repeats, seen(life, 7, live=True, stream="cam")) == [life]
        assert repeats.passes(gone)


def test_a_recording_is_over_also_where_none_of_its_faces_was_said():
    repeats = Repeats(RECORDINGS)
    assert repeats.passes(StreamChanged("clip", "failed", "worker_died"))
    assert not repeats.passes(StreamChanged("clip", "ended", "end_of_file"))
    assert ids(repeats, seen(1, 7)) == [None]


def test_only_the_newest_faces_are_kept(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("engine.delivery.repeats._MOST_FACES", 3)
    repeats = Repeats(RECORDINGS)
    assert ids(repeats, *(seen(1, index) for index in range(5))) == [1] * 5
    assert ids(repeats, *(seen(AGAIN, index) for index in range(2, 5))) == [None] * 3
    assert ids(repeats, seen(AGAIN, 0)) == [1], "which track it is is known"


def test_where_nothing_is_read_again_no_face_is_kept():
    repeats = Repeats()
    assert ids(repeats, seen(1, 7), seen(1, 7), over(1, 7), over(1, 7)) == [1, 1, 1, None]
    assert repeats.passes(Checkpoint("clip", 10, 2))
    assert repeats._recordings == {}


@pytest.mark.parametrize("count", [0, 3, 300])
def test_another_publisher_knows_what_was_written_last(tmp_path: Path, count: int):
    sink = DirectorySink(OutputConfig(directory=str(tmp_path / "out")), {"run_id": "run1", "config": {}})
    bodies = [seen(1 + number // 10, number, x=0.1 * number) for number in range(count)]
    for number, body in enumerate(bodies):
        sink.write(as_sent(replace(body, parts=[]), number), [])
    sink.write(as_sent(replace(over(1, 500), parts=[])), [])
    sink.close("failed")
    repeats = Repeats(RECORDINGS, reopen(tmp_path / "out").newest)
    assert [repeats.fresh(body) for body in bodies[-100:]] == [None] * min(count, 100)
    assert ids(repeats, over(1, 500), seen(1, 5000), over(2, 5000)) == [None, 1, 2]
