"""Room, order, freshness, and what happens to what a dead worker had in hand."""

from __future__ import annotations

import time
from collections import Counter

import numpy as np
import pytest
from msgspec.structs import replace

from engine.contracts.faces import FaceCrop, TrackClosed
from engine.contracts.findings import Quality
from engine.contracts.frames import FrameTime, Planes, Span
from engine.contracts.streams import StreamChanged
from engine.runtime.channel import Channel
from engine.runtime.protocol import Taken
from engine.workers.lane import Lane
from engine.workers.links import link_pair


def moment(index: int, captured_ns: int = 0) -> FrameTime:
    return FrameTime(index, index, (1, 25), index / 25, captured_ns)


def face(track: int, *, live: bool = True, age: float = 0.0, stream: str = "cam") -> FaceCrop:
    return FaceCrop(
        stream=stream,
        track_id=track,
        time=moment(track, time.time_ns() - round(age * 1e9)),
        box=(0.0, 0.0, 2.0, 2.0),
        landmarks=None,
        detection_score=0.9,
        quality=Quality(2.0, 0.5, 0.5, 0.5),
        crop_box=(0, 0, 2, 2),
        live=live,
        planes=Planes(*(np.zeros((side, side), np.uint8) for side in (2, 1, 1))),
    )


CLOSED = TrackClosed("cam", 1, Span(moment(0), moment(1)), 2)


class Bench:
    """A lane and the worker at its other end."""

    def __init__(self) -> None:
        self.drops: Counter[tuple[str, str]] = Counter()
        ours, self.theirs = link_pair()
        self.lane = Lane(ours, 2, 0.5, lambda stream, cause: self.drops.update([(stream, cause)]), lambda: None)

    def grant(self, room: int) -> None:
        self.theirs.send(Taken(room))
        self.lane.hear()

    def received(self) -> list[object]:
        links = []
        while self.theirs.has_message():
            links.append(self.theirs.receive())
        return links

    def successor(self) -> Channel:
        self.theirs.close()
        ours, self.theirs = link_pair()
        return ours


@pytest.fixture
def bench():
    made = Bench()
    yield made
    made.theirs.close()
    made.lane.close()


def test_nothing_goes_out_without_room(bench: Bench):
    bench.lane.offer(face(1))
    assert bench.lane.flush(time.monotonic()) == 0
    bench.grant(1)
    bench.lane.offer(face(2))
    assert bench.lane.flush(time.monotonic()) == 1
    assert [link.track_id for link in bench.received()] == [1]
    bench.grant(5)
    assert bench.lane.flush(time.monotonic()) == 1
    assert bench.lane.waiting == 0


def test_faces_of_cameras_give_way_and_those_of_recordings_never(bench: Bench):
    for track in range(6):
        bench.lane.offer(face(track))
        bench.lane.offer(face(track, live=False, age=99.0, stream="clip"))
    assert bench.drops == {("cam", "late"): 4}
    bench.grant(99)
    bench.lane.flush(time.monotonic() + 1.0)
    assert bench.drops == {("cam", "late"): 4, ("cam", "stale"): 2}
    assert [link.track_id for link in bench.received()] == list(range(6))


def test_a_track_is_closed_after_its_faces(bench: Bench):
    bench.lane.offer(face(1))
    bench.lane.offer(CLOSED)
    bench.grant(2)
    bench.lane.flush(time.monotonic())
    assert [type(link) for link in bench.received()] == [FaceCrop, TrackClosed]


def test_a_dead_worker_takes_its_faces_along_and_nothing_else(bench: Bench):
    live = StreamChanged("cam", "live", event_id=3)
    for link in (face(1), CLOSED, live, face(2)):
        bench.lane.offer(link)
    bench.grant(3)
    bench.lane.flush(time.monotonic())
    bench.lane.attach(bench.successor())
    assert bench.drops == {("cam", "worker_died"): 1}
    assert bench.lane.flush(time.monotonic()) == 0, "the successor has granted nothing yet"
    bench.grant(9)
    bench.lane.flush(time.monotonic())
    assert [replace(link) for link in bench.received()[:2]] == [CLOSED, live]


def test_death_is_noticed_on_both_ways(bench: Bench):
    bench.theirs.close()
    bench.lane.hear()
    assert bench.lane.channel is None
    bench.lane.attach(bench.successor())
    bench.grant(1)
    bench.theirs.close()
    bench.lane.offer(face(1))
    bench.lane.flush(time.monotonic())
    assert bench.lane.channel is None
    assert bench.drops == {("cam", "worker_died"): 1}


ENDS = [StreamChanged("clip", "ended", "end_of_file"), StreamChanged("cam", "ended", "drained")]


def seen(links: list[object]) -> list[object]:
    return [(link.stream, link.track_id) if isinstance(link, FaceCrop) else link for link in links]


@pytest.mark.parametrize("sent_before", [True, False])
def test_a_recordings_faces_go_to_the_successor_before_all_that_comes_later(bench: Bench, sent_before: bool):
    bench.grant(9)
    for link in (face(1, live=False, stream="clip"), face(2), face(3, live=False, stream="clip")):
        bench.lane.offer(link)
    for end in ENDS if sent_before else ():
        bench.lane.offer(end)
    bench.lane.flush(time.monotonic())
    bench.lane.attach(bench.successor())
    bench.lane.offer(face(4))
    for end in ENDS if not sent_before else ():
        bench.lane.offer(end)
    bench.grant(9)
    bench.lane.flush(time.monotonic())
    got = seen(bench.received())
    assert got[:2] == [("clip", 1), ("clip", 3)]
    assert ENDS[0] in got, "nothing was lost"
    assert bench.drops == {("cam", "worker_died"): 1}


def test_a_face_that_three_workers_died_with_is_lost_and_its_recording_says_so_at_its_end(bench: Bench):
    """It may be what they die of, and must not end a run that has cameras."""
    deadly, harmless = face(1, live=False, stream="clip"), face(2, live=False, stream="clip")
    bench.lane.offer(deadly)
    for death in range(3):
        bench.grant(1)
        bench.lane.flush(time.monotonic())
        assert seen(bench.received()) == [("clip", 1)], death
        bench.lane.attach(bench.successor())
    for link in (harmless, *ENDS):
        bench.lane.offer(link)
    bench.grant(9)
    bench.lane.flush(time.monotonic())
    assert [one for one in seen(bench.received()) if one != ENDS[1]] == [("clip", 2), replace(ENDS[0], lost=1)]
    assert bench.drops == {("clip", "worker_died"): 1}
