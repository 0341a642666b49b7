from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Event
from typing import Any

import pytest

from engine.config import LiveConfig
from engine.contracts.counts import Calls
from engine.contracts.streams import StreamChanged
from engine.runtime.channel import Channel
from engine.runtime.protocol import Drain, Taken
from engine.workers.lanes import Lanes
from engine.workers.links import link_pair
from tests.workers.test_lane import face


def test_the_account_of_model_calls_goes_one_way_only():
    """All copies of an event are put together again: what perceive counted must not count for each of them."""
    pairs = [link_pair() for _ in range(3)]
    lanes = Lanes(
        {f"enhance-{number}": ours for number, (ours, _) in enumerate(pairs)},
        LiveConfig(),
        count(1),
        lambda stream, cause: None,
        lambda: None,
    )
    for ours, theirs in pairs:
        theirs.send(Taken(4))
        lanes.outlets[f"enhance-{pairs.index((ours, theirs))}"].hear()
    lanes.send_to_all(StreamChanged("cam", "ended", calls={"detect": Calls(25, 3, "no memory")}))
    lanes.flush(0.0)
    copies = [theirs.receive() for _, theirs in pairs]
    assert len({(copy.event_id, copy.lanes) for copy in copies}) == 1
    first, *others = copies
    for other in others:
        first = first.with_account(other.calls, other.lost)
    assert first.calls == {"detect": Calls(25, 3, "no memory")}
    for pair in pairs:
        for end in pair:
            end.close()


def test_who_waits_to_say_the_last_word_lives():
    """Behind a full pipe perceive fell silent, and was killed as one that hangs."""
    sending, reading = link_pair()
    waits = Event()
    lanes = Lanes({"enhance-1": sending}, LiveConfig(), count(1), lambda *_: None, waits.set)
    last = Drain("failed", "more than a pipe holds " * 200_000)
    with ThreadPoolExecutor(1) as pool:
        said = pool.submit(lanes.drain, last)
        assert waits.wait(60)
        assert reading.receive() == last
        said.result()
    sending.close()
    reading.close()


def holding_a_face() -> tuple[Lanes, Channel, Channel, list[tuple[str, str]]]:
    """Return lanes to a worker that was sent a face and has not answered, both ends of its link, and what is lost."""
    drops: list[tuple[str, str]] = []
    sending, reading = link_pair()
    lanes = Lanes({"enhance-1": sending}, LiveConfig(), count(1), lambda *drop: drops.append(drop), lambda: None)
    reading.send(Taken(1))
    lanes.outlets["enhance-1"].hear()
    lanes.pass_on(face(1))
    lanes.flush(0.0)
    return lanes, sending, reading, drops


def test_a_worker_that_hangs_up_behind_the_last_word_has_not_died(monkeypatch: pytest.MonkeyPatch):
    """It may do so before perceive looks again, with faces in its threads: they were counted as lost now and then."""
    lanes, sending, reading, drops = holding_a_face()
    assert reading.receive().track_id == 1
    send = sending.send

    def send_and_be_closed(*arguments: Any) -> None:
        send(*arguments)
        assert reading.receive() == Drain()
        reading.close()

    monkeypatch.setattr(sending, "send", send_and_be_closed)
    lanes.drain(Drain())
    assert drops == []
    sending.close()


def test_a_worker_that_is_dead_when_the_last_word_is_said_has_died():
    lanes, sending, reading, drops = holding_a_face()
    reading.close()
    lanes.drain(Drain())
    assert drops == [("cam", "worker_died")]
    sending.close()


def test_a_share_of_the_faces_is_traced_from_here_on():
    for share, expected in ((0.0, False), (1.0, True)):
        sending, reading = link_pair()
        lanes = Lanes({"enhance-1": sending}, LiveConfig(), count(1), lambda *_: None, lambda: None, share)
        reading.send(Taken(2))
        lanes.outlets["enhance-1"].hear()
        lanes.pass_on(face(1, live=False))
        lanes.flush(0.0)
        assert (reading.receive().marks is not None) is expected
        sending.close()
        reading.close()


def test_the_tracks_of_one_recording_among_several_are_shared_out_among_all_workers():
    """Of two recordings the first has the odd numbers, and two workers."""
    pairs = [link_pair() for _ in range(2)]
    names = ["enhance-1", "enhance-2"]
    channels = {name: ours for name, (ours, _) in zip(names, pairs, strict=True)}
    lanes = Lanes(channels, LiveConfig(), count(1), lambda *_: None, lambda: None, track_step=2)
    for track_id in (1, 3, 5, 7):
        lanes.pass_on(face(track_id, live=False))
    assert [lanes.outlets[name].waiting for name in names] == [2, 2]
    for pair in pairs:
        for end in pair:
            end.close()
