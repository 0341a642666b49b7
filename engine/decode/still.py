"""Reads still pictures from files: the pixels that a viewer shows, upright.

The orientation comes from EXIF (JPEG, PNG, WebP, TIFF) or from the container (``irot`` and ``imir`` of HEIC and AVIF, in which
EXIF's does not count). Of several pages or animation frames the first is read, of a HEIC file the primary picture.
"""

from __future__ import annotations

import io
import stat
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from engine.contracts.frames import Uint8
from engine.decode.still_kind import LOOKED_AT_BYTES, REFUSALS, Kind, kind_of
from engine.decode.still_pixels import bgr_of
from engine.decode.still_remarks import shows_through, told_of
from engine.errors import MissingRuntimeError, PictureError

Image.MAX_IMAGE_PIXELS = None  # Pillow's own limit of 179 megapixels applies before a JPEG could be reduced
MOST_PIXELS = 100_000_000
"""Most pixels of a decoded picture, which needs 0.7 GB while it is converted. JPEGs with up to four times as many are decoded
at half their width and height.
"""
_MOST_BYTES = 1 << 30
_FEWEST_PX = 8
_FORMATS = ("AVIF", "BMP", "DIB", "GIF", "HEIF", "JPEG", "JPEG2000", "MPO", "PNG", "PPM", "TIFF", "WEBP")
_SUPPORTED = "a JPEG, PNG, HEIC, AVIF, WebP or TIFF file"
_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_ORIENTATION = 0x0112
_UPRIGHT: dict[int, Callable[[Uint8], cv2.typing.MatLike]] = {
    2: lambda bgr: cv2.flip(bgr, 1),
    3: lambda bgr: cv2.rotate(bgr, cv2.ROTATE_180),
    4: lambda bgr: cv2.flip(bgr, 0),
    5: cv2.transpose,
    6: lambda bgr: cv2.rotate(bgr, cv2.ROTATE_90_CLOCKWISE),
    7: lambda bgr: cv2.flip(cv2.transpose(bgr), -1),
    8: lambda bgr: cv2.rotate(bgr, cv2.ROTATE_90_COUNTERCLOCKWISE),
}
"""The operations for each value of EXIF's orientation."""
_DNG_VERSION, _SUBFILE_TYPE = 50706, 254


@dataclass(frozen=True, slots=True, eq=False)
class Still:
    """One picture."""

    bgr: Uint8
    """(height, width, 3), upright; transparent parts are white."""
    pages: int
    """Number of pictures in the file, of which this is the first."""
    remarks: tuple[str, ...] = ()
    """Sentences without a full stop on what the picture lacks of the file; usually none."""
    is_halved: bool = False
    """Whether it was read at half its width and height because of its size."""


def read_content(path: Path) -> bytes:
    """Return a picture file's bytes.

    Raises:
        PictureError: it cannot be read, or is obviously something else: a video, a web page, a folder.
    """
    try:
        if path.is_dir():
            raise PictureError(f"{path} is a folder, not a picture: give a file of it")
        if not stat.S_ISREG(path.stat().st_mode):
            raise PictureError(f"{path} is a device or a pipe, not a picture file: copy it to a file first")
        with path.open("rb") as file:
            head = file.read(LOOKED_AT_BYTES)
            _refuse_others(path, kind_of(head))
            if path.stat().st_size > _MOST_BYTES:
                raise PictureError(f"{path} is too large for a picture ({path.stat().st_size >> 20} MB): give {_SUPPORTED}")
            return head + file.read()
    except OSError as error:
        raise PictureError(f"{path} cannot be read ({error.strerror}): check the path") from error


