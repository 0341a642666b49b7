"""Face pictures from a zip or a folder, decoded once into one array beside the run."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from trt_build.errors import DataError
from trt_build.train.degradation import Luma8

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp")


@dataclass(frozen=True)
class Faces:
    """`images`: uint8 (N, S, S) luma; `names`: N names, `Person_Name/Person_Name_0001.jpg`."""

    images: Luma8
    names: tuple[str, ...]

    def identities(self) -> list[str]:
        """The person of each face: the folder part of its name."""
        return [name.rsplit("/", 1)[0] for name in self.names]


def encoded(source: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of every picture of a zip or folder, in the order of the names."""
    if source.is_dir():
        for path in sorted(p for p in source.rglob("*") if p.suffix.lower() in SUFFIXES):
            yield path.relative_to(source).as_posix(), path.read_bytes()
        return
    with zipfile.ZipFile(source) as archive:
        for name in sorted(archive.namelist()):
            if name.lower().endswith(SUFFIXES):
                yield name, archive.read(name)


def grey_pictures(source: Path, what: str) -> Iterator[tuple[str, Luma8]]:
    """Yield name and pixels of every picture of a zip or folder, decoded as grey; ``what`` they are, for messages.

    Raises:
        DataError: there is none, or one cannot be read.
    """
    if not source.exists():
        raise DataError(f"The {what} '{source}' do not exist.")
    empty = True
    try:
        for name, data in encoded(source):
            image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE) if data else None
            if image is None:
                raise DataError(f"'{name}' in '{source}' is not a picture.")
            empty = False
            yield name, np.asarray(image, np.uint8)
    except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError) as error:
        raise DataError(f"The {what} '{source}' cannot be read: {error}.") from None
    if empty:
        raise DataError(f"The {what} '{source}' hold no picture.")


def load_faces(source: str | Path) -> Faces:
    """Decode every picture of a zip or folder as grey; all must be square and of one size."""
    path = Path(source)
    names, images = zip(*grey_pictures(path, "face data"), strict=True)
    shapes = {image.shape for image in images}
    if len(shapes) > 1 or len(set(next(iter(shapes)))) > 1:
        raise DataError(f"The faces of '{path}' must be square and of one size.")
    return Faces(np.stack(images), names)


def cached_faces(source: str | Path, folder: Path) -> Faces:
    """`load_faces`, kept in `folder` as an uncompressed array that processes can map."""
    path = Path(source)
    if not path.exists():
        raise DataError(f"The face data '{path}' do not exist.")
    stat = path.stat()
    key = hashlib.sha256(f"{path.resolve()}:{stat.st_size}:{stat.st_mtime_ns}".encode())
    array = folder / f"faces-{key.hexdigest()[:12]}.npy"
    listing = array.with_suffix(".txt")
    if not (array.exists() and listing.exists()):
        faces = load_faces(path)
        folder.mkdir(parents=True, exist_ok=True)
        np.save(array, faces.images)
        listing.write_text("\n".join(faces.names), encoding="utf-8")
    images = np.load(array, mmap_mode="r")
    return Faces(images, tuple(listing.read_text(encoding="utf-8").split("\n")))


def to_size(images: Luma8, size: int) -> Luma8:
    """Shrink (N, S, S) to (N, size, size) by area."""
    if images.shape[1] == size:
        return np.asarray(images)
    if images.shape[1] < size:
        raise DataError(f"Faces of {images.shape[1]} px are smaller than hr_px = {size}.")
    resized = [cv2.resize(i, (size, size), interpolation=cv2.INTER_AREA) for i in images]
    return np.stack(resized)
