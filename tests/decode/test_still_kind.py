import pytest

from engine.decode.still_kind import REFUSALS, Kind, kind_of
from tests.assets import shared


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"", Kind.EMPTY),
        (b"\xff\xd8\xff\xe0", Kind.UNKNOWN),
        (b"\0\0\0\x1cftypavif\0\0\0\0mif1avifmiaf", Kind.AVIF),
        (b"\0\0\0\x1cftypmif1\0\0\0\0avifmif1miaf", Kind.AVIF),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", Kind.HEIC),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", Kind.HEIC),
        (b"\0\0\0\x18ftypisom\0\0\0\0isomavc1", Kind.VIDEO),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", Kind.VIDEO),
        (b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom", Kind.RAW),
        (b"\0\0\0\x08wide\0\0\0\0mdat", Kind.VIDEO),
        (b"\x1a\x45\xdf\xa3\x01", Kind.VIDEO),
        (b"RIFF\0\0\0\0AVI LIST", Kind.VIDEO),
        (b"RIFF\0\0\0\0WEBPVP8 ", Kind.WEBP),
        ((b"G" + bytes(187)) * 3, Kind.VIDEO),
        (b"II*\0\x10\0\0\0CR\x02", Kind.RAW),
        (b"\xef\xbb\xbf\n<HTML><BODY>", Kind.WEB_PAGE),
        (b"<?xml version='1.0'?><!DOCTYPE html>", Kind.WEB_PAGE),
        (b"<?xml version='1.0'?><svg/>", Kind.DRAWING),
        (b"%PDF-1.7", Kind.DOCUMENT),
        (b"PK\x03\x04", Kind.ARCHIVE),
        (b"\xff\x0a\xfa\x7f", Kind.JPEG_XL),
        (b"\0\0\0\x0cJXL \r\n\x87\n", Kind.JPEG_XL),
        (b"\0\0\0\x0cjP  \r\n\x87\n", Kind.UNKNOWN),  # JPEG 2000 is read
        (b"II\xbc\x01", Kind.JPEG_XR),
        (b"8BPS\0\x01", Kind.PHOTOSHOP),
        (b"\x76\x2f\x31\x01\x02", Kind.OPEN_EXR),
        (b"#?RADIANCE\n", Kind.RADIANCE),
        (bytes(128) + b"DICM", Kind.DICOM),
        (b"\0\0\x01\0\x01\0", Kind.ICON),
        (b"\0\0\x02\0\x01\0", Kind.ICON),
        (b"\0\0\x02\0\0\0\0\0", Kind.TARGA),
        (b"%!PS-Adobe-3.0", Kind.POSTSCRIPT),
        (b"\0MRM", Kind.RAW),
        (b"\x1f\x8b\x08", Kind.ARCHIVE),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Kind.ARCHIVE),
        (bytes(257) + b"ustar", Kind.ARCHIVE),
        (b"plain words", Kind.UNKNOWN),
    ],
)
def test_what_a_file_is(head, kind):
    assert kind_of(head) is kind


def test_recordings_are_videos():
    for name in ("exif-jpeg/exif_mjpeg.avi", "start-offset/off_mkv.mkv", "start-offset/wrapmid.ts", "interlaced/prog.mp4"):
        with shared(f"cases/{name}").open("rb") as file:
            assert kind_of(file.read(4096)) is Kind.VIDEO, name


def test_every_refusal_says_what_to_do():
    assert set(REFUSALS) == set(Kind) - {Kind.UNKNOWN, Kind.HEIC, Kind.AVIF, Kind.WEBP}
    assert all(": " in sentence for sentence in REFUSALS.values())
