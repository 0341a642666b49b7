"""What is counted of a stream is never taken for a cause, whatever the stream is called."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from engine.contracts.counts import Counting, Counts

TOTALS = st.dictionaries(st.sampled_from(["frames", "faces", "faces.offered"]), st.integers(0, 1000))
CAUSES = st.dictionaries(st.sampled_from(["late", "no_slot"]), st.integers(0, 1000))
COUNTS = st.builds(
    Counts,
    TOTALS,
    st.dictionaries(st.text(max_size=8), st.dictionaries(st.sampled_from(["frames", "faces"]), st.integers(0, 9))),
    CAUSES,
    st.dictionaries(st.sampled_from(["detect", "gallery"]), st.integers(0, 1000)),
)


@given(st.lists(COUNTS, max_size=4))
def test_sums_are_by_name_and_by_stream(parts: list[Counts]):
    counting = Counting()
    for part in parts:
        counting.add(part)
    total = counting.now()
    for name in ("frames", "faces", "faces.offered"):
        assert total.run.get(name, 0) == sum(part.run.get(name, 0) for part in parts)
    assert total.drops.get("late", 0) == sum(part.drops.get("late", 0) for part in parts)
    assert total.errors.get("detect", 0) == sum(part.errors.get("detect", 0) for part in parts)
    for stream in {stream for part in parts for stream in part.streams}:
        assert total.streams[stream].get("faces", 0) == sum(part.streams.get(stream, {}).get("faces", 0) for part in parts)


@given(COUNTS)
def test_they_travel(counts: Counts):
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(counts), type=Counts) == counts


def test_flat_names_are_those_of_run_json():
    of_streams = {"yard.2": {"faces": 2}, "a/b.mp4": {"faces": 3, "dropped": 1}}
    counts = Counts({"faces": 5}, of_streams, {"late": 1}, {"detect": 4})  # type: ignore[arg-type]
    assert counts.totals() == {"faces": 5, "drops.late": 1, "errors.detect": 4}
    assert counts.flat() == {
        "faces": 5, "drops.late": 1, "errors.detect": 4, "faces.yard.2": 2, "faces.a/b.mp4": 3, "dropped.a/b.mp4": 1,
    }  # fmt: skip


def test_a_total_keeps_its_name_where_a_stream_is_called_like_its_cause_and_the_stream_has_another():
    assert Counts({"faces.offered": 123}, {"offered": {"faces": 3, "frames": 9}}).flat() == {
        "faces.offered": 123, "faces:offered": 3, "frames.offered": 9,
    }  # fmt: skip


STREAMS = st.text("ab.-_", min_size=1, max_size=5) | st.sampled_from(["offered", "late", "faces", ".offered", "faces.offered"])


@given(st.dictionaries(STREAMS, st.sampled_from([{"faces": 1}, {"frames": 2, "dropped": 3}]), max_size=12))
def test_no_two_of_them_have_the_same_name(streams: dict[str, dict[str, int]]):
    totals = {"faces": 5, "faces.offered": 123, "faces.faces.offered": 2}
    flat = Counts(totals, streams, {"late": 1}, {"offered": 1}).flat()  # type: ignore[arg-type]
    assert len(flat) == len(totals) + 2 + sum(map(len, streams.values()))


@given(COUNTS, COUNTS)
def test_what_was_counted_since_makes_the_newer_again(before: Counts, more: Counts):
    counting = Counting()
    counting.add(before)
    counting.add(more)
    now, again = counting.now(), Counting()
    again.add(before)
    again.add(now.since(before))
    assert {name: n for name, n in again.now().flat().items() if n} == {name: n for name, n in now.flat().items() if n}
    assert now.at_least(before) == now == before.at_least(now)


def test_a_copy_goes_its_own_way():
    counting = Counting()
    more = Counts({"frames": 2}, {"cam": {"frames": 2}}, {"late": 3}, {"detect": 4})
    counting.add(more)
    copy = counting.copy()
    assert copy.now() == more
    counting.add(more)
    assert (copy.now(), counting.now()) == (more, Counts({"frames": 4}, {"cam": {"frames": 4}}, {"late": 6}, {"detect": 8}))
