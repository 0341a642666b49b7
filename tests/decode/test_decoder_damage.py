"""Recordings that break off, or are damaged in the middle: what is whole is read, and what is not is said."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from engine.config import DecodeConfig
from engine.contracts.frames import Frame
from engine.decode.decoder import Decoder
from engine.decode.planes import PlaneConverter
from tests.decode.clips import cut, render
from tests.decode.reading import read


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mp4", {"container_options": {"movflags": "faststart"}}),
        ("a.mov", {"container_options": {"movflags": "faststart"}}),
        ("a.flv", {}),
        ("a.avi", {"codec": "mjpeg", "pix_fmt": "yuvj420p"}),
    ],
)
@pytest.mark.parametrize("share", [0.5, 0.8, 0.95])
def test_a_cut_file_gives_its_frames_and_then_fails(tmp_path, name, options, share):
    whole = render(tmp_path / name, frames=40, **options)
    frames, states, _ = read(cut(whole, share, tmp_path / f"cut_{name}"))
    assert (states[-1].state, states[-1].reason) == ("failed", "truncated")
    assert "breaks off" in states[-1].detail
    assert 40 * share * 0.6 < len(frames) < 40
    # The partial packet may be a reference of the last few, which are shown before it.
    for left, right in zip(frames[:-4], read(whole)[0], strict=False):
        np.testing.assert_array_equal(left.planes.y, right.planes.y)


def test_an_mp4_cut_between_two_packets_is_seen_from_its_index(tmp_path):
    whole = render(tmp_path / "a.mp4", frames=40, container_options={"movflags": "faststart"})
    with av.open(str(whole)) as container:
        ends = [p.pos + p.size for p in container.demux(video=0) if p.size]
    (tmp_path / "cut.mp4").write_bytes(whole.read_bytes()[: ends[20]])
    frames, states, _ = read(tmp_path / "cut.mp4")
    assert (states[-1].state, states[-1].reason, len(frames)) == ("failed", "truncated", 21)
    assert "index" in states[-1].detail


@pytest.mark.parametrize(("name", "codec"), [("a.mxf", "mpeg2video"), ("a.mxf", "libx264"), ("a.ivf", "libvpx")])
def test_one_that_is_cut_between_two_packets_says_what_its_header_announced(tmp_path, name, codec):
    """Packets of H.264 in MXF have no time without the index, which stands at the end."""
    whole = render(tmp_path / name, codec, frames=100, codec_options={"bf": "0"} if codec != "libvpx" else {})
    assert read(whole)[1][-1].detail == ""
    with av.open(str(whole)) as container:
        places = [packet.pos for packet in container.demux(video=0) if packet.size]
    (tmp_path / f"cut_{name}").write_bytes(whole.read_bytes()[: places[50]])
    frames, states, _ = read(tmp_path / f"cut_{name}")
    assert (len(frames), states[-1].state) == (50, "ended")
    assert "ends at 2.0 s where its header announces 4.0 s" in states[-1].detail


def test_a_cut_mkv_ends_and_says_what_its_header_announced(tmp_path):
    whole = render(tmp_path / "a.mkv", frames=100)
    assert read(whole)[1][-1].detail == ""
    _, states, _ = read(cut(whole, 0.5, tmp_path / "cut.mkv"))
    assert states[-1].state == "ended"
    assert "where its header announces 4.0 s: it may be cut off or damaged" in states[-1].detail


@pytest.mark.parametrize(("name", "codec"), [("a.avi", "mpeg4"), ("a.avi", "mjpeg"), ("a.wmv", "wmv2"), ("a.asf", "msmpeg4")])
def test_damage_that_hides_the_rest_is_told_by_what_the_header_announced(tmp_path, name, codec):
    path = render(tmp_path / name, codec, "yuvj420p" if codec == "mjpeg" else "yuv420p", frames=100)
    assert read(path)[1][-1].detail == ""
    data = path.read_bytes()
    begin, end = int(len(data) * 0.4), int(len(data) * 0.9)
    path.write_bytes(data[:begin] + bytes(end - begin) + data[end:])
    frames, states, _ = read(path)
    assert 0 < len(frames) < 60
    assert states[-1].state == "ended"
    said = (
        "s of its pictures are missing" if name == "a.avi" else "where its header announces 4.0 s: it may be cut off or damaged"
    )
    assert said in states[-1].detail


@pytest.mark.parametrize("packet_bytes", [188, 192])
@pytest.mark.parametrize("place", [0.5, 1])
@pytest.mark.parametrize(
    "foreign", [bytes(100_000), bytes(300_001), b"\xff" * 200_000, b"no video " * 20_000], ids=["zeros", "odd", "ones", "text"]
)
def test_what_is_no_transport_stream_is_read_over_however_long(tmp_path, foreign, place, packet_bytes):
    """FFmpeg looks for 64 KB at a time. Recorders keep room for more, and disks and lines fail."""
    options = {"mpegts_m2ts_mode": "1"} if packet_bytes == 192 else {"mpegts_m2ts_mode": "0"}
    whole = render(tmp_path / "a.ts", frames=50, codec_options={"g": "10", "bf": "0"}, container_options=options)
    data = whole.read_bytes()
    at = int(len(data) * place) // packet_bytes * packet_bytes
    (tmp_path / "bad.ts").write_bytes(data[:at] + foreign + data[at:])
    frames, states, _ = read(tmp_path / "bad.ts")
    assert states[-1].state == "ended"
    assert len(frames) >= 49
    assert frames[-1].time.pts == read(whole)[0][-1].time.pts


@pytest.mark.parametrize(("foreign_bytes", "least"), [(0, 0), (1 << 16, 0), (1 << 20, 8), (1 << 24, 128)])
@pytest.mark.parametrize("place", [0.5, 1])
def test_while_much_that_is_no_video_is_read_over_that_is_told(tmp_path, foreign_bytes, least, place):
    """Whoever reads could not show meanwhile that it lives, and was killed."""
    data = render(tmp_path / "a.ts", frames=50).read_bytes()
    at = int(len(data) * place) // 188 * 188
    (tmp_path / "bad.ts").write_bytes(data[:at] + bytes(foreign_bytes) + data[at:])
    told = []
    with Decoder("a", tmp_path / "bad.ts", DecodeConfig()) as decoder:
        decoder.meanwhile = lambda: told.append(len(frames))
        frames = []
        for item in decoder:
            if isinstance(item, Frame):
                frames.append(item.time.frame_index)
    assert len(frames) >= 48
    assert least <= len(told) <= 2 * least + 2


def test_damage_between_packets_is_read_over(tmp_path):
    whole = render(tmp_path / "a.mkv", frames=100, codec="mpeg4", container_options={"cluster_time_limit": "200"})
    data = bytearray(whole.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 300] = np.random.default_rng(0).bytes(300)
    (tmp_path / "bad.mkv").write_bytes(data)
    frames, states, _ = read(tmp_path / "bad.mkv")
    assert 80 < len(frames) < 100
    assert (states[-1].state, states[-1].frames_expected) == ("ended", 100)
    assert frames[-1].time.pts == read(whole)[0][-1].time.pts


def test_damage_in_a_packet_is_counted_and_read_over(tmp_path):
    path = render(tmp_path / "a.mp4", frames=60, codec_options={"g": "10"})
    with av.open(str(path)) as container:
        packets = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    data = bytearray(path.read_bytes())
    start, size = packets[30]
    data[start : start + size] = b"\xff" * size
    path.write_bytes(data)
    frames, states, _ = read(path)
    assert (states[-1].state, states[-1].counters["corrupt_packets"]) == ("ended", 1)
    assert len(frames) == 59


@pytest.mark.parametrize("error", [ValueError("31 is not a valid Type"), KeyError(31), TypeError("no"), IndexError("no")])
def test_a_picture_that_breaks_the_converter_costs_that_picture(tmp_path, monkeypatch, error):
    usual, calls = PlaneConverter.convert, []

    def convert(self, picture, size_px):
        calls.append(picture)
        if len(calls) in (1, 5):
            raise error
        return usual(self, picture, size_px)

    monkeypatch.setattr(PlaneConverter, "convert", convert)
    frames, states, _ = read(render(tmp_path / "a.mp4"))
    assert len(frames) == 10
    assert (states[-1].state, states[-1].counters["corrupt_packets"]) == ("ended", 2)


@pytest.mark.parametrize(("frames", "looked_at"), [(1, 1), (12, 12), (60, 25)])
def test_where_every_picture_breaks_it_the_recording_fails_with_the_reason(tmp_path, monkeypatch, frames, looked_at):
    """And soon: nobody waits for the end of a long one."""
    calls = []

    def convert(self, picture, size_px):
        calls.append(picture)
        raise ValueError("31 is not a valid Type")

    monkeypatch.setattr(PlaneConverter, "convert", convert)
    path = render(tmp_path / "a.mp4", frames=frames)
    given, states, order = read(path)
    assert (given, order) == ([], ["connecting", "failed"])
    assert states[-1].reason == "codec"
    assert str(path) in states[-1].detail
    assert "ValueError: 31 is not a valid Type" in states[-1].detail
    assert len(calls) == looked_at


def test_the_last_picture_of_a_time_lapse_lasts_as_long_as_the_others(tmp_path):
    """Its header announces the end of that picture, not its beginning."""
    path = render(tmp_path / "slow.mkv", frames=5, rate=Fraction(1, 15))
    frames, states, order = read(path)
    assert [frame.time.pts_seconds for frame in frames] == [0, 15, 30, 45, 60]
    assert (states[-1].state, states[-1].detail) == ("ended", "")
    assert "discontinuity" not in order
