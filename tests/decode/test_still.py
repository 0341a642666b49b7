"""Still pictures are read as a viewer shows them."""

from __future__ import annotations

import os
import struct
import sys

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from engine.decode import still
from engine.decode.still import read_still
from engine.errors import MissingRuntimeError, PictureError
from tests.assets import shared
from tests.decode.stills import bgr, corners, lying, png


def close(path, image, decibel=32):
    found = read_still(path).bgr
    expected = bgr(image)
    assert found.shape == expected.shape
    assert cv2.PSNR(found, expected) > decibel
    return True


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "avif", "tif", "heic"])
def test_the_orientation_that_the_file_names_is_applied_once(tmp_path, kind, orientation):
    path = tmp_path / f"photo.{kind}"
    stored, exif = lying(corners(), orientation)
    if kind == "heic":
        pytest.importorskip("pillow_heif").register_heif_opener()
        stored.save(path, exif=exif.tobytes(), quality=90)
        assert (b"irot" in path.read_bytes()) == (orientation in (3, 5, 6, 7, 8))  # and EXIF says it, too
    elif kind == "tif":
        stored.save(path, tiffinfo={0x0112: orientation})
    else:
        stored.save(path, exif=exif, quality=95)
    assert close(path, corners())


def test_a_turned_avif_is_as_its_jpeg():
    turned = read_still(shared("cases/avif-rotation/o6.avif")).bgr
    jpeg = read_still(shared("cases/avif-rotation/o6.jpg")).bgr
    assert turned.shape == (500, 400, 3)
    assert cv2.PSNR(turned, jpeg) > 30


def test_a_heic_of_tiles_as_phones_write_it(tmp_path):
    heif = pytest.importorskip("pillow_heif")
    stored, exif = lying(corners(3024, 4032), 6)
    assert stored.size == (4032, 3024)
    heif.register_heif_opener(grid_tile_size=512)
    try:
        stored.save(tmp_path / "IMG_1.HEIC", exif=exif.tobytes(), quality=30, enc_params={"preset": "ultrafast"})
    finally:
        heif.register_heif_opener(grid_tile_size=0)
    content = (tmp_path / "IMG_1.HEIC").read_bytes()
    assert b"grid" in content
    assert b"irot" in content
    assert close(tmp_path / "IMG_1.HEIC", corners(3024, 4032))


def test_a_heic_of_ten_bits_and_of_several_pictures(tmp_path):
    heif = pytest.importorskip("pillow_heif")
    heif.register_heif_opener()
    wide = np.asarray(corners()).astype(np.uint16) * 257
    heif.from_bytes(mode="RGB;16", size=(96, 64), data=wide.tobytes()).save(tmp_path / "ten.heic", quality=90)
    assert close(tmp_path / "ten.heic", corners())
    corners().save(tmp_path / "two.heic", save_all=True, append_images=[corners().rotate(180)], primary_index=1, quality=90)
    assert close(tmp_path / "two.heic", corners().rotate(180))
    found = read_still(tmp_path / "two.heic")
    assert (found.pages, found.remarks) == (2, ("the main one of the file's 2 pictures was taken",))


def test_heic_without_its_reader_says_what_to_install(tmp_path, monkeypatch):
    heif = pytest.importorskip("pillow_heif")
    heif.register_heif_opener()
    corners().save(tmp_path / "photo.heic")
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    with pytest.raises(MissingRuntimeError, match="pip install pi-heif"):
        read_still(tmp_path / "photo.heic")


def grey(image):
    return image.convert("L")


