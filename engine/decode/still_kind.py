"""Recognises the kind of a file that was given as a picture, by its first bytes."""

from __future__ import annotations

from enum import Enum

_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"mif2", b"msf1"}
_AVIF_BRANDS = {b"avif", b"avis"}
_RAW_BRANDS = {b"crx "}
_VIDEO_BOXES = {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
_VIDEO_STARTS = (
    b"\x1a\x45\xdf\xa3",
    b"\x00\x00\x01\xba",
    b"\x00\x00\x01\xb3",
    b"FLV\x01",
    b"\x30\x26\xb2\x75",
    b"OggS",
    b"DKIF",
)
_RAW_STARTS = (b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\x00", b"\x00MRM", b"FOVb")
_ARCHIVE_STARTS = (
    b"PK\x03\x04", b"\x1f\x8b", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
)  # fmt: skip
_TS_PACKET = 188
LOOKED_AT_BYTES = 4096
"""Number of first bytes that suffice to recognise a file."""


class Kind(Enum):
    """The recognised kind of a file."""

    UNKNOWN = "perhaps a picture"
    HEIC = "HEIC"
    AVIF = "AVIF"
    EMPTY = "empty"
    VIDEO = "video"
    WEB_PAGE = "web page"
    DOCUMENT = "PDF"
    DRAWING = "SVG"
    ARCHIVE = "archive"
    RAW = "raw data"
    WEBP = "WebP"
    JPEG_XL = "JPEG XL"
    JPEG_XR = "JPEG XR"
    PHOTOSHOP = "Photoshop"
    GIMP = "GIMP"
    OPEN_EXR = "OpenEXR"
    RADIANCE = "Radiance HDR"
    DICOM = "DICOM"
    ICON = "icon"
    TARGA = "Targa"
    POSTSCRIPT = "PostScript"
    METAFILE = "Windows metafile"


_STARTS = {
    b"\xff\x0a": Kind.JPEG_XL,
    b"\x00\x00\x00\x0cJXL \r\n\x87\n": Kind.JPEG_XL,
    b"II\xbc": Kind.JPEG_XR,
    b"8BPS": Kind.PHOTOSHOP,
    b"gimp xcf": Kind.GIMP,
    b"\x76\x2f\x31\x01": Kind.OPEN_EXR,
    b"#?RADIANCE": Kind.RADIANCE,
    b"#?RGBE": Kind.RADIANCE,
    b"\x00\x00\x01\x00": Kind.ICON,
    b"\x00\x00\x02\x00\x00\x00": Kind.TARGA,  # as an icon it would hold no picture
    b"\x00\x00\x0a\x00\x00\x00": Kind.TARGA,
    b"\x00\x00\x02\x00": Kind.ICON,
    b"icns": Kind.ICON,
    b"%!PS": Kind.POSTSCRIPT,
    b"\xc5\xd0\xd3\xc6": Kind.POSTSCRIPT,
    b"\xd7\xcd\xc6\x9a": Kind.METAFILE,
    b"%PDF": Kind.DOCUMENT,
    **dict.fromkeys(_RAW_STARTS, Kind.RAW),
    **dict.fromkeys(_ARCHIVE_STARTS, Kind.ARCHIVE),
}
_NOT_READ = (
    Kind.JPEG_XL, Kind.JPEG_XR, Kind.PHOTOSHOP, Kind.GIMP, Kind.OPEN_EXR, Kind.RADIANCE, Kind.DICOM, Kind.ICON, Kind.TARGA,
    Kind.POSTSCRIPT, Kind.METAFILE,
)  # fmt: skip
"""Picture formats that are not supported."""
REFUSALS = {
    Kind.EMPTY: "is not a picture but empty: give another copy of it",
    Kind.VIDEO: "is not a picture but a video: save a still of it, or give it to `facestream run`",
    Kind.WEB_PAGE: "is not a picture but a web page: save the picture itself",
    Kind.DOCUMENT: "is not a picture but a PDF document: save the picture from it",
    Kind.DRAWING: "is not a photograph but a drawing (SVG): export it as PNG",
    Kind.ARCHIVE: "is not a picture but an archive or office document: take the picture out of it",
    Kind.RAW: "is a camera's raw data: export it as JPEG or TIFF",
    **{kind: f"is of a format that is not read ({kind.value}): export it as PNG or JPEG" for kind in _NOT_READ},
}
"""End of a sentence that begins with the name of such a file."""


def kind_of(head: bytes) -> Kind:
    """Return the kind of a file.

    Args:
        head: its first bytes, at least 512 if it has them.
    """
    if not head:
        return Kind.EMPTY
    if head[4:8] == b"ftyp":
        return _kind_of_brands(head)
    if head[:4] == b"II*\x00" and head[8:10] == b"CR":
        return Kind.RAW
    if _is_video(head):
        return Kind.VIDEO
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return Kind.WEBP
    if head[128:132] == b"DICM":
        return Kind.DICOM
    if head[257:262] == b"ustar":
        return Kind.ARCHIVE
    return next((kind for start, kind in _STARTS.items() if head.startswith(start)), None) or _kind_of_text(head)


def _kind_of_brands(head: bytes) -> Kind:
    end = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))}
    if brands & _AVIF_BRANDS:
        return Kind.AVIF
    if brands & _HEIC_BRANDS:
        return Kind.HEIC
    return Kind.RAW if brands & _RAW_BRANDS else Kind.VIDEO


def _is_video(head: bytes) -> bool:
    if head.startswith(_VIDEO_STARTS) or head[4:8] in _VIDEO_BOXES or (head[:4] == b"RIFF" and head[8:12] == b"AVI "):
        return True
    return len(head) > 2 * _TS_PACKET and all(head[at] == 0x47 for at in (0, _TS_PACKET, 2 * _TS_PACKET))


def _kind_of_text(head: bytes) -> Kind:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if not start.startswith(b"<"):
        return Kind.UNKNOWN
    if b"<html" in start or b"<!doctype html" in start or b"<head" in start:
        return Kind.WEB_PAGE
    return Kind.DRAWING if b"<svg" in start else Kind.UNKNOWN
