"""What the boxes of HEIC and AVIF files say."""

from __future__ import annotations

import re
import struct

import pytest
from PIL import Image

from engine.decode.heif_boxes import Primary, primary_of
from engine.decode.still import read_still
from tests.assets import shared
from tests.decode.stills import corners, lying


def test_an_avif_says_how_its_light_is_coded_and_that_it_is_turned(tmp_path):
    corners().save(tmp_path / "plain.avif")
    assert not primary_of((tmp_path / "plain.avif").read_bytes()).is_turned
    assert primary_of(shared("cases/avif-rotation/o6.avif").read_bytes()).is_turned


def test_what_is_damaged_says_nothing(tmp_path):
    corners().save(tmp_path / "plain.avif")
    content = (tmp_path / "plain.avif").read_bytes()
    for length in range(0, len(content), 7):
        assert not primary_of(content[:length]).is_turned
    for at in range(0, 400):
        primary_of(content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :])
    assert primary_of(b"no boxes at all") == Primary()


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_turn_that_only_exif_says_is_left_out_and_said(tmp_path, orientation):
    """The standard has it so, and programs that heed EXIF all the same show another picture."""
    heif = pytest.importorskip("pillow_heif")
    heif.register_heif_opener()
    stored, exif = lying(corners(), 1)
    exif[0x0112] = 1
    stored.save(tmp_path / "photo.heic", exif=exif.tobytes(), quality=90)
    content = bytearray((tmp_path / "photo.heic").read_bytes())
    at = re.search(rb"Exif\0\0(II|MM)", content).start() + 6
    order = "<" if content[at : at + 2] == b"II" else ">"
    entry = content.index(struct.pack(f"{order}HHI", 0x0112, 3, 1), at)
    content[entry + 8 : entry + 10] = struct.pack(f"{order}H", orientation)
    (tmp_path / "photo.heic").write_bytes(content)
    found = read_still(tmp_path / "photo.heic")
    assert found.bgr.shape == (64, 96, 3)
    assert bool(found.remarks) == (orientation != 1)
    if found.remarks:
        assert found.remarks[0].startswith(f"its EXIF data alone say that it is turned (orientation {orientation})")


def test_a_heic_with_a_turn_of_its_own_says_nothing_of_its_exif(tmp_path):
    heif = pytest.importorskip("pillow_heif")
    heif.register_heif_opener()
    stored, exif = lying(corners(), 6)
    stored.save(tmp_path / "photo.heic", exif=exif.tobytes())
    assert read_still(tmp_path / "photo.heic").remarks == ()
    with Image.open(tmp_path / "photo.heic") as image:
        assert image.size == (96, 64)
