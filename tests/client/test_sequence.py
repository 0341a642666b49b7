from hypothesis import given
from hypothesis import strategies as st

from engine.client.sequence import Sequence
from tests.publish.samples import as_sent, end, face


def numbered(seq, stream="cam1"):
    return as_sent(face(stream)[0], seq=seq)


@given(st.integers(1, 80), st.data(), st.booleans())
def test_what_is_seen_and_what_is_missing_make_up_the_whole(count, data, from_start):
    seen = sorted(data.draw(st.sets(st.integers(0, count - 1))))
    sequence = Sequence(from_start)
    missing = [seq for number in seen for seq in sequence.arrived(numbered(number))]
    last = as_sent(end(), run_id="run1", seq=0, last_seq={"face/cam1": count - 1})
    sequence.arrived(last)
    missing += [seq for _, _, numbers in sequence.missing_at_end(last) for seq in numbers]
    first = 0 if from_start else (seen[0] if seen else count)
    assert sorted([*seen, *missing]) == list(range(first, count))


def test_streams_are_counted_apart_and_repeats_are_seen():
    sequence = Sequence(from_start=False)
    assert sequence.arrived(numbered(5, "a")) == range(5, 5)
    assert sequence.arrived(numbered(9, "b")) == range(9, 9)
    assert sequence.arrived(numbered(7, "a")) == range(6, 7)
    assert sequence.arrived(numbered(7, "a")) is None


def test_who_goes_on_misses_what_came_since_and_new_series_from_their_start():
    sequence = Sequence(from_start=True, next_seq={("a", "face"): 5})
    assert sequence.arrived(numbered(4, "a")) is None
    assert sequence.arrived(numbered(7, "a")) == range(5, 7)
    assert sequence.arrived(numbered(2, "b")) == range(0, 2)
