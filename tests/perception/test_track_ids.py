from __future__ import annotations

import random

import pytest

from engine.perception.track_ids import TrackIds


def test_streams_that_come_as_they_like_share_one_series() -> None:
    ids = TrackIds(7)
    assert [ids.take(stream) for stream in ("a", "b", "a")] == [7, 8, 9]
    assert ids.peek("c") == 10
    assert ids.step == 1


def test_one_recording_is_numbered_without_gaps() -> None:
    ids = TrackIds(1, ["clip"])
    assert [ids.take("clip") for _ in range(3)] == [1, 2, 3]


@pytest.mark.parametrize("first", [1, 40])
def test_what_is_found_in_a_recording_has_the_same_numbers_however_fast_the_others_are_read(first: int) -> None:
    streams, runs = ["a", "b", "c"], []
    for seed in range(5):
        ids, found = TrackIds(first, streams), {stream: list[int]() for stream in streams}
        turns = streams * 4
        random.Random(seed).shuffle(turns)
        for stream in turns:
            assert ids.peek(stream) not in found[stream]
            found[stream].append(ids.take(stream))
        runs.append(found)
    assert all(found == runs[0] for found in runs)
    numbers = [number for found in runs[0].values() for number in found]
    assert len(set(numbers)) == len(numbers) == 12
    assert min(numbers) == first
    assert all(found == sorted(found) for found in runs[0].values())