def read_still(path: Path, content: bytes | None = None) -> Still:
    """Read one picture.

    Args:
        path: the file; its name does not matter, the content decides.
        content: its bytes if they were read already.

    Raises:
        PictureError: it cannot be read, is damaged, too large, or not a picture. The message names it and says what to do.
        MissingRuntimeError: it is HEIC, and the HEIC reader is not installed.
    """
    content = read_content(path) if content is None else content
    kind = kind_of(content[:LOOKED_AT_BYTES])
    if kind is Kind.HEIC:
        _know_heic()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of size and of damaged EXIF data: both are handled here
            return _decode(path, content)
    except (PictureError, MissingRuntimeError):
        raise
    except UnidentifiedImageError as error:
        if kind in (Kind.HEIC, Kind.AVIF):
            raise PictureError(f"{path} is damaged or cut off: give another copy of it") from error
        if content.startswith(_TIFF_STARTS):
            raise PictureError(f"{path} is a TIFF file of an unusual kind, or damaged: export it as PNG") from error
        raise PictureError(f"{path} is not a picture that can be read: give {_SUPPORTED}") from error
    except (Image.DecompressionBombError, MemoryError) as error:
        raise PictureError(f"{path} is too large (at most {MOST_PIXELS // 10**6} megapixels): reduce it") from error
    except Exception as error:  # decoders raise all kinds of exceptions on damaged files
        raise PictureError(f"{path} is damaged or cut off ({_one_line(error)}): give another copy of it") from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def open_still(content: io.BytesIO) -> Image.Image:
    """Open a picture with Pillow without decoding it; raises what Pillow raises."""
    Image.init()  # load all readers: at first Pillow knows only the most common ones
    return Image.open(content, formats=[name for name in _FORMATS if name in Image.OPEN])


def check_size(path: Path, image: Image.Image) -> None:
    """Check a picture before it is decoded.

    Raises:
        DecompressionBombError: it is too large.
        PictureError: it is too small.
    """
    if image.width * image.height > MOST_PIXELS:
        raise Image.DecompressionBombError
    if min(image.size) < _FEWEST_PX:
        raise PictureError(f"{path} has only {image.width}x{image.height} pixels: give a larger picture")


def bgr_upright(image: Image.Image) -> Uint8:
    """Decode to (height, width, 3) BGR, upright; transparent parts are white. Raises what Pillow raises."""
    image.load()
    return _upright(bgr_of(image), _orientation(image))


def _decode(path: Path, content: bytes) -> Still:
    with open_still(io.BytesIO(content)) as image:
        if image.format == "TIFF" and _is_raw(image):
            _refuse_others(path, Kind.RAW)
        stored = image.size
        if image.width * image.height > MOST_PIXELS:
            image.draft(None, (image.width // 2, image.height // 2))  # only JPEG supports it; other formats stay as they are
        check_size(path, image)
        pages = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)  # MPO: the other pictures show the same scene
        told = told_of(image, content, pages)
        remarks = told.remarks
        is_halved = image.size != stored
        if is_halved:
            remarks += (f"it has {stored[0]}x{stored[1]} pixels, and was read at half of its sides",)
        image.load()
        orientation = _orientation(image)  # loading a TIFF file has applied it
        if shows_through(image):
            remarks += ("transparent parts are shown white",)
        bgr = bgr_of(image, told.transfer)
        image.close()  # a large picture is in memory twice until here
    return Still(_upright(bgr, orientation), pages, remarks, is_halved)


def _upright(bgr: Uint8, orientation: int) -> Uint8:
    turn = _UPRIGHT.get(orientation)
    return bgr if turn is None else np.asarray(turn(bgr), np.uint8)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # damaged EXIF data are ignored, as in viewers
        return 1


def _is_raw(image: Image.Image) -> bool:
    """Whether a TIFF file is a camera's raw data: its first page is then only a preview."""
    tags = getattr(image, "tag_v2", {})
    return _DNG_VERSION in tags or bool(int(tags.get(_SUBFILE_TYPE, 0)) & 1)


def _refuse_others(path: Path, kind: Kind) -> None:
    if kind in REFUSALS:
        raise PictureError(f"{path} {REFUSALS[kind]}")


def _know_heic() -> None:
    try:
        from pi_heif import register_heif_opener
    except ImportError as error:
        raise MissingRuntimeError("HEIC pictures need the package pi-heif: run `pip install pi-heif`") from error
    register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)
