"""Face pictures of a zip or folder, decoded once into one array beside the run."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from trt_build.array_files import key_of, write_array
from trt_build.data.degradation import Luma8
from trt_build.errors import DataError

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp")


@dataclass(frozen=True)
class Faces:
    """`images`: uint8 (N, S, S) luma; `names`: N names, `Person_Name/Person_Name_0001.jpg`."""

    images: Luma8
    names: tuple[str, ...]

    def identities(self) -> list[str]:
        """The person of each face: the folder part of its name."""
        return [name.rsplit("/", 1)[0] for name in self.names]


def names_of(source: Path) -> tuple[str, ...]:
    """Return the names of all pictures of a zip or folder, in order."""
    if source.is_dir():
        found = [path.relative_to(source).as_posix() for path in source.rglob("*")]
    else:
        with zipfile.ZipFile(source) as archive:
            found = archive.namelist()
    return tuple(sorted(name for name in found if name.lower().endswith(SUFFIXES)))


def encoded(source: Path, seed: int | None = None) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of every picture of a zip or folder, in the order of names or in a random order
    drawn by a seed.
    """
    names = names_of(source)
    if seed is not None:
        names = tuple(names[at] for at in np.random.default_rng(seed).permutation(len(names)))
    if source.is_dir():
        for name in names:
            yield name, (source / name).read_bytes()
        return
    with zipfile.ZipFile(source) as archive:
        for name in names:
            yield name, archive.read(name)


def grey_pictures(source: Path, what: str, seed: int | None = None) -> Iterator[tuple[str, Luma8]]:
    """Yield name and pixels of every picture of a zip or folder, decoded as grey.

    Args:
        source: the zip or folder.
        what: what the pictures are, for messages.
        seed: of a random order; None: the order of names.

    Raises:
        DataError: there is none, or one cannot be read.
    """
    if not source.exists():
        raise DataError(f"The {what} '{source}' do not exist.")
    empty = True
    try:
        for name, data in encoded(source, seed):
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
    """`load_faces`, kept in `folder` as an uncompressed array that is mapped, not read.

    Raises:
        DataError: as for `load_faces`, or the cache cannot be written.
    """
    path = Path(source)
    if not path.exists():
        raise DataError(f"The face data '{path}' do not exist.")
    key = key_of(path)
    pixels, names = folder / f"faces-{key}.npy", folder / f"names-{key}.npy"
    if not (pixels.exists() and names.exists()):
        faces = load_faces(path)
        write_array(names, np.array(faces.names))
        write_array(pixels, faces.images)
    return Faces(np.load(pixels, mmap_mode="r"), tuple(np.load(names).tolist()))


def to_size(images: Luma8, size: int) -> Luma8:
    """Shrink (N, S, S) to (N, size, size) by area."""
    if images.shape[1] == size:
        return np.asarray(images)
    if images.shape[1] < size:
        raise DataError(f"Faces of {images.shape[1]} px are smaller than hr_px = {size}.")
    resized = [cv2.resize(i, (size, size), interpolation=cv2.INTER_AREA) for i in images]
    return np.stack(resized)
