"""What of a file is not in the picture that is read from it, and what is shown in another way."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from engine.decode import still
from engine.decode.still import read_still
from engine.decode.still_depth import is_deep
from tests.decode.stills import bgr, corners


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "avif", "tif"])
def test_a_picture_that_has_all_of_its_file_has_no_remarks(tmp_path, kind):
    corners().save(tmp_path / f"photo.{kind}")
    assert read_still(tmp_path / f"photo.{kind}").remarks == ()
    opaque = corners().convert("RGBA") if kind in ("png", "webp", "avif", "tif") else corners()
    opaque.save(tmp_path / f"opaque.{kind}")
    assert read_still(tmp_path / f"opaque.{kind}").remarks == (), "its alpha hides nothing"


def test_what_a_picture_has_not_of_its_file_is_remarked(tmp_path, monkeypatch):
    image = corners()
    image.save(tmp_path / "pages.tif", save_all=True, append_images=[image])
    clear = image.convert("RGBA")
    clear.putalpha(200)
    clear.save(tmp_path / "clear.png")
    cv2.imwrite(str(tmp_path / "deep.png"), bgr(image).astype(np.uint16) * 257)
    image.resize((192, 128)).save(tmp_path / "large.jpg")
    monkeypatch.setattr(still, "MOST_PIXELS", 96 * 64)
    said = {path.name: read_still(path).remarks for path in tmp_path.iterdir()}
    assert said == {
        "pages.tif": ("the first of the file's 2 pictures was taken",),
        "clear.png": ("transparent parts are shown white",),
        "deep.png": ("it has more than 8 bits per colour, of which 8 were kept",),
        "large.jpg": ("it has 192x128 pixels, and was read at half of its sides",),
    }


@pytest.mark.parametrize("kind", ["png", "tif", "ppm", "pgm", "jp2"])
def test_of_more_than_8_bits_it_is_said_that_8_were_kept_whatever_the_format(tmp_path, kind):
    colours = bgr(corners())
    shallow, deep = tmp_path / f"shallow.{kind}", tmp_path / f"deep.{kind}"
    colours = colours[:, :, 0] if kind == "pgm" else colours
    cv2.imwrite(str(shallow), colours)
    cv2.imwrite(str(deep), colours.astype(np.uint16) * 257)
    assert read_still(shallow).remarks == ()
    assert read_still(deep).remarks == ("it has more than 8 bits per colour, of which 8 were kept",)


def test_an_avif_file_says_its_bits_itself(tmp_path):
    corners().save(tmp_path / "photo.avif")
    content = (tmp_path / "photo.avif").read_bytes()
    deep = content.replace(b"pixi\0\0\0\0\3\x08\x08\x08", b"pixi\0\0\0\0\3\x0a\x0a\x0a")  # nothing here writes 10 bits
    with Image.open(tmp_path / "photo.avif") as image:
        assert [is_deep(image, one) for one in (content, deep)] == [False, True]


@pytest.mark.parametrize(("brightest", "white"), [(1.0, 1.0), (200.0, 255.0), (60000.0, 65535.0)])
def test_greys_in_fractions_are_of_the_range_that_holds_them(tmp_path, brightest, white):
    ramp = np.tile(np.linspace(0, brightest, 64, dtype=np.float32), (16, 1))
    Image.fromarray(ramp).save(tmp_path / "float.tif")
    np.testing.assert_allclose(read_still(tmp_path / "float.tif").bgr[0, :, 0], ramp[0] * 255 / white, atol=1)


def test_a_large_picture_is_converted_by_strips(tmp_path, monkeypatch):
    """100 megapixels took 1 GB more."""
    clear = corners().convert("RGBA")
    clear.putalpha(128)
    clear.save(tmp_path / "clear.png")
    whole = read_still(tmp_path / "clear.png").bgr
    monkeypatch.setattr("engine.decode.still_pixels._STRIP_PX", 96 * 7)
    np.testing.assert_array_equal(read_still(tmp_path / "clear.png").bgr, whole)


def with_transfer(path, transfer):
    """Say in a PNG or AVIF file how its light is coded."""
    content = path.read_bytes()
    if path.suffix == ".png":
        cicp = b"cICP" + bytes([9, transfer, 0, 1])
        content = content[:33] + struct.pack(">I", 4) + cicp + struct.pack(">I", zlib.crc32(cicp)) + content[33:]
    else:
        at = content.index(b"colrnclx") + 8
        content = content[:at] + struct.pack(">HH", 9, transfer) + content[at + 4 :]
    path.write_bytes(content)


@pytest.mark.parametrize("kind", ["png", "avif"])
@pytest.mark.parametrize("transfer", [16, 18])
def test_a_picture_of_high_dynamic_range_is_shown_as_a_screen_shows_it(tmp_path, kind, transfer):
    """White paper at 203 cd/m² has the code 0.58 of PQ and 0.75 of HLG, and used to be a grey."""
    path = tmp_path / f"hdr.{kind}"
    code = round(255 * (0.58 if transfer == 16 else 0.75))
    Image.new("RGB", (64, 64), (code, code, code)).save(path, quality=100)
    with_transfer(path, transfer)
    found = read_still(path)
    assert found.remarks == ("it is HDR, and is shown as on an SDR screen",)
    assert found.bgr.min() > 215
    with_transfer(path, 1)  # the first one that is said counts in PNG
    if kind == "avif":
        assert read_still(path).bgr.max() < code + 4


@pytest.mark.parametrize(("kind", "white"), [("uint16", 65535), ("int32", 2**31 - 1), ("uint32", 2**32 - 1)])
def test_greys_of_16_and_32_bits_are_of_their_range(tmp_path, kind, white):
    """Of 32 bits all but the darkest was white, or, without a sign, black."""
    tifffile = pytest.importorskip("tifffile")
    ramp = np.tile(np.linspace(0, white, 64).astype(kind), (16, 1))
    tifffile.imwrite(tmp_path / "grey.tif", ramp)
    np.testing.assert_allclose(read_still(tmp_path / "grey.tif").bgr[0, :, 0], np.linspace(0, 255, 64), atol=1)