@pytest.mark.parametrize(
    ("name", "pixels", "expected"),
    [
        ("grey16.png", lambda image: np.asarray(grey(image)).astype(np.uint16) * 257, grey),
        ("grey16.tif", lambda image: np.asarray(grey(image)).astype(np.uint16) * 257, grey),
        ("grey16.pgm", lambda image: np.asarray(grey(image)).astype(np.uint16) * 257, grey),
        ("colour16.png", lambda image: bgr(image).astype(np.uint16) * 257, lambda image: image),
        ("colour16.tif", lambda image: bgr(image).astype(np.uint16) * 257, lambda image: image),
        ("float.tif", lambda image: np.asarray(grey(image)).astype(np.float32) / 255, grey),
    ],
)
def test_more_than_eight_bits_are_reduced_not_cut_off(tmp_path, name, pixels, expected):
    assert cv2.imwrite(str(tmp_path / name), pixels(corners()))
    np.testing.assert_allclose(read_still(tmp_path / name).bgr.astype(int), bgr(expected(corners())), atol=1)


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        *(("png", mode) for mode in ("L", "1", "P")),
        *(("tif", mode) for mode in ("L", "1", "P", "CMYK", "LAB")),
        *(("jpg", mode) for mode in ("L", "CMYK")),
        *(("gif", mode) for mode in ("L", "1", "P")),
        *(("bmp", mode) for mode in ("L", "1", "P")),
    ],
)
def test_every_mode_becomes_colours(tmp_path, mode, kind):
    path = tmp_path / f"photo.{kind}"
    if mode == "LAB":
        srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        image = ImageCms.profileToProfile(corners(), srgb, lab, outputMode="LAB")
    else:
        image = corners().convert(mode)
    image.save(path, **({"quality": 95} if kind == "jpg" else {}))
    assert close(path, corners() if mode == "LAB" else image.convert("RGB"), 27 if kind == "gif" else 32)


@pytest.mark.parametrize("kind", ["png", "webp", "tif", "avif"])
def test_transparent_parts_are_white_whatever_colour_hides_in_them(tmp_path, kind):
    image = corners().convert("RGBA")
    mask = Image.new("L", image.size, 255)
    mask.paste(0, (0, 0, 40, 64))
    image.putalpha(mask)
    image.save(tmp_path / f"cut.{kind}", **({"lossless": True, "exact": True} if kind == "webp" else {"quality": 95}))
    white = Image.new("RGB", image.size, "white")
    white.paste(corners(), mask=mask)
    assert close(tmp_path / f"cut.{kind}", white, 30)


def test_a_palette_with_a_transparent_colour(tmp_path):
    image = Image.new("P", (20, 20), 0)
    image.putpalette([10, 200, 10, 200, 10, 10])
    image.paste(1, (10, 0, 20, 20))
    image.save(tmp_path / "palette.png", transparency=0)
    found = read_still(tmp_path / "palette.png").bgr
    assert found[5, 5].tolist() == [255, 255, 255]
    assert found[5, 15].tolist() == [10, 10, 200]


def test_a_colour_profile_is_applied_and_a_damaged_one_left_out(tmp_path):
    corners().save(tmp_path / "damaged.png", icc_profile=b"no profile" * 20)
    np.testing.assert_array_equal(read_still(tmp_path / "damaged.png").bgr, bgr(corners()))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    corners().save(tmp_path / "srgb.png", icc_profile=srgb)
    np.testing.assert_array_equal(read_still(tmp_path / "srgb.png").bgr, bgr(corners()))
    # The same profile with red and blue exchanged: a viewer shows them exchanged.
    offset = srgb.index(b"rXYZ", 128)
    exchanged = bytearray(srgb.replace("sRGB".encode("utf-16-be"), "test".encode("utf-16-be")))
    exchanged[offset : offset + 4], other = b"bXYZ", srgb.index(b"bXYZ", 128)
    exchanged[other : other + 4] = b"rXYZ"
    corners().save(tmp_path / "exchanged.png", icc_profile=bytes(exchanged))
    found = read_still(tmp_path / "exchanged.png").bgr
    np.testing.assert_allclose(found[:, :, ::-1].astype(int), bgr(corners()), atol=6)


@pytest.mark.parametrize("kind", ["gif", "webp", "png", "tif"])
def test_of_several_the_first_is_taken_and_their_number_told(tmp_path, kind):
    other = corners().rotate(180)
    corners().save(tmp_path / f"several.{kind}", save_all=True, append_images=[other, other.rotate(90)])
    found = read_still(tmp_path / f"several.{kind}")
    assert found.pages == 3
    assert cv2.PSNR(found.bgr, bgr(corners())) > 27


def test_a_photograph_with_a_depth_picture_behind_is_one_photograph(tmp_path):
    corners().save(tmp_path / "phone.jpg", format="MPO", save_all=True, append_images=[corners().rotate(180)])
    assert read_still(tmp_path / "phone.jpg").pages == 1
    assert close(tmp_path / "phone.jpg", corners())


