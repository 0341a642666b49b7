from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.cli.run.words import drops_of, errors_of
from engine.contracts.counts import Counts
from engine.contracts.streams import StreamChanged
from engine.control.answers import Funnel
from engine.pipeline.status import RunStatus
from engine.pipeline.stream_status import StreamStatus
from engine.runtime.protocol import Beat, StageBeat
from engine.runtime.telemetry import Telemetry


def test_totals_are_summed_over_workers_and_stages_merged():
    status = RunStatus()
    status.take_beat(Beat("decode-1", {"decode": StageBeat(10, 1.0, 1.0, 2.0)}, Counts({"frames": 10}, {"a": {"frames": 10}})))
    status.take_beat(Beat("decode-2", {"decode": StageBeat(5, 0.5, 3.0, 4.0)}, Counts({"frames": 5}, {"b": {"frames": 5}})))
    assert status.totals.flat() == {"frames": 15, "frames.a": 10, "frames.b": 5}
    assert status.frames_of("b") == 5
    merged = status.stages()["decode"]
    assert (merged.items, merged.busy_seconds, merged.p50_ms, merged.p99_ms) == (15, 1.5, 3.0, 4.0)


def test_the_publishers_last_beat_holds_everything_and_is_not_added_to_the_rest():
    status = RunStatus()
    status.take_beat(Beat("decode-1", {}, Counts({"frames": 10})))
    status.take_beat(Beat("publish", {}, Counts({"frames": 10, "published": 3}), finished=True))
    assert status.counters == {"frames": 10, "published": 3}


def test_rates_are_since_the_stats_before(monkeypatch: pytest.MonkeyPatch):
    clock = [100.0]
    monkeypatch.setattr("engine.pipeline.status.time.monotonic", lambda: clock[0])
    status = RunStatus(started=100.0)
    clock[0] = 101.0
    status.take_beat(Beat("perceive", {"detect": StageBeat(20, 1.0, 1.0, 1.0)}, Counts()))
    assert status.stats().stages["detect"].items_per_second == pytest.approx(20)
    clock[0] = 103.0
    status.take_beat(Beat("perceive", {"detect": StageBeat(50, 2.0, 1.0, 1.0)}, Counts()))
    assert status.stats().stages["detect"].items_per_second == pytest.approx(15)


def test_a_streams_life():
    status = RunStatus()
    status.take_event(StreamChanged("cam", "live", width_px=640, height_px=480, frames_expected=100))
    status.take_event(StreamChanged("cam", "failed", "truncated", "it breaks off"))
    stream = status.streams["cam"]
    assert stream.is_over
    assert (stream.width_px, stream.frames_expected, stream.reason) == (640, 100, "truncated")


def names_of(status: RunStatus) -> list[str]:
    return [event.name for event in status.events]


def test_what_a_dead_worker_counted_stays_in_the_sums():
    status = RunStatus({"cam": StreamStatus("cam")})
    stage = {"decode": StageBeat(10, 1.0, 5.0, 9.0, 4)}
    status.take_beat(Beat("camera-cam", stage, Counts({"frames": 10}, {"cam": {"frames": 10}}, {"late": 2})))
    status.worker_restarted("camera-cam", "it was killed")
    assert status.totals == Counts({"frames": 10}, {"cam": {"frames": 10}}, {"late": 2})
    status.take_beat(Beat("camera-cam", {"decode": StageBeat(3, 0.5, 1.0, 2.0)}, Counts({"frames": 3}, {"cam": {"frames": 3}})))
    assert status.totals == Counts({"frames": 13}, {"cam": {"frames": 13}}, {"late": 2})
    assert status.frames_of("cam") == status.streams["cam"].frames == 13
    assert status.stages()["decode"] == StageBeat(13, 1.5, 1.0, 2.0, 0)
    assert (status.restarts, status.workers["camera-cam"].alive) == (1, True)
    assert status.counted_by_the_dead.flat() == {"frames": 10, "frames.cam": 10, "drops.late": 2}


