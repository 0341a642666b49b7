"""Which results, and which tracks of them, a command line names; vectors of two embedders are never compared."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.desk.stored import BEFORE_TRACK, Result, StoredTrack, read_result
from engine.errors import FacestreamError, MissingResultError, PublishError, UsageError
from engine.words.numbers import count, track_numbers

_MOST_NAMED = 10


@dataclass(frozen=True)
class Selection:
    """Results whose vectors can be compared."""

    results: list[Result]
    """One or more."""
    left_out: list[str]
    """One sentence for each result that is left out."""


def choose_results(directories: Sequence[Path]) -> Selection:
    """Read results, each once, and leave out those that cannot be read or compared: only results of the most common embedder
    are compared; in a tie, of the one named first.

    Raises:
        PublishError: none is left; the message says why. It is a ``MissingResultError`` if no result exists at all.
        UsageError: no directory is given.
    """
    if not directories:
        raise UsageError("no result to look in: give the output directory of a run, or several")
    results: dict[str, Result] = {}
    left_out: list[str] = []
    missing = 0
    for directory in {os.path.realpath(path): path for path in directories}.values():
        try:
            result = read_result(directory)
        except PublishError as error:
            left_out.append(str(error))
            missing += isinstance(error, MissingResultError)
            continue
        if not result.embedder_sha256:
            left_out.append(f"{directory} holds no vectors: its run had no embedder")
        elif result.origin in results:
            left_out.append(f"{directory} is a copy of {results[result.origin].run.directory}")
        else:
            results[result.origin] = result
    found = list(results.values())
    wanted = _usual(found)
    for result in found:
        if result.embedder_sha256 != wanted:
            left_out.append(
                f"{result.run.directory} holds vectors of the embedder {result.embedder} ({result.embedder_sha256[:8]}), which "
                f"cannot be compared with those of {wanted[:8]}"
            )
    kept = [result for result in found if result.embedder_sha256 == wanted]
    if not kept:
        raise (MissingResultError if missing == len(left_out) else PublishError)("; ".join(left_out))
    for result in kept:
        if result.astray:
            vectors = count(result.astray, "vector")
            left_out.append(f"{vectors} of {result.run.directory}: its lines point to rows that do not exist")
    return Selection(kept, [f"left out: {sentence}" for sentence in left_out])


def _usual(results: Sequence[Result]) -> str:
    digests = [result.embedder_sha256 for result in results]
    return max(digests, key=digests.count, default="")


def find_track(words: str) -> StoredTrack | None:
    """Return the track that ``RESULT:stream/track`` names, or ``RESULT:track`` where one stream has it; None if the words are a
    path.

    Raises:
        PublishError: the result cannot be read.
        UsageError: it has no such track, or the words name a result but no track.
    """
    path = Path(words)
    if path.is_dir():
        raise UsageError(f"{words} is a folder: give a photograph, or a track of a result as {words}:stream/track")
    found = None if path.exists() else _named_track(words)
    if found is None:
        return None
    directory, stream, number = found
    result = read_result(Path(directory))
    of_number = [track for track in result.tracks if track.track_id == number]
    named = [track for track in of_number if stream in ("", track.stream)]
    if len(named) == 1:
        return named[0]
    if named:
        which = " or ".join(f"{directory}:{track.stream}/{number}" for track in named[:_MOST_NAMED])
        raise UsageError(f"{words} is a track of several streams: say which, as {which}")
    streams = sorted({track.stream for track in result.tracks})
    if stream and stream not in streams:
        raise UsageError(
            f"{directory} has no stream {stream!r} with faces: it has {', '.join(streams[:_MOST_NAMED]) or 'none'}"
        )
    ids = sorted({track.track_id for track in result.tracks if stream in ("", track.stream)})
    of_stream = f" of {stream}" if stream else ""
    raise UsageError(f"{directory} has no track {number}{of_stream}: {track_numbers(ids)}")


def _named_track(words: str) -> tuple[str, str, int] | None:
    """Return directory, stream (empty: any) and number; None if the words contain no track number.

    Raises:
        UsageError: they name a directory, but no track in it.
    """
    ends = [at for at, character in enumerate(words) if character in BEFORE_TRACK and at]
    if not ends:
        return None
    there = [at for at in ends if Path(words[:at]).is_dir()]
    runs = [at for at in there if Path(words[:at], "run.json").exists()]
    at = (runs or there or ends[-1:])[0]
    directory, place = words[:at], words[at + 1 :]
    stream, _, number = place.rpartition("/")
    if number.isdecimal() and (there or stream):
        return directory, stream, int(number)
    if there:
        raise UsageError(f"{words} names no track: write it as {directory}:stream/track, with the number of the track")
    return None


def vector_of(track: StoredTrack) -> NDArray[np.float32]:
    """Return the vector of a track.

    Raises:
        FacestreamError: it has none, or its vector has expired.
    """
    vector = track.vector
    if vector is None:
        raise FacestreamError(f"{track.where} has no vector: its run had no embedder, or the vector has expired")
    return vector
