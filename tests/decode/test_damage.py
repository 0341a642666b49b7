"""Recordings that begin between key frames, and losses within them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from engine.config import DecodeConfig
from engine.contracts.frames import Frame
from engine.contracts.streams import StreamChanged
from engine.decode.damage import Damage
from engine.decode.decoder import Decoder
from tests.decode.clips import X265, render

GOP = 12
SIZE = (176, 144)


def remuxed(path: Path, target: Path, leave_out: set[int], spoil: set[int] = frozenset()) -> Path:
    """Copy a video without some of its packets, and with others overwritten in the middle."""
    with av.open(str(path)) as source, av.open(str(target), "w") as output:
        stream = output.add_stream_from_template(source.streams.video[0])
        for index, packet in enumerate(p for p in source.demux() if p.size):
            if index in leave_out:
                continue
            if index in spoil:
                data = bytearray(bytes(packet))
                data[len(data) // 3 :] = b"\x55" * (len(data) - len(data) // 3)
                damaged = av.Packet(bytes(data))
                damaged.pts, damaged.dts, damaged.time_base, damaged.is_keyframe = (
                    packet.pts, packet.dts, packet.time_base, packet.is_keyframe,
                )  # fmt: skip
                packet = damaged
            packet.stream = stream
            output.mux(packet)
    return target


def timed(path: Path, target: Path, change: Callable[[av.Packet, int], None]) -> Path:
    """Copy a video with other times: ``change`` gets each packet with its number."""
    with av.open(str(path)) as source, av.open(str(target), "w") as output:
        stream = output.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(p for p in source.demux() if p.size):
            change(packet, number)
            packet.stream = stream
            output.mux(packet)
    return target


def clip(path: Path, codec: str, **options: str) -> Path:
    return render(
        path,
        codec,
        size=SIZE,
        frames=4 * GOP,
        codec_options={"g": str(GOP), "bf": "0", "sc_threshold": "1000000000" if codec.startswith("mpeg") else "0", **options},
    )


def read(path: Path) -> tuple[list[Frame], StreamChanged]:
    with Decoder("cam", path, DecodeConfig()) as decoder:
        items = list(decoder)
    return [item for item in items if isinstance(item, Frame)], items[-1]


@pytest.mark.parametrize(
    ("codec", "name"),
    [
        ("mpeg4", "a.avi"), ("mpeg4", "a.ts"), ("mpeg2video", "a.ts"), ("mpeg2video", "a.mkv"), ("wmv2", "a.wmv"),
        ("msmpeg4", "a.avi"), ("flv", "a.flv"), ("h263", "a.3gp"), ("libx264", "a.ts"), ("libx265", "a.mkv"),
        ("libx264", "a.h264"), ("libx265", "a.h265"), ("mpeg2video", "a.m2v"), ("mpeg4", "a.m4v"),
    ],
)  # fmt: skip
def test_nothing_is_shown_before_the_first_key_frame(tmp_path, codec, name):
    options = X265 if codec == "libx265" else {}
    whole = clip(tmp_path / f"whole_{name}", codec, **options)
    frames, end = read(remuxed(whole, tmp_path / name, set(range(4))))
    truth, _ = read(whole)
    # From a key frame on: the second group of pictures, or a later one where this encoder's groups are longer.
    assert end.state == "ended"
    left_out = 4 * GOP - 4 - len(frames)
    assert left_out == end.counters["drops.no_key_frame"] == GOP - 4
    assert f"the first {left_out}" in end.detail or f"its first {left_out} pictures" in end.detail
    for got, expected in zip(frames, truth[-len(frames) :], strict=True):
        np.testing.assert_array_equal(got.planes.y, expected.planes.y)
    assert not any(frame.damaged for frame in frames)


@pytest.mark.parametrize(
    ("codec", "name"), [("mpeg4", "a.avi"), ("mpeg2video", "a.ts"), ("libx264", "a.mkv"), ("mjpeg", "a.avi")]
)
def test_a_whole_recording_loses_nothing(tmp_path, codec, name):
    pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    frames, end = read(render(tmp_path / name, codec, pix_fmt, SIZE, 2 * GOP, codec_options={"g": str(GOP)}))
    assert len(frames) == 2 * GOP
    assert (end.counters["drops.no_key_frame"], end.detail) == (0, "")
    assert not any(frame.damaged for frame in frames)


def test_a_recording_without_any_key_frame_says_so(tmp_path):
    whole = render(tmp_path / "whole.avi", "mpeg4", size=SIZE, frames=20, codec_options={"g": "100"})
    frames, end = read(remuxed(whole, tmp_path / "a.avi", {0}))
    assert frames == []
    assert (end.state, end.reason) == ("failed", "codec")
    assert "none of its 19 mpeg4 pictures is a key frame" in end.detail


@pytest.mark.parametrize(("codec", "name"), [("mpeg4", "a.avi"), ("mpeg2video", "a.mkv"), ("libx264", "a.mkv")])
def test_a_damaged_picture_marks_all_that_build_on_it(tmp_path, codec, name):
    whole = clip(tmp_path / f"whole_{name}", codec)
    frames, end = read(remuxed(whole, tmp_path / name, set(), {GOP + 3}))
    damaged = [n for n, frame in enumerate(frames) if frame.damaged]
    assert damaged
    assert min(damaged) in (GOP + 3, GOP + 4)
    assert max(damaged) == 2 * GOP - 1 - (4 * GOP - len(frames))
    assert end.state == "ended"


@pytest.mark.parametrize("kind", ["ts", "mp4", "mkv", "flv"])
def test_a_lost_packet_is_seen_though_the_decoder_hides_it(tmp_path, kind):
    whole = clip(tmp_path / f"whole.{kind}", "libx264")
    frames, _ = read(remuxed(whole, tmp_path / f"a.{kind}", {GOP + 3}))
    damaged = {n for n, frame in enumerate(frames) if frame.damaged}
    assert damaged >= set(range(GOP + 4, 2 * GOP - 1))
    assert damaged <= set(range(GOP + 3, 2 * GOP))


@pytest.mark.parametrize("name", ["a.h264", "a.ts", "a.mkv", "a.avi"])
def test_a_loss_behind_a_key_frame_whose_picture_comes_later_harms_what_follows(tmp_path, name):
    """A picture of a bare stream has no time that says of which packet it is: the key frame seemed to come behind the loss."""
    whole = clip(tmp_path / f"whole.{name[2:]}", "libx264", bf="2", **{"x264-params": "b-adapt=0"})
    frames, _ = read(remuxed(whole, tmp_path / name, {GOP + 1}))
    damaged = [n for n, frame in enumerate(frames) if frame.damaged]
    assert len(damaged) >= GOP - 4
    assert min(damaged) >= GOP
    assert max(damaged) < len(frames) - 2 * GOP


def test_pictures_that_stand_alone_are_damaged_alone(tmp_path):
    whole = render(tmp_path / "whole.avi", "mjpeg", "yuvj420p", SIZE, 10)
    frames, _ = read(remuxed(whole, tmp_path / "a.avi", set(), {3}))
    assert [n for n, frame in enumerate(frames) if frame.damaged] in ([3], [])
    assert len(frames) in (9, 10)


def test_a_recording_of_damaged_pictures_has_failed(tmp_path):
    whole = render(tmp_path / "whole.avi", "mpeg4", size=SIZE, frames=6, codec_options={"g": "1"})
    frames, end = read(remuxed(whole, tmp_path / "a.avi", set(), set(range(6))))
    assert (end.state, end.reason) == ("failed", "codec")
    assert "damaged" in end.detail or "no picture could be decoded" in end.detail
    assert all(frame.damaged for frame in frames)


def test_references_of_a_first_picture_that_are_shown_later_are_not_taken_for_lost(tmp_path):
    """As where an edit list begins at a picture that is built on a later one: packets before it are not to be shown."""
    whole = clip(tmp_path / "whole.mp4", "libx264", bf="2", **{"b-pyramid": "none"})
    with av.open(str(whole)) as source:
        packets = [packet for packet in source.demux() if packet.size]
        damage = Damage(source.streams.video[0].codec_context)
    first = next(index for index in range(1, len(packets)) if packets[index].pts < packets[index - 1].pts)
    damage.feed(packets[first - 1])
    damage.feed(packets[first])
    picture = av.VideoFrame(16, 16, "yuv420p")
    picture.pts = packets[first].pts
    assert not damage.is_too_early(picture)
    assert damage.left_out == 0


@pytest.mark.parametrize("refused", [{}, {6}])
def test_a_lost_picture_of_an_avi_shifts_no_time_behind_the_next_key_frame(tmp_path, refused):
    """Times are those of the packets, in order: one of which no picture came must not wait for the next picture."""
    whole = clip(tmp_path / "a.avi", "libx264", bf="2", **{"x264-params": "b-adapt=0"})
    frames, _ = read(remuxed(whole, tmp_path / "b.avi", {3, 4}, spoil=refused))
    assert [frame.time.pts for frame in frames][-3 * GOP :] == list(range(GOP, 4 * GOP))


def test_pictures_with_the_time_of_another_are_told_apart(tmp_path):
    """As of two fields in two packets, or joined files; their order is another one than that of the packets."""
    options = {"x265-params": "log-level=none:bframes=2:b-adapt=0:keyint=6:qp=30:ipratio=3:pbratio=1.5"}
    path = render(tmp_path / "a.mkv", "libx265", codec_options=options)

    def paired(packet: av.Packet, number: int) -> None:
        packet.pts, packet.dts = packet.pts // 80 * 80, -400 + 40 * number

    (frames, _), (pairs, last) = read(path), read(timed(path, tmp_path / "pairs.mkv", paired))
    assert len(qps := [int(frame.planes.blocks.qp.mean()) for frame in frames]) == 12
    assert len(set(qps)) > 2
    assert [int(frame.planes.blocks.qp.mean()) for frame in pairs] == qps
    assert [frame.time.pts for frame in pairs] == [80 * (index // 2) for index in range(12)]
    assert (last.state, last.detail) == ("ended", "")