def test_no_name_of_a_stream_is_taken_for_a_total():
    """A recording called ``offered.mp4`` has faces too."""
    status = RunStatus({"offered": StreamStatus("offered")})
    status.take_beat(Beat("perceive", {}, Counts({"faces.offered": 123}, {"offered": {"faces": 3}})))
    assert status.counters == {"faces.offered": 123}
    assert status.totals.streams == {"offered": {"faces": 3}}
    assert status.streams["offered"].faces == 3


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans(), st.booleans()), max_size=30))
def test_counters_never_go_down(steps: list[tuple[int, bool, bool]]):
    """Two workers count on, or die and begin at 0; the publisher's last beat knows of the living ones only."""
    status, counts, whole = RunStatus(), {"a": 0, "b": 0}, 0
    for new, second, dies in steps:
        name = "b" if second else "a"
        before = status.counters.get("frames", 0)
        if dies:
            counts[name] = 0
            status.worker_restarted(name, "")
        else:
            counts[name] += new
            whole += new
            status.take_beat(Beat(name, {}, Counts({"frames": counts[name]})))
        assert status.counters.get("frames", 0) == whole >= before
    status.take_beat(Beat("publish", {}, Counts({"frames": sum(counts.values()), "published": 1}), finished=True))
    assert status.counters == {"frames": whole, "published": 1}


def test_rates_stay_positive_when_a_worker_is_replaced(monkeypatch: pytest.MonkeyPatch):
    clock = [100.0]
    monkeypatch.setattr("engine.pipeline.status.time.monotonic", lambda: clock[0])
    status = RunStatus(started=100.0)
    status.take_beat(Beat("perceive", {"detect": StageBeat(20, 1.0, 1.0, 1.0)}, Counts()))
    clock[0] = 101.0
    status.stats()
    status.worker_restarted("perceive", "")
    clock[0] = 102.0
    status.take_beat(Beat("perceive", {"detect": StageBeat(5, 1.0, 1.0, 1.0)}, Counts()))
    assert status.stats().stages["detect"].items_per_second == pytest.approx(5)


def test_streams_get_their_own_numbers_and_latencies():
    status = RunStatus({name: StreamStatus(name) for name in ("door", "yard.2")})
    status.take_beat(Beat("camera-door", {}, Counts({}, {"door": {"frames": 7, "dropped": 2, "reconnects": 1}})))
    status.take_beat(Beat("enhance-1", {}, Counts({}, {"door": {"faces": 3}, "yard.2": {"faces": 1}})))
    status.take_beat(Beat("enhance-2", {}, Counts({}, {"door": {"faces": 2}})))
    status.take_beat(Beat("perceive", {}, Counts({"faces.selected": 9, "frames_detected": 5}, {"door": {"dropped": 4}})))
    for p99 in (90.0, 60.0):
        status.take_beat(
            Beat("publish", {"publish": StageBeat(5, 1, 1, 1)}, Counts(), latencies={"door": StageBeat(5, 1.0, 40.0, p99)})
        )
    door, yard = status.streams["door"], status.streams["yard.2"]
    assert (door.frames, door.faces, door.dropped, door.reconnects) == (7, 5, 6, 1)
    assert (door.latency_p50_ms, door.latency_p99_ms, door.worst_latency_ms) == (40.0, 60.0, 90.0)
    assert (yard.faces, yard.latency_p50_ms) == (1, None)


