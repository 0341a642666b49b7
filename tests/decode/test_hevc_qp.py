"""The QP of H.265 pictures, beside FFmpeg's own reading of their headers, and of streams that are broken in any way."""

from __future__ import annotations

import functools
import io
import re

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.config import DecodeConfig
from engine.contracts.frames import Frame
from engine.decode.counted import of_camera
from engine.decode.decoder import Decoder
from engine.decode.hevc_qp import HevcQp
from engine.decode.nal_units import LOOKED_AT_BYTES
from engine.decode.packet_queue import Arrival
from engine.decode.picture_gate import PictureGate
from tests.decode.clips import picture
from tests.decode.hevc_headers import headers

KINDS = {
    "plain": "",
    "one after the other": "bframes=0:no-cutree=1:aq-mode=0",
    "weights": "weightp=1:weightb=1:bframes=4",
    "many references": "ref=6:b-pyramid=1:bframes=4",
    "references in the sequence": "multi-pass-opt-rps=1",
    "short headers": "opt-qp-pps=1:opt-ref-list-length-pps=1",
    "without offsets": "no-sao=1:no-temporal-mvp=1",
    "scaling lists": "scaling-list=default",
    "open groups": "open-gop=1:keyint=6",
    "key frames alone": "keyint=1",
    "layers in time": "temporal-layers=3",
    "fields": "interlace=tff",
    "a constant rate": "bitrate=60:vbv-maxrate=60:vbv-bufsize=30:hrd=1",
    "sets in the stream": "repeat-headers=1:aud=1:hash=1",
}
PIXELS = ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "gray"]


@functools.cache
def clip(kind: str, container: str = "mp4", pix_fmt: str = "yuv420p", frames: int = 14) -> bytes:
    """Encode pictures that fade, so that weights are worth it."""
    memory = io.BytesIO()
    with av.open(memory, "w", format=container) as output:
        parameters = ":".join(filter(None, ["log-level=none", "pools=none", "frame-threads=1", kind]))
        stream = output.add_stream("libx265", rate=25, options={"crf": "28", "preset": "fast", "x265-params": parameters})
        stream.width, stream.height, stream.pix_fmt = 96, 64, pix_fmt
        for index in range(frames):
            faded = (picture(index, 96, 64) * (1 - 0.04 * index)).astype(np.uint8)
            output.mux(stream.encode(av.VideoFrame.from_ndarray(faded, "rgb24").reformat(format=pix_fmt)))
        output.mux(stream.encode(None))
    return memory.getvalue()


def packets(content: bytes) -> tuple[bytes | None, list[bytes]]:
    with av.open(io.BytesIO(content)) as container:
        stream = container.streams.video[0]
        return stream.codec_context.extradata, [bytes(packet) for packet in container.demux(stream) if packet.size]


def read_by_ffmpeg(content: bytes) -> list[int]:
    """Return the QP of each packet's first slice, by FFmpeg's filter that writes headers to the log."""
    level = av.logging.get_level()
    av.logging.set_level(av.logging.INFO)
    try:
        with av.open(io.BytesIO(content)) as container:
            stream = container.streams.video[0]
            with av.logging.Capture() as said:
                traced = av.BitStreamFilterContext("trace_headers", stream)
            told, start = [], _numbers("init_qp_minus26", said)
            for packet in container.demux(stream):
                if not packet.size:
                    continue
                with av.logging.Capture() as said:
                    traced.filter(packet)
                start = _numbers("init_qp_minus26", said) or start
                told.append(26 + start[-1] + _numbers("slice_qp_delta", said)[0])
    finally:
        av.logging.set_level(level)
    return told


def _numbers(name: str, said: list[tuple[int, str, str]]) -> list[int]:
    return [int(found) for found in re.findall(rf"{name} .*= (-?\d+)", "".join(text for _, _, text in said))]


@pytest.mark.parametrize("kind", KINDS)
def test_each_packet_has_the_qp_that_ffmpeg_reads(kind):
    content = clip(KINDS[kind])
    extradata, data = packets(content)
    reader = HevcQp("hevc", extradata)
    told = [reader.qp_of(one[:LOOKED_AT_BYTES]) for one in data]
    assert told == read_by_ffmpeg(content)
    assert len(told) == 14


@pytest.mark.parametrize("pix_fmt", PIXELS)
def test_whatever_the_colour_and_depth(pix_fmt):
    content = clip(KINDS["weights"], "mp4", pix_fmt)
    extradata, data = packets(content)
    reader = HevcQp("hevc", extradata)
    assert [reader.qp_of(one) for one in data] == read_by_ffmpeg(content)


