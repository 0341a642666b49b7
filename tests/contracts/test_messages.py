from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.contracts.findings import Candidate, Enhanced, Quality
from engine.contracts.messages import (  # fmt: skip
    SCHEMA,
    AnyMessage,
    End,
    Face,
    Part,
    PartName,
    StageStats,
    Stats,
    Stream,
    Track,
    check_stream_name,
    decode_header,
    encode_header,
    kind_of,
    topic_of,
)
from engine.contracts.track_picture import FusedFrame, TrackPicture
from engine.errors import ConfigError
from tests.publish.samples import as_sent, face

NUMBERS = st.integers(-(2**63), 2**63 - 1)
COUNTS = st.integers(0, 2**40)
REALS = st.floats(-1e12, 1e12)
SECONDS = st.floats(-9.3e9, 9.3e9)
NAMES = st.from_regex(r"[A-Za-z0-9_.-]{1,64}", fullmatch=True).filter(lambda name: name.strip("."))
DECISIONS = st.sampled_from(["known", "unknown", "undecided", "none"])
CANDIDATES = st.lists(st.builds(Candidate, st.text(), REALS, st.none() | REALS, st.none() | REALS), max_size=3)
PARTS = st.lists(
    st.builds(
        Part, st.sampled_from(get_args(PartName)), st.sampled_from(["jpeg", "png", "raw"]),
        st.lists(COUNTS, max_size=3).map(tuple), st.just("uint8"), st.text("0123456789abcdef", min_size=64, max_size=64),
    ),
    max_size=3,
)  # fmt: skip
COMMON = {"run_id": st.text(), "stream": NAMES, "seq": COUNTS, "sent_ns": NUMBERS}
TIMED = {"time_base": st.tuples(COUNTS, COUNTS), "decision": DECISIONS, "candidates": CANDIDATES, "gallery_version": COUNTS,
         "track_id": COUNTS, "parts": PARTS}  # fmt: skip
FACES = st.builds(
    Face, **COMMON, **TIMED, frame_index=COUNTS, pts=st.none() | NUMBERS, pts_seconds=SECONDS, captured_ns=NUMBERS,
    box=st.tuples(REALS, REALS, REALS, REALS), landmarks=st.none() | st.lists(st.tuples(REALS, REALS), min_size=5, max_size=5),
    detection_score=REALS, quality=st.builds(Quality, REALS, REALS, REALS, REALS),
    crop_box=st.tuples(COUNTS, COUNTS, COUNTS, COUNTS),
    enhanced=st.none() | st.builds(Enhanced, st.text(), COUNTS, REALS, REALS),
)  # fmt: skip
TRACKS = st.builds(
    Track, **COMMON, **TIMED, ended=st.booleans(), first_pts_seconds=SECONDS, last_pts_seconds=SECONDS,
    first_pts=st.none() | NUMBERS, last_pts=st.none() | NUMBERS, frames_seen=COUNTS, faces_enhanced=COUNTS,
    best_face_seq=st.none() | COUNTS, picture=st.none() | st.builds(
        TrackPicture, st.text(), COUNTS, st.lists(st.builds(FusedFrame, COUNTS, REALS, REALS), max_size=3),
        st.lists(COUNTS, max_size=2), COUNTS, COUNTS, REALS,
    ),
)  # fmt: skip
STREAMS = st.builds(Stream, **COMMON, state=st.sampled_from(["live", "ended", "failed"]), reason=st.sampled_from(["", "codec"]),
                    detail=st.text(), counters=st.dictionaries(st.text(), COUNTS, max_size=3))  # fmt: skip
STATS = st.builds(
    Stats, **COMMON, counters=st.dictionaries(st.text(), COUNTS, max_size=3),
    stages=st.dictionaries(st.text(), st.builds(StageStats, COUNTS, REALS, REALS, REALS, COUNTS), max_size=2),
)  # fmt: skip
ENDS = st.builds(End, **COMMON, outcome=st.sampled_from(["completed", "drained", "failed"]), detail=st.text(),
                 last_seq=st.dictionaries(st.text(), COUNTS, max_size=3), counters=st.just({}))  # fmt: skip


@given(FACES | TRACKS | STREAMS | STATS | ENDS)
def test_every_header_comes_back_as_it_went(message: AnyMessage):
    header = encode_header(message)
    assert decode_header(header) == message
    fields = msgspec.msgpack.decode(header)
    assert fields["schema"] == SCHEMA
    assert fields["kind"] == kind_of(message)


@given(FACES | TRACKS | STREAMS | STATS | ENDS)
def test_a_topic_says_kind_and_stream_and_every_level_is_closed(message):
    levels = topic_of(message).split("/")
    assert levels[:2] == ["v1", kind_of(message)]
    assert levels[-1] == ""
    if kind_of(message) in ("face", "track"):
        assert levels[2:-1] == [message.stream, str(message.track_id)]


def test_cam1_is_no_prefix_of_cam10():
    one, ten = as_sent(face("cam1")[0]), as_sent(face("cam10")[0])
    assert not topic_of(ten).startswith(topic_of(one)[: len("v1/face/cam1/")])


@given(FACES, st.dictionaries(st.text(min_size=1).map("new_".__add__), st.integers(0, 9), max_size=3))
def test_fields_of_a_later_version_are_ignored(message, later):
    fields = msgspec.msgpack.decode(encode_header(message)) | later
    assert decode_header(msgspec.msgpack.encode(fields)) == message


@given(st.binary(max_size=200))
def test_bytes_that_are_no_header_are_told_apart(noise):
    with pytest.raises(msgspec.DecodeError):
        decode_header(noise)


@pytest.mark.parametrize("missing", ["stream", "run_id", "track_id", "quality"])
def test_a_header_without_a_field_names_it(missing):
    fields = msgspec.msgpack.decode(encode_header(as_sent(face()[0])))
    del fields[missing]
    with pytest.raises(msgspec.ValidationError, match=missing):
        decode_header(msgspec.msgpack.encode(fields))


@given(NAMES)
def test_good_stream_names_pass(name):
    assert check_stream_name(name) == name


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "front door", "x" * 65, "cam\n", "käfer"])
def test_other_stream_names_are_refused(name):
    with pytest.raises(ConfigError, match="use 1 to 64 characters"):
        check_stream_name(name)
