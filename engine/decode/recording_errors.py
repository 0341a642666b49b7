"""Explains in one sentence why a recording cannot be opened: what, where, and what to do."""

from __future__ import annotations

from pathlib import Path

from engine.contracts.messages import Reason
from engine.decode.encryption import HOW, encryption_of_file
from engine.decode.late_start import kind_at_start, late_start
from engine.decode.playlist import is_playlist, missing_from, trouble_of
from engine.decode.still_kind import LOOKED_AT_BYTES, REFUSALS, Kind, kind_of
from engine.errors import SourceError
from engine.words.lists import some_of

_LIST_START = b"ffconcat"
_SEGMENT_STARTS = (b"styp", b"moof", b"sidx")
_MOVIE_STARTS = {b"ftyp": "an MP4", **dict.fromkeys((b"wide", b"mdat", b"free", b"skip", b"pnot"), "a QuickTime file")}
"""First boxes of a file whose index may come last."""

_OTHERS = {
    Kind.WEB_PAGE: "a web page: save the recording itself",
    Kind.ARCHIVE: "an archive or office document: take the recording out of it",
    Kind.DOCUMENT: "a PDF document",
    Kind.DRAWING: "a drawing (SVG)",
}


def encrypted(path: Path, kind: str, detail: str = "") -> SourceError:
    """Return the error of a recording that is encrypted by this kind of protection."""
    return SourceError(f"encrypted: {path} is protected ({kind}){detail}: {HOW}", "encrypted")


def check_playlist(path: Path) -> None:
    """Check that a playlist may be opened.

    Raises:
        SourceError: ``permission``, see ``trouble_of``, or it cannot be read.
    """
    try:
        trouble = trouble_of(path)
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}", "not_a_video") from error
    if trouble:
        raise SourceError(f"{path} is a playlist that {trouble}", "permission")


def explain_open(path: Path, error: Exception) -> SourceError:
    """Return the error of a file that FFmpeg did not open."""
    reason: Reason = "not_a_video"
    if is_playlist(path):  # a file that it names may be missing
        return encrypted(path, kind) if (kind := encryption_of_file(path)) else _nothing_of_playlist(path)
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return SourceError(f"{path} does not exist", "not_found")
    if isinstance(error, PermissionError):
        return SourceError(f"{path} may not be read: permission denied", "permission")
    if path.is_dir():
        return SourceError(f"{path} is a directory, not a video", reason)
    try:
        with path.open("rb") as file:
            start = file.read(LOOKED_AT_BYTES)
    except (OSError, ValueError) as problem:
        return SourceError(f"{path} cannot be read: {problem}", reason)
    if not start:
        return SourceError(f"{path} is empty", reason)
    if start.startswith(_LIST_START):
        return SourceError(f"{path} is a list of files (ffconcat), which is not read: give the files themselves", reason)
    if kind := encryption_of_file(path):
        return encrypted(path, kind)
    if start[4:8] in _SEGMENT_STARTS:
        return SourceError(
            f"{path} is a segment of a stream without its initialisation (moov): join them, as `cat init.mp4 segment.m4s`",
            reason,
        )
    if movie := _MOVIE_STARTS.get(start[4:8]):
        return SourceError(
            f"{path} begins as {movie} but its index (moov) is missing or broken: the recording was cut off, never closed, or "
            "is still being written; a repair tool such as untrunc may recover it",
            reason,
        )
    if refused := _no_recording(start):
        return SourceError(f"{path} {refused}", reason)
    if kind := kind_at_start(path):
        return SourceError(f"{path} begins as {kind}, but its header is cut off or damaged: give another copy of it", reason)
    return SourceError(late_start(path) or f"{path} is not a video that FFmpeg can read", reason)


def explain_no_decoder(path: Path) -> SourceError:
    """Return the error of a file whose video FFmpeg cannot decode."""
    try:
        with path.open("rb") as file:
            refused = _no_recording(file.read(LOOKED_AT_BYTES))
    except OSError:
        refused = ""
    if refused:
        return SourceError(f"{path} {refused}", "not_a_video")
    return SourceError(f"{path}: FFmpeg has no decoder for its video stream", "codec")


def _no_recording(start: bytes) -> str:
    """Return the end of a sentence on a file that is of a kind which is never a recording; empty if it may be one."""
    kind = kind_of(start)
    if other := _OTHERS.get(kind):
        return f"is not a recording but {other}"
    return "" if kind in (Kind.EMPTY, Kind.VIDEO) else REFUSALS.get(kind, "")


def _nothing_of_playlist(path: Path) -> SourceError:
    gone = missing_from(path)
    which = f" ({some_of(gone)} not there)" if gone else ""
    return SourceError(
        f"{path} is a playlist of which nothing can be read{which}: keep its segments beside it, called as in it, or give them",
        "not_a_video",
    )