def test_a_stream_without_loss_has_no_qp():
    extradata, data = packets(clip("lossless=1"))
    assert {HevcQp("hevc", extradata).qp_of(one) for one in data} == {None}


@pytest.mark.parametrize("container", ["mp4", "matroska", "mpegts", "hevc"])
def test_each_picture_has_the_qp_of_its_own_packet(container, tmp_path):
    content = clip("bframes=4:b-adapt=0", container)
    path = tmp_path / "clip.bin"
    path.write_bytes(content)
    with Decoder("cam", path, DecodeConfig()) as decoder:
        planes = [item.planes for item in decoder if isinstance(item, Frame)]
    with av.open(io.BytesIO(clip("bframes=4:b-adapt=0"))) as opened:
        stamps = [packet.pts for packet in opened.demux(video=0) if packet.size]
    expected = [qp for _, qp in sorted(zip(stamps, read_by_ffmpeg(clip("bframes=4:b-adapt=0")), strict=True))]
    assert len(set(expected)) > 2
    assert all(one.blocks is not None and one.blocks.is_whole for one in planes)
    assert [one.blocks.qp_under((0, 0, 96, 64)) for one in planes if one.blocks] == expected
    assert all(one.blocks.qp_under((60, 40, 30, 20)) is not None for one in planes if one.blocks)


def test_the_pictures_of_a_camera_have_it_too():
    content = clip(KINDS["one after the other"])
    with av.open(io.BytesIO(content)) as container:
        stream = container.streams.video[0]
        gate = PictureGate(stream.codec_context, "none", of_camera())
        arrivals = [Arrival(one, one.is_keyframe, one.size, 0, 0.0) for one in container.demux(stream) if one.size]
        told = [gate.qp(picture) for arrival in arrivals for picture, _ in gate.pictures(arrival)]
    assert told == read_by_ffmpeg(content)[: len(told)]
    assert len(told) >= 13


def test_other_codecs_are_not_read():
    reader = HevcQp("h264", b"\x01" * 64)
    reader.feed(None)
    assert reader.of(av.VideoFrame(16, 16, "yuv420p")) is None


def test_parameters_that_change_in_the_stream_are_followed():
    first, second = (packets(clip(f"repeat-headers=1:aud=1:hash=1:{more}", "hevc"))[1] for more in ("ref=5", "no-sao=1:ref=1"))
    reader = HevcQp("hevc", None)
    told = [reader.qp_of(one) for one in [*first, *second]]
    alone = HevcQp("hevc", None)
    assert told[len(first) :] == [alone.qp_of(one) for one in second]
    assert None not in told


@settings(deadline=None)
@given(headers())
def test_headers_that_encoders_seldom_write_are_read_as_ffmpeg_reads_them(written):
    packet, qp = written
    assert HevcQp("hevc", None).qp_of(packet) == max(0, qp)
    level = av.logging.get_level()
    av.logging.set_level(av.logging.INFO)
    try:
        with av.open(io.BytesIO(clip("", "hevc"))) as container, av.logging.Capture() as said:
            av.BitStreamFilterContext("trace_headers", container.streams.video[0]).filter(av.Packet(packet))
    finally:
        av.logging.set_level(level)
    assert 26 + _numbers("init_qp_minus26", said)[-1] + _numbers("slice_qp_delta", said)[0] == qp


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_broken_stream_never_raises_and_gives_a_qp_or_none(data):
    """Of bytes that are changed, lost or doubled; in the parameter sets, too."""
    kind = data.draw(st.sampled_from(["weights", "sets in the stream", "references in the sequence", "open groups"]))
    container = data.draw(st.sampled_from(["mp4", "hevc"]))
    extradata, whole = packets(clip(KINDS[kind], container))
    reader = HevcQp("hevc", _broken(data, extradata or b""))
    for one in whole[:6]:
        told = reader.qp_of(_broken(data, one)[:LOOKED_AT_BYTES])
        assert told is None or 0 <= told <= 51


def _broken(data: st.DataObject, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, max(0, min(len(changed), 160) - 1)))
        match data.draw(st.sampled_from(["change", "cut", "leave out", "double"])):
            case "change" if changed:
                changed[at] ^= data.draw(st.integers(1, 255))
            case "cut":
                del changed[at:]
            case "leave out":
                del changed[at : at + data.draw(st.integers(1, 40))]
            case "double":
                changed[at:at] = changed[at : at + 20]
    return bytes(changed)


@given(st.binary(max_size=400), st.binary(max_size=400))
def test_anything_else_has_no_qp(extradata, packet):
    told = HevcQp("hevc", extradata).qp_of(packet)
    assert told is None or 0 <= told <= 51