@pytest.mark.parametrize(
    "name",
    [
        *("offered", "selected", "drops", "errors", "overload", "level", "faces.track", "a.b/c.mp4", "run", "drops.mp4"),
        *("latency.x", "errors.foo", "offered.mp4", "a:b", "latency", "latency.latency", "drops.late", "publish"),
    ],
)
def test_a_stream_called_like_a_cause_keeps_its_own_numbers(name: str):
    """A recording called ``offered.mp4`` was said to have all the faces that were ever offered."""
    perceive, enhance = Telemetry("perceive"), Telemetry("enhance-1")
    for cause in ("faces.offered", "faces.selected", "faces.track", "tracks.joined"):
        perceive.counters[cause] += 100
    perceive.counts.drops["late"] += 100
    perceive.counts.errors["verify"] += 100
    perceive.drop(name, "late", 2)
    enhance.counts.everywhere(name, "faces", 3)
    enhance.counts.of_stream(name, "errored", 1)
    status = RunStatus({name: StreamStatus(name)})
    publish = Telemetry("publish")
    publish.record_latency(name, 0.25)
    publish.record_latency("another", 0.5)
    for worker in (perceive, enhance):
        status.take_beat(worker.beat())
        publish.counts.add(worker.beat().counts)
    for last in ([], [publish.beat(finished=True)]):
        for beat in last:
            status.take_beat(beat)
        stream = status.streams[name]
        assert (stream.faces, stream.dropped, stream.errored) == (3, 2, 1)
        counters, counts = status.counters, status.totals
        assert counters["faces"] == 3
        assert counters["faces.offered"] == 100
        assert (counters["drops.late"], drops_of(counts)) == (102, {"late": 102})
        assert (counters["errors.verify"], errors_of(counts)) == (100, {"verify": 100})
    status.take_beat(publish.beat())
    told = status.stats().stages
    assert (stream.latency_p50_ms, told[f"latency.{name}"].p50_ms) == (250, 250)
    assert {name: stage.items for name, stage in told.items()} == {"latency": 2, f"latency.{name}": 1, "latency.another": 1}
    assert list(status.stages()) == ["latency"]


def test_the_overload_level_is_no_sum_and_each_change_is_an_event():
    status = RunStatus()
    for level in (0, 2, 2, 3, 0):
        status.take_beat(Beat("perceive", {}, Counts({"overload.level": level})))
    assert (status.overload_level, status.counters) == (0, {"overload.level": 0})
    assert [(event.level, event.fields["overload_level"]) for event in status.events] == [
        ("warning", 2), ("warning", 3), ("info", 0),
    ]  # fmt: skip


def test_events_tell_of_streams_and_workers_in_order():
    status = RunStatus({"cam": StreamStatus("cam")})
    status.take_event(StreamChanged("cam", "connecting"))  # as it is from the start: no news
    status.take_event(StreamChanged("cam", "live", width_px=64, height_px=48))
    status.take_event(StreamChanged("cam", "stalled", "timeout", "nothing came"))
    status.take_event(StreamChanged("cam", "connecting", "timeout", "attempt 1"))
    status.worker_started("perceive", 41)
    status.worker_restarted("perceive", "it was killed")
    status.worker_started("perceive", 42)
    status.take_beat(Beat("perceive", {}, Counts()))
    status.take_beat(Beat("perceive", {}, Counts()))
    assert names_of(status) == ["stream", "stream", "stream", "worker_died", "worker_restarted"]
    assert [event.level for event in status.events] == ["info", "warning", "warning", "warning", "info"]
    assert [event.number for event in status.events] == [1, 2, 3, 4, 5]
    died, back = status.events.after(3)
    assert died.fields == {"worker": "perceive", "reason": "it was killed", "restarts": 1, "pid": 41}
    assert back.fields == {"worker": "perceive", "restarts": 1, "pid": 42}
    assert next(iter(status.events)).fields == {"stream": "cam", "state": "live", "width_px": 64, "height_px": 48}
    assert abs(died.time_ns - time.time_ns()) < 60e9


def test_only_the_newest_events_are_kept():
    status = RunStatus()
    for number in range(3000):
        status.take_beat(Beat("perceive", {}, Counts({"overload.level": number % 2})))
    assert len(status.events) == 1000
    assert status.events.after(2998)[0].number == 2999


def test_the_end_of_a_worker_is_no_death():
    status = RunStatus()
    status.take_beat(Beat("decode-1", {}, Counts()))
    status.take_beat(Beat("decode-1", {}, Counts(), finished=True))
    assert (status.workers["decode-1"].alive, status.restarts, names_of(status)) == (False, 0, [])


