from __future__ import annotations

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.decode.h264_order import H264Order
from tests.decode.clips import render

KINDS = {
    "baseline": {"profile": "baseline", "g": "20"},
    "high": {"profile": "high", "g": "20", "bf": "0"},
    "b-frames": {"g": "20", "bf": "2"},
    "slices": {"g": "20", "bf": "0", "slices": "4"},
    "interlaced": {"g": "20", "bf": "0", "x264-params": "tff=1"},
    "scaling lists": {"g": "20", "bf": "0", "x264-params": "cqm=jvt"},
    "long": {"g": "250", "bf": "0"},
}


def packets(path) -> tuple[bytes | None, list[bytes], list[bool]]:
    """Return extradata, the packets, and which are references."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        both = [(bytes(packet), not packet.is_disposable) for packet in container.demux(stream) if packet.size]
        return stream.codec_context.extradata, [data for data, _ in both], [reference for _, reference in both]


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_stream_has_no_gap_and_a_missing_reference_is_one(tmp_path, kind):
    extradata, data, _ = packets(render(tmp_path / "clip.ts", frames=60, codec_options=KINDS[kind]))
    order = H264Order(extradata)
    assert [order.gap_before(one) for one in data] == [False] * 60
    with av.open(str(tmp_path / "clip.ts")) as container:
        keys = [packet.is_keyframe for packet in container.demux(video=0) if packet.size]
    for missing in range(1, 58):
        order = H264Order(extradata)
        gaps = [index for index in range(60) if index != missing and order.gap_before(data[index])]
        is_reference = bool(first_slice(data[missing])[0] & 0x60)
        # What comes before the next key frame is noticed; a picture that no other needs is no loss, nor is one before a key.
        following = next((index for index in range(missing + 1, 60) if first_slice(data[index])[0] & 0x1F == 5), 60)
        noticed = is_reference and not keys[missing] and missing + 1 < following
        assert bool(gaps) == noticed or keys[missing], f"without picture {missing}: {gaps}"
        assert all(missing < gap <= min(missing + 3, following) for gap in gaps) or keys[missing]


def first_slice(packet: bytes) -> bytes:
    return next(nal for nal in packet.split(b"\x00\x00\x01")[1:] if nal[0] & 0x1F in (1, 5))


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.flv"])
def test_pictures_behind_lengths_are_followed_too(tmp_path, name):
    extradata, data, _ = packets(render(tmp_path / name, frames=20, codec_options={"bf": "0", "g": "50"}))
    order = H264Order(extradata)
    assert not any(order.gap_before(one) for one in data)
    order = H264Order(extradata)
    assert [order.gap_before(one) for one in data[:5] + data[6:]] == [index == 5 for index in range(19)]


def test_of_several_sequences_none_is_believed(tmp_path):
    extradata, data, _ = packets(render(tmp_path / "clip.mp4", frames=20, codec_options={"bf": "0"}))
    assert extradata is not None
    length = 2 + int.from_bytes(extradata[6:8], "big")
    other = bytearray(extradata[6 : 6 + length])
    other[3] ^= 1
    order = H264Order(extradata[:5] + b"\xe2" + extradata[6 : 6 + length] + bytes(other) + extradata[6 + length :])
    assert not any(order.gap_before(one) for one in data[::3])


def test_picture_parameter_sets_of_any_length_are_no_sequence(tmp_path):
    extradata, data, _ = packets(render(tmp_path / "clip.mp4", frames=20, codec_options={"bf": "0", "g": "50"}))
    assert extradata is not None
    end = 8 + int.from_bytes(extradata[6:8], "big")
    for length in (4, 7, 39):  # the low byte of a length of 7 looks like the head of a sequence
        order = H264Order(extradata[:end] + b"\x01" + length.to_bytes(2, "big") + b"\x68" * length)
        assert [order.gap_before(one) for one in data[:5] + data[6:]] == [index == 5 for index in range(19)]


@given(st.binary(max_size=200), st.lists(st.binary(max_size=60), max_size=8))
def test_garbage_never_raises(extradata, data):
    order = H264Order(b"\x00\x00\x01\x67" + extradata)
    for one in data:
        order.gap_before(b"\x00\x00\x00\x01" + one)
        order.gap_before(b"\x00\x00\x01\x67" + one)
        order.gap_before(b"\x00\x00\x01\x41" + one)
        order.gap_before(one)
