from hypothesis import given
from hypothesis import strategies as st

from engine.contracts.messages import StageStats, kind_of
from engine.contracts.streams import RunStats
from engine.publish.numbering import Numbering
from tests.publish.samples import end, face, stream_event, track


@given(st.lists(st.tuples(st.sampled_from(["face", "track", "stream"]), st.sampled_from(["a", "b"])), max_size=40))
def test_each_stream_and_kind_counts_from_zero(choices):
    make = {"face": lambda name: face(name)[0], "track": lambda name: track(name)[0], "stream": stream_event}
    numbering = Numbering("run7")
    sent = [numbering.stamp(make[kind](name)) for kind, name in choices]
    for kind, name in set(choices):
        own = [message for message in sent if kind_of(message) == kind and message.stream == name]
        assert [message.seq for message in own] == list(range(len(own)))
    assert all(message.run_id == "run7" and message.sent_ns > 0 for message in sent)


def test_stats_and_end_have_no_stream():
    numbering = Numbering("run")
    stats = RunStats({"detect": StageStats(1, 2.0, 3.0, 4.0)}, {})
    assert [numbering.stamp(stats).seq for _ in range(2)] == [0, 1]
    assert numbering.stamp(stats).stream == ""
    assert numbering.stamp(end()).stream == ""


def test_a_track_names_its_best_face():
    numbering = Numbering("run")
    for track_id, score in [(1, 0.2), (2, 0.9), (1, 0.7), (1, 0.7), (1, 0.1)]:
        numbering.stamp(face(track_id=track_id, score=score)[0])
    assert numbering.stamp(track(track_id=1, ended=False)[0]).best_face_seq == 2
    assert numbering.stamp(track(track_id=2)[0]).best_face_seq == 1
    assert numbering.stamp(track(track_id=3)[0]).best_face_seq is None


def test_the_end_says_how_far_each_series_went():
    numbering = Numbering("run")
    numbering.stamp(stream_event("a"))
    for _ in range(3):
        numbering.stamp(face("a")[0])
    numbering.stamp(track("b")[0])
    assert numbering.stamp(end()).last_seq == {"stream/a": 0, "face/a": 2, "track/b": 0}


def test_another_publisher_of_the_same_run_goes_on():
    numbering = Numbering("run", {"face/a": 7, "stats/": 3})
    assert [numbering.stamp(face(name)[0]).seq for name in ("a", "a", "b")] == [7, 8, 0]
    stats = RunStats({}, {})
    assert numbering.stamp(stats).seq == 3
    assert numbering.last_seq == {"face/a": 8, "face/b": 0, "stats/": 3}
