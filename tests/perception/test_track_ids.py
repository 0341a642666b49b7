from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.perception.track_ids import TrackIds

RECORDINGS = ("yard", "door", "hall")


@given(order=st.lists(st.sampled_from([*RECORDINGS, "camera-1", "camera-2"]), max_size=60), first=st.integers(1, 1000))
def test_a_recordings_numbers_do_not_depend_on_when_others_need_theirs(order: list[str], first: int) -> None:
    ids = TrackIds(first, [*RECORDINGS, ""])
    given_out: dict[str, list[int]] = {}
    for stream in order:
        expected = ids.next_of(stream)
        given_out.setdefault(stream, []).append(ids.take(stream))
        assert given_out[stream][-1] == expected < ids.next_of(stream)
    everyones = [number for numbers in given_out.values() for number in numbers]
    assert len(set(everyones)) == len(everyones)
    for place, name in enumerate(RECORDINGS):
        numbers = given_out.get(name, [])
        assert numbers == [first + place + 4 * count for count in range(len(numbers))]


def test_one_stream_has_all_numbers() -> None:
    for shares in ((), ("clip",), ("",)):
        ids = TrackIds(1, shares)
        assert [ids.take("clip") for _ in range(3)] == [1, 2, 3]
