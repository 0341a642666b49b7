"""What an enhance worker does while there is no publish, and what it owes to the next one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from engine.archive.resume import Said
from engine.contracts.faces import FaceResult
from engine.contracts.streams import StreamChanged
from engine.delivery.repeats import Repeats
from engine.runtime.protocol import Taken
from engine.runtime.worker import WorkerContext
from engine.workers.links import Outgoing, link_pair, outgoing
from engine.workers.output import Output
from tests.publish.samples import face, track


def said(stream: str, number: int, *, live: bool = False) -> Outgoing:
    body, payloads = face(stream, index=number)
    return outgoing(replace(body, face=replace(body.face, live=live)), payloads)


class Bench:
    def __init__(self) -> None:
        self.supervisor, control = link_pair()
        self.context = WorkerContext("enhance-1", control)
        ours, self.publish = link_pair()
        self.output = Output(self.context, ours)

    def replace_publish(self) -> None:
        self.publish.close()
        ours, self.publish = link_pair()
        self.output.attach(ours)

    def read(self) -> list[object]:
        """What publish has got: faces and tracks by stream and number, and states."""
        got: list[object] = []
        while self.publish.has_message():
            link = self.publish.receive()
            if not isinstance(link, Outgoing):
                got.append(link)
            elif isinstance(link.body, FaceResult):
                got.append((link.body.stream, link.body.face.time.frame_index))
            else:
                got.append(link.body.stream)
        return got

    @property
    def dropped(self) -> dict[str, int]:
        return {stream: counts["dropped"] for stream, counts in self.context.telemetry.counts.streams.items()}


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.publish.close()
    made.supervisor.close()


def test_what_was_not_confirmed_comes_again_but_no_camera_s_face(bench: Bench):
    """Whether it was sent nobody knows: another publish knows what was written, see ``Repeats``."""
    for link in (said("clip", 0), said("clip", 1), outgoing(*track("clip")), StreamChanged("clip", "live")):
        bench.output.send(link)
    assert bench.read() == [("clip", 0), ("clip", 1), "clip", StreamChanged("clip", "live")]
    bench.publish.send(Taken(1))
    bench.replace_publish()
    assert bench.read() == [("clip", 1), "clip", StreamChanged("clip", "live")]
    bench.output.send(said("cam", 0, live=True))
    bench.replace_publish()
    assert bench.read() == [("clip", 1), "clip", StreamChanged("clip", "live")]
    assert bench.dropped == {"cam": 1}


def test_a_recording_waits_for_publish_and_a_camera_does_not(bench: Bench):
    bench.publish.close()
    for number in range(5):
        bench.output.send(said("cam", number, live=True))
        bench.output.send(said("clip", number))
    assert bench.dropped == {"cam": 5}
    bench.replace_publish()
    assert bench.read() == [("clip", number) for number in range(5)]
    assert bench.dropped == {"cam": 5}


@pytest.mark.parametrize("end_was_written", [True, False])
def test_pictures_of_tracks_go_to_the_next_publish_whole_and_their_ends_are_said_once(bench: Bench, end_was_written: bool):
    """News of a track with a first picture, and its end with a better one."""
    news, end = track("cam", 7, ended=False, frames=(1, 2)), track("cam", 7, frames=(1, 2, 3))
    for body, payloads in (news, end):
        bench.output.send(outgoing(body, payloads))
    assert bench.read() == ["cam", "cam"]
    bench.replace_publish()
    repeats = Repeats([], [Said("cam", 7, -1, None)] if end_was_written else [])
    again = [bench.publish.receive() for _ in range(2)]
    for link, (body, payloads) in zip(again, (news, end), strict=True):
        assert isinstance(link, Outgoing)
        assert link.body == body
        assert [bytes(array) for array in link.payloads] == payloads
        assert [part.name for part in link.body.parts] == ["embedding", "track", "agreement"]
    assert [repeats.fresh(link.body) is not None for link in again] == [True, not end_was_written]
    assert bench.dropped == {}


@pytest.mark.parametrize("known_before", [True, False])
def test_a_recording_that_lost_a_face_says_so_at_its_end(bench: Bench, known_before: bool):
    """As one with which publish dies again and again."""
    bench.output.send(said("clip", 0))
    bench.output.send(said("cam", 0, live=True))
    for _ in range(2):
        bench.replace_publish()
    ends = [StreamChanged("clip", "ended", "end_of_file"), StreamChanged("cam", "ended", "drained")]
    if known_before:
        bench.replace_publish()
    for end in ends:
        bench.output.send(end)
    if not known_before:
        bench.replace_publish()
    assert bench.read() == [replace(ends[0], lost=1), ends[1]]
    assert bench.dropped == {"cam": 1, "clip": 1}


def test_what_waits_is_bounded_and_lost_where_no_publish_comes(bench: Bench):
    bench.publish.close()
    number = 0
    while not bench.output.is_backed_up:
        bench.output.send(said("clip", number))
        number += 1
    assert number == 64
    bench.output.close()
    assert bench.dropped == {"clip": 64}
    assert not bench.output.is_backed_up
