"""Single pictures of a stream that is not decoded otherwise."""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.contracts.streams import StreamChanged
from engine.decode.counted import of_camera
from engine.decode.main_connection import MainConnection
from engine.decode.packet_queue import Arrival
from engine.decode.packet_reader import Opened
from tests.decode.watching import camera
from tests.rtsp.clips import frame_number, numbered_pictures

FPS, FRAMES = 25, 60
KINDS = {
    "baseline": ("libx264", {"profile": "baseline", "preset": "veryfast"}, 0),
    "high with B frames": ("libx264", {"preset": "veryfast", "x264-params": "bframes=2:b-adapt=0:b-pyramid=none"}, 2),
    "pyramid of B frames": ("libx264", {"preset": "veryfast", "x264-params": "bframes=3:b-adapt=0:b-pyramid=normal"}, 3),
    "open groups": ("libx264", {"preset": "veryfast", "x264-params": "open-gop=1:bframes=2:b-adapt=0"}, 2),
    "h265": ("libx265", {"preset": "ultrafast", "x265-params": "bframes=0:log-level=none:pools=none"}, 0),
    "h265 with B frames": (
        "libx265",
        {"preset": "ultrafast", "x265-params": "bframes=2:b-adapt=0:log-level=none:pools=none"},
        2,
    ),
    "mjpeg": ("mjpeg", {}, 0),
}


class Main(MainConnection):
    """Its packets are given by hand, all at once."""

    def __init__(self, kind: str) -> None:
        super().__init__(camera("rtsp://x"), of_camera(), lambda *_: StreamChanged("", "live"), lambda stamp: None)
        codec, options, reordered = KINDS[kind]
        if codec not in av.codecs_available:
            pytest.skip(f"this FFmpeg has no {codec}")
        self.numbers: dict[int, int] = {}
        """Of the packet of each picture, by the number that the picture says."""
        for number, (packet, context) in enumerate(packets(codec, options, reordered)):
            if number == 0:
                self._reader.opened = Opened(context, packet.time_base, Fraction(FPS))
            self.numbers[round(packet.pts * packet.time_base * FPS)] = number
            assert not list(self._take(Arrival(packet, packet.is_keyframe, packet.size, 0, number / FPS / 2)))[1:]

    def shows(self, number: int) -> int | None:
        planes = self.picture(self.numbers[number], lambda: False)
        return None if planes is None else frame_number(planes.y)


def packets(codec: str, options: dict[str, str], reordered: int) -> Iterator[tuple[av.Packet, av.VideoCodecContext]]:
    """Encode numbered pictures with a key frame each 25, and read them again."""
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        stream = container.add_stream(codec, rate=FPS, options=options)
        stream.width, stream.height, stream.pix_fmt = 240, 160, "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.gop_size, stream.codec_context.max_b_frames = FPS, reordered
        for number, picture in enumerate(numbered_pictures((240, 160), FRAMES)):
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p").reformat(format=stream.pix_fmt)
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    file.seek(0)
    container = av.open(file)
    stream = container.streams.video[0]
    for packet in container.demux(stream):
        if packet.size:
            yield packet, stream.codec_context


@pytest.mark.parametrize("kind", KINDS)
def test_each_picture_that_is_asked_for_is_that_one(kind: str):
    main = Main(kind)
    for number in (3, 9, 20, 26, 40, 52):
        assert main.shows(number) == number, number
    assert main.shows(52) == 52, "two frames of the sub-stream may have the same"
    assert abs(main.shows(53) - 53) <= 1, "it may have been left out on the way to the one before"
    assert main.shows(9) is None, "it has passed"


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, FRAMES - 6), min_size=1, max_size=12))
def test_in_any_order_no_other_picture_is_given(wanted: list[int]):
    main = Main("high with B frames")
    assert main.shows(wanted[0]) == wanted[0]
    for number in wanted[1:]:
        assert main.shows(number) in (number - 1, number, number + 1, None)


def test_what_nobody_asked_for_and_no_other_needs_is_not_decoded():
    main = Main("high with B frames")
    came: list[int] = []
    gate = main._ready()[0]
    pictures = gate.pictures

    def counting(arrival: Arrival, *, passing: bool = False):
        for picture, source in pictures(arrival, passing=passing):
            came.append(1)
            yield picture, source

    gate.pictures = counting  # type: ignore[method-assign]
    assert main.shows(24) == 24
    assert len(came) < 15, "two of three are B frames"


def test_who_has_no_time_any_more_gets_nothing_and_loses_nothing():
    main = Main("baseline")
    left = iter([False, False, True])
    assert main.picture(main.numbers[20], lambda: next(left)) is None
    assert main.shows(20) == 20
