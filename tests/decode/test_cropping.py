from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config import DecodeConfig
from engine.contracts.frames import Frame, Planes
from engine.decode.cropping import Crop, crop_of
from engine.decode.decoder import Decoder
from tests.decode.clips import render

SIZE = (96, 64)


def first_frame(path: Path) -> Planes:
    with Decoder("cam", path, DecodeConfig()) as decoder:
        return next(item.planes for item in decoder if isinstance(item, Frame))


def with_clean_aperture(path: Path, size: tuple[int, int], offset: tuple[int, int]) -> Path:
    """Write a clap box into the first sample entry of an MP4 whose index stands at its end."""
    data = bytearray(path.read_bytes())
    box = struct.pack(">I4sIIIIiIiI", 40, b"clap", size[0], 1, size[1], 1, offset[0], 1, offset[1], 1)
    at, places = 0, []
    for name in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1"):
        at = data.index(name, at)
        places.append(at - 4)
    end = places[-1] + struct.unpack_from(">I", data, places[-1])[0]
    data[end:end] = box
    for place in places:
        struct.pack_into(">I", data, place, struct.unpack_from(">I", data, place)[0] + len(box))
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(("size", "offset", "corner"), [((64, 48), (0, 0), (16, 8)), ((64, 48), (4, -4), (20, 4))])
@pytest.mark.parametrize("name", ["a.mp4", "a.mov"])
def test_the_clean_aperture_of_mp4(tmp_path, name, size, offset, corner):
    whole = first_frame(render(tmp_path / name))
    shown = first_frame(with_clean_aperture(tmp_path / name, size, offset))
    left, top = corner
    assert (shown.width_px, shown.height_px) == size
    np.testing.assert_array_equal(shown.y, whole.y[top : top + size[1], left : left + size[0]])
    np.testing.assert_array_equal(shown.u, whole.u[top // 2 : (top + size[1]) // 2, left // 2 : (left + size[0]) // 2])


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.ts"])
def test_most_containers_cut_nothing_off(tmp_path, name):
    path = render(tmp_path / name)
    assert crop_of(path, {"a.mp4": "mov,mp4", "a.mkv": "matroska,webm"}.get(name, name[2:]), 0) == Crop()


def matroska(crop: dict[int, int]) -> bytes:
    """Return the head of a Matroska file with a sound track and a video track."""

    def element(identity: int, content: bytes) -> bytes:
        name = identity.to_bytes((identity.bit_length() + 7) // 8, "big")
        return name + (len(content) | 1 << 56).to_bytes(8, "big") + content

    video = element(0xB0, (96).to_bytes(2, "big")) + element(0xBA, (64).to_bytes(2, "big"))
    video += b"".join(element(name, value.to_bytes(1, "big")) for name, value in crop.items())
    sound = element(0xAE, element(0x83, b"\x02"))
    tracks = element(0x1654AE6B, sound + element(0xAE, element(0x83, b"\x01") + element(0xE0, video)))
    return element(0x1A45DFA3, b"") + b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff" + tracks + bytes(100)


def test_pixel_crop_of_matroska(tmp_path):
    path = tmp_path / "a.mkv"
    path.write_bytes(matroska({0x54CC: 8, 0x54BB: 4, 0x54DD: 16, 0x54AA: 20}))
    crop = crop_of(path, "matroska,webm", 0)
    assert crop == Crop(8 / 96, 4 / 64, 16 / 96, 20 / 64)
    rng = np.random.default_rng(1)
    planes = Planes(*(rng.integers(0, 256, shape, np.uint8) for shape in ((64, 96), (32, 48), (32, 48))))
    shown = crop.apply(planes)
    np.testing.assert_array_equal(shown.y, planes.y[4:44, 8:80])
    np.testing.assert_array_equal(shown.v, planes.v[2:22, 4:40])


@given(st.integers(2, 99), st.integers(2, 99), *[st.floats(-0.5, 1.5)] * 4)
def test_something_is_always_left(width, height, left, top, right, bottom):
    chroma = ((height + 1) // 2, (width + 1) // 2)
    planes = Planes(np.zeros((height, width), np.uint8), np.zeros(chroma, np.uint8), np.zeros(chroma, np.uint8))
    shown = Crop(left, top, right, bottom).apply(planes)
    assert 2 <= shown.width_px <= width
    assert 2 <= shown.height_px <= height


@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"\x00\x00\x01\x00moov", b"\x18\x53\x80\x67\x01\x00\x00\x00\x00\x00\x00\xff"]),
)
def test_any_bytes_are_no_crop_and_no_error(tmp_path_factory, data, before):
    path = tmp_path_factory.getbasetemp() / "junk"
    path.write_bytes(before + data)
    for name in ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"):
        assert isinstance(crop_of(path, name, 0), Crop)
