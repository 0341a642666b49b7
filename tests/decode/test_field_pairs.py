"""Two JPEGs in a packet, as capture cards write them: woven, their lines in their places, and deinterlaced."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from engine.crop.combs import combed
from engine.decode.field_pairs import FieldPairs
from tests.decode.reading import read
from tests.decode.test_deinterlace import moving, woven

SIZE = (160, 120)


def jpeg(grey: np.ndarray, polarity: int | None) -> bytes:
    """Encode one picture, with the mark of such cards: 1 is of the upper lines, 2 of the lower ones."""
    data = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
    mark = b"" if polarity is None else b"\xff\xe0" + struct.pack(">H", 16) + b"AVI1" + bytes([polarity]) + bytes(9)
    return data[:2] + mark + data[2:]


def write(path: Path, packets: list[bytes]) -> Path:
    with av.open(str(path), "w") as output:
        stream = output.add_stream("mjpeg", rate=25)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuvj420p"
        output.start_encoding()
        for index, data in enumerate(packets):
            packet = av.Packet(data)
            packet.pts = packet.dts = index
            packet.time_base, packet.stream, packet.is_keyframe = Fraction(1, 25), stream, True
            output.mux(packet)
    return path


def fields(path: Path, *, lower_first: bool = False, marked: bool = True) -> tuple[Path, list[np.ndarray]]:
    """Write a moving blob; return the pictures as they should be woven, too."""
    pictures = woven(moving(24, *SIZE)) if not lower_first else [one[::-1] for one in woven(moving(24, *SIZE))]
    packets = []
    for picture in pictures:
        first, second = (1, 0) if lower_first else (0, 1)
        marks = (first + 1, second + 1) if marked else (None, None)
        packets.append(jpeg(picture[first::2], marks[0]) + jpeg(picture[second::2], marks[1]))
    return write(path, packets), pictures


@pytest.mark.parametrize("name", ["a.avi", "a.mov", "a.mkv"])
@pytest.mark.parametrize("lower_first", [False, True])
def test_lines_are_where_the_mark_says(tmp_path, name, lower_first):
    path, pictures = fields(tmp_path / name, lower_first=lower_first)
    pairs = FieldPairs("mjpeg")
    with av.open(str(path)) as container:
        found = [pairs.flagged(packet, one) for packet in container.demux(video=0) for one in packet.decode()]
    assert len(found) == 12
    for picture, shown in zip(pictures, found, strict=True):
        assert shown.interlaced_frame
        assert np.abs(shown.to_ndarray(format="gray").astype(int) - picture).mean() < 3


@pytest.mark.parametrize("name", ["a.avi", "a.mov", "a.mkv"])
@pytest.mark.parametrize("marked", [False, True])
def test_they_are_deinterlaced(tmp_path, name, marked):
    path, pictures = fields(tmp_path / name, marked=marked)
    frames, states, _ = read(path)
    assert (len(frames), states[-1].state, states[-1].detail) == (12, "ended", "")
    assert {(f.planes.width_px, f.planes.height_px, f.planes.full_range) for f in frames} == {(*SIZE, True)}
    assert [f.time.pts_seconds for f in frames] == pytest.approx([n / 25 for n in range(12)])
    assert min(combed(picture[30:90]) for picture in pictures) > 0.3
    assert max(combed(frame.planes.y[30:90]) for frame in frames) < 0.05


def test_whole_pictures_are_left_as_they_are(tmp_path):
    path = write(tmp_path / "a.avi", [jpeg(one, 0) for one in moving(3, *SIZE)])
    pairs = FieldPairs("mjpeg")
    with av.open(str(path)) as container:
        for packet in container.demux(video=0):
            assert all(pairs.flagged(packet, one) is one for one in packet.decode())


@pytest.mark.parametrize("data", [b"", b"\xff\xd8", b"\xff\xd8\xff\xff\xff", b"\xff\xd8\xff\xe0\0\0" * 9, bytes(64)])
def test_what_is_no_jpeg_is_left_as_it_is(data):
    picture = av.VideoFrame(*SIZE, "yuvj420p")
    assert FieldPairs("mjpeg").flagged(av.Packet(data), picture) is picture
