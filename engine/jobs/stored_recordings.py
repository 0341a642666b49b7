"""Which recordings an archive has in object storage: named, or all videos below a name, as in a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath

from engine.contracts.recording import Recording
from engine.contracts.stored import Place, Stored, place_of
from engine.errors import UsageError
from engine.source.files import VIDEO_EXTENSIONS, tell_of_others
from engine.source.pictures import is_picture
from engine.storage.found import Found
from engine.storage.s3 import Storage
from engine.words.numbers import count


def stored_recordings(address: str, storage: Storage, warn: Callable[[str], None]) -> list[Recording]:
    """Return the recordings at an address, in the order of their keys; nothing is fetched.

    Args:
        address: ``s3://BUCKET/KEY`` of one, or ``s3://BUCKET/PREFIX/`` for all below it. Nothing in it is a pattern. What is
            called both is the one, but for an empty object, with which some programs mark a folder.
        storage: where.
        warn: called with a sentence on files that are left out.

    Raises:
        UsageError: there is none.
        StorageError, StorageAwayError: see ``Storage``.
    """
    place = place_of(address)
    if place.key and not place.key.endswith("/"):
        found, below = storage.look(place), place / ""
        if found is not None and (found.size_bytes or next(storage.listed(below), None) is None):
            if is_picture(Path(place.key)):
                raise UsageError(f"{place} is a picture, and only videos are read from object storage: copy it to a folder")
            return [_recording(place, found, storage)]
        place = below
    there = [one for one in storage.listed(place) if _is_shown(one.key[len(place.key) :])]
    videos = [one for one in there if PurePosixPath(one.key).suffix.lower() in VIDEO_EXTENSIONS]
    if not there:
        raise UsageError(f"there is nothing at {address}: check the name: case matters, and nothing is an escape")
    if not videos:
        kinds = ", ".join(sorted(VIDEO_EXTENSIONS))
        raise UsageError(f"{place} holds no video (looked for {kinds}); pictures are only read from folders")
    files = [PurePosixPath(one.key) for one in there if not one.key.endswith("/")]
    tell_of_others(place, files, warn)
    if pictures := sum(is_picture(file) for file in files):
        are = "is" if pictures == 1 else "are"
        warn(f"{place} also holds {count(pictures, 'picture')} that {are} left out: only videos are read from object storage")
    return [_recording(Place(place.bucket, one.key), one, storage) for one in videos]


def _recording(place: Place, found: Found, storage: Storage) -> Recording:
    stored = Stored(place, found.etag, found.size_bytes, found.modified_ns, storage.endpoint)
    return Recording("", Path("/", place.bucket, place.key.lstrip("/")), stored=stored)


def _is_shown(name: str) -> bool:
    """As in a folder, what begins with a dot is left out; a key may have ``..`` in it as any other name."""
    return not any(part.startswith(".") and part.strip(".") for part in name.split("/"))
