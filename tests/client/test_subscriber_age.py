"""Faces that are too old: which are skipped, and how that is told."""

import asyncio
import time
from types import SimpleNamespace

import msgspec
import pytest

from engine.client import Gap, Subscriber
from engine.errors import ConfigError
from tests.client.replay_service import answer_all, replaying
from tests.client.wire import seen, subscribed
from tests.patience import PATIENCE_SECONDS
from tests.publish.samples import track

HOUR_NS = 3600 * 10**9


def missed(first, last, stale=0, stream="cam1"):
    return Gap(stream, "face", first, last, stale, "run1")


def test_old_faces_of_cameras_are_skipped_and_reported_as_one_gap(opened, clock):
    with subscribed(opened) as (wire, subscriber):
        wire.face(0, live=True)
        wire.face(1, age_seconds=7500, live=True)
        wire.face(2, age_seconds=7400, live=True)
        wire.face(4, age_seconds=7300, live=True)
        wire.face(0, "cam2", age_seconds=7300, live=True)
        wire.face(5, live=True)
        wire.face(6, age_seconds=7200, live=True)
        wire.end(**{"face/cam1": 7, "face/cam2": 0})
        items = list(subscriber)
    assert [item for item in items if isinstance(item, Gap)] == [
        missed(1, 4, stale=3), missed(6, 7, stale=1), missed(0, 0, stale=1, stream="cam2"),
    ]  # fmt: skip
    assert [item.message.seq for item in items if not isinstance(item, Gap)] == [0, 5, 0]
    assert subscriber.counters["stale"] == 5
    assert subscriber.counters["missed"] == 2


@pytest.fixture
def clock(monkeypatch):
    """What the subscriber takes for now; it stands still unless a test moves it on."""
    stands = SimpleNamespace(ns=time.time_ns())
    monkeypatch.setattr("engine.client.runs.time", SimpleNamespace(time_ns=lambda: stands.ns))
    return stands


@pytest.mark.parametrize(("missing", "gap"), [(0, missed(1, 1, stale=1)), (2, missed(1, 3, stale=1))])
def test_a_face_that_becomes_old_while_the_reader_looks_at_the_gap_before_it_is_skipped(opened, clock, missing, gap):
    """One was handed out older than asked for where all of the gap had come, and was skipped."""
    with subscribed(opened) as (wire, subscriber):
        wire.face(0, live=True)
        wire.face(1, age_seconds=7200, live=True)
        wire.face(2 + missing, live=True)
        wire.end(**{"face/cam1": 2 + missing})
        items = iter(subscriber)
        assert next(items).message.seq == 0
        assert next(items) == gap
        clock.ns += HOUR_NS
        assert next(items) == missed(2 + missing, 2 + missing, stale=1)
    assert (subscriber.counters["messages"], subscriber.counters["stale"]) == (1, 2)


def test_a_face_that_becomes_old_behind_a_gap_is_skipped_in_an_event_loop_too(opened, clock):
    """What a message means is looked at piece by piece, not all of it before the reader has the first."""

    async def read(subscriber):
        items = aiter(subscriber)
        found = [await anext(items), await anext(items)]
        clock.ns += HOUR_NS
        return [*found[1:], await anext(items)]

    with subscribed(opened) as (wire, subscriber):
        wire.face(0, live=True)
        wire.face(1, age_seconds=7200, live=True)
        wire.face(2, live=True)
        wire.end(**{"face/cam1": 2})
        assert asyncio.run(read(subscriber)) == [missed(n, n, stale=1) for n in (1, 2)]


def test_a_face_that_came_back_and_becomes_old_behind_a_gap_is_skipped_too(opened, clock):
    def answer_last(router, identity, request):
        answer_all(router, identity, msgspec.structs.replace(request, from_seq=request.to_seq))

    with (
        replaying(opened, answer_last) as (endpoint, _),
        subscribed(opened, replay=endpoint, max_age_seconds=1.0, replay_timeout_seconds=PATIENCE_SECONDS) as (wire, subscriber),
    ):
        wire.face(3, live=True)
        wire.end(**{"face/cam1": 3})
        items = iter(subscriber)
        assert next(items) == missed(0, 1)
        clock.ns += HOUR_NS
        assert [next(items), next(items)] == [missed(seq, seq, stale=1) for seq in (2, 3)]
    assert (subscriber.counters["replayed"], subscriber.counters["stale"], subscriber.counters["missed"]) == (0, 2, 2)


@pytest.mark.parametrize(("live", "options"), [(False, {}), (True, {"max_age_seconds": None}), (True, {"max_age_seconds": 60})])
def test_faces_of_recordings_are_never_skipped_and_a_limit_is_a_choice(opened, live, options):
    with subscribed(opened, **options) as (wire, subscriber):
        for seq in range(3):
            wire.face(seq, age_seconds=30, live=live)
        wire.end(**{"face/cam1": 2})
        assert seen(subscriber) == [0, 1, 2, "End"]


def test_tracks_and_the_end_are_never_skipped(opened):
    with subscribed(opened) as (wire, subscriber):
        message, payloads = track()
        wire.say(message, 0, payloads, sent_ns=1)
        wire.end()
        assert seen(subscriber) == ["Track", "End"]


def test_a_lossless_socket_skips_nothing(wire):
    with wire.subscriber() as subscriber:
        wire.face(0, age_seconds=3600, live=True)
        wire.end(**{"face/cam1": 0})
        assert seen(subscriber) == [0, "End"]


def test_the_gap_of_a_run_that_was_cut_comes_before_the_next_run(opened, clock):
    with subscribed(opened) as (wire, subscriber):
        wire.face(7, live=True)
        wire.face(8, age_seconds=7200, live=True)
        wire.face(1, run_id="run2", live=True)
        wire.face(2, run_id="run2", live=True)
        wire.end(run_id="run2", **{"face/cam1": 2})
        assert seen(subscriber) == [7, (8, 8), 1, 2, "End"]


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_an_age_that_is_none_is_refused(seconds):
    with pytest.raises(ConfigError, match="use a number of seconds above 0, or None"):
        Subscriber("tcp://127.0.0.1:5556", max_age_seconds=seconds)