def test_errors_are_counted_by_stream():
    status = RunStatus({"cam": StreamStatus("cam")})
    status.take_beat(Beat("perceive", {}, Counts({}, {"cam": {"errored": 3}}, errors={"detect": 3})))
    status.take_beat(Beat("enhance-1", {}, Counts({}, {"cam": {"errored": 1}}, errors={"verify": 1})))
    assert status.streams["cam"].errored == 4


@pytest.mark.parametrize("handed_over", [True, False])
def test_a_camera_that_left_and_came_again_counts_on(handed_over: bool):
    """Its worker has the same name and begins at zero."""
    status = RunStatus({"door": StreamStatus("door")})
    before, after = (Counts({"frames": n}, {"door": {"frames": n}}) for n in (10, 3))
    status.take_beat(Beat("camera-door", {"decode": StageBeat(10, 1.0, 2.0, 3.0)}, before, finished=handed_over))
    status.worker_left("camera-door")
    assert not status.workers["camera-door"].alive
    status.take_beat(Beat("camera-door", {"decode": StageBeat(3, 0.5, 2.0, 3.0)}, after))
    assert status.totals.flat() == {"frames": 13, "frames.door": 13}
    assert (status.frames_of("door"), status.stages()["decode"].items, status.restarts) == (13, 13, 0)
    assert status.counted_by_the_dead.run == ({} if handed_over else {"frames": 10})


def test_what_was_handed_to_a_perceive_that_died_was_counted_by_the_dead():
    """Of a recording that had been read, or a camera that had left, the frames were missing in the end."""
    status = RunStatus()
    for worker, finished in (("decode-1", True), ("camera-door", True), ("camera-yard", False), ("perceive", False)):
        status.take_beat(Beat(worker, {}, Counts({"frames": 10} if worker != "perceive" else {"tracks": 1}), finished=finished))
    status.worker_left("camera-door")
    assert status.counted_by_the_dead.run == {}
    for _ in range(2):
        status.worker_restarted("perceive")
        assert status.counted_by_the_dead.run == {"frames": 20, "tracks": 1}, "once"


def test_the_funnel_of_a_stream_is_summed_over_those_who_count_it():
    status = RunStatus({"door": StreamStatus("door"), "yard": StreamStatus("yard")})
    for camera in ("door", "yard"):
        status.take_beat(Beat(f"camera-{camera}", {}, Counts({}, {camera: {"frames": 100}})))
    seen = {"detections": 40, "found": 30, "unconfirmed": 4, "too_small": 3, "outranked": 12, "blurred": 2, "late": 1}
    status.take_beat(Beat("perceive", {}, Counts({}, {"door": {**seen, "rejected": 2}})))
    before = status.snapshot()
    for worker, large in (("enhance-1", 1), ("enhance-2", 2)):
        status.take_beat(Beat(worker, {}, Counts({}, {"door": {"faces": 4 + large, "enhanced": 4, "passed_through": large}})))
    door = Funnel(100, 40, 30, 4, 3, 12, 2, 1, 8, 3, 2)
    assert status.streams["door"].funnel == door
    assert status.streams["yard"].funnel == Funnel(frames=100)
    assert (before.streams["door"].funnel.enhanced, before.streams["door"].funnel.found) == (0, 30)
    status.worker_restarted("enhance-1")
    status.take_beat(Beat("enhance-1", {}, Counts({}, {"door": {"faces": 1, "enhanced": 1}})))
    assert status.streams["door"].funnel.enhanced == 9


def test_another_detail_of_a_live_stream_is_no_event() -> None:
    status = RunStatus()
    status.take_event(StreamChanged("cam", "live"))
    status.take_event(StreamChanged("cam", "live", detail="faces are cut from its sub-stream"))
    assert status.streams["cam"].detail == "faces are cut from its sub-stream"
    assert len(status.events) == 1