def test_damaged_exif_data_do_not_matter(tmp_path):
    corners().save(tmp_path / "photo.jpg", quality=95)
    content = (tmp_path / "photo.jpg").read_bytes()
    rubbish = b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\x1d" * 30
    (tmp_path / "photo.jpg").write_bytes(
        content[:2] + b"\xff\xe1" + struct.pack(">H", 2 + len(rubbish)) + rubbish + content[2:]
    )
    assert close(tmp_path / "photo.jpg", corners())


def test_a_camera_s_small_jpeg():
    assert read_still(shared("cases/exif-jpeg/Canon_40D.jpg")).bgr.shape == (68, 100, 3)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is not a picture but empty"),
        (b"not a picture", "is not a picture that can be read: give a JPEG, PNG, HEIC, AVIF, WebP or TIFF file"),
        (b"\xff\xd8\xff", "is not a picture that can be read"),
        (b"\n<!DOCTYPE html><title>404</title>", "is not a picture but a web page: save the picture itself"),
        (png(60000, 60000), r"is too large \(at most 100 megapixels\)"),
        (png(12000, 9000), r"is too large \(at most 100 megapixels\)"),
        (png(400, 300, bytes(500)), "is damaged or cut off"),
        (png(5, 5, bytes(80)), "has only 5x5 pixels: give a larger picture"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "is damaged or cut off: give another copy of it"),
        (b"\0\0\0\x18ftypavif\0\0\0\0mif1avif", "is damaged or cut off: give another copy of it"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(tmp_path, content, reason):
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    with pytest.raises(PictureError, match=f"photo.jpg {reason}"):
        read_still(path)


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "avif", "tif", "heic", "gif"])
@pytest.mark.parametrize("share", [0.3, 0.8])
def test_a_file_that_was_cut_off_is_refused(tmp_path, kind, share):
    if kind == "heic":
        pytest.importorskip("pillow_heif").register_heif_opener()
    noise = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / f"photo.{kind}")
    content = (tmp_path / f"photo.{kind}").read_bytes()
    (tmp_path / f"photo.{kind}").write_bytes(content[: int(len(content) * share)])
    with pytest.raises(PictureError, match=r"damaged or cut off|that can be read"):
        read_still(tmp_path / f"photo.{kind}")


def test_a_very_large_jpeg_is_reduced_while_it_is_decoded(tmp_path, monkeypatch):
    monkeypatch.setattr(still, "MOST_PIXELS", 96 * 64)
    corners(192, 128).save(tmp_path / "large.jpg", quality=95)
    assert close(tmp_path / "large.jpg", corners(), 30)


@pytest.mark.parametrize("sides", [(16320, 12240), (12240, 16320), (13400, 13400)])
def test_a_jpeg_of_a_telephone_with_200_megapixels_is_read(tmp_path, sides):
    """The library's own limit is 179."""
    Image.new("L", sides, 128).save(tmp_path / "large.jpg", quality=10)
    picture = read_still(tmp_path / "large.jpg")
    assert picture.bgr.shape == (sides[1] // 2, sides[0] // 2, 3)
    assert picture.remarks == (f"it has {sides[0]}x{sides[1]} pixels, and was read at half of its sides",)


@pytest.mark.parametrize("sides", [(20100, 20000), (65000, 8000), (65500, 65500)])
def test_a_jpeg_that_is_too_large_at_half_of_its_sides_is_refused(tmp_path, sides):
    Image.new("L", (64, 64)).save(tmp_path / "large.jpg")
    content = bytearray((tmp_path / "large.jpg").read_bytes())
    struct.pack_into(">HH", content, content.index(b"\xff\xc0") + 5, sides[1], sides[0])
    (tmp_path / "large.jpg").write_bytes(content)
    with pytest.raises(PictureError, match=r"is too large \(at most 100 megapixels\): reduce it"):
        read_still(tmp_path / "large.jpg")


def test_folders_pipes_and_missing_files_are_told(tmp_path):
    with pytest.raises(PictureError, match=r"cannot be read \(No such file or directory\): check the path"):
        read_still(tmp_path / "none.jpg")
    with pytest.raises(PictureError, match="is a folder, not a picture: give a file of it"):
        read_still(tmp_path)
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(PictureError, match="is a device or a pipe, not a picture file"):
        read_still(tmp_path / "pipe.jpg")
    os.symlink(tmp_path / "loop.jpg", tmp_path / "loop.jpg")
    with pytest.raises(PictureError, match="Too many levels of symbolic links"):
        read_still(tmp_path / "loop.jpg")
