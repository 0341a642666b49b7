"""``rejected.jsonl``: tracks that the second look did not believe and that came near, with a picture each. They may be faces.

A line stands for one of them, in the form of its fellows of faces; its picture lies where that of a face would. Of one run only
the likeliest have a picture: where there are too many, that of the least likely one goes, which the chain is told before. Its
line stays. So the file grows with the logarithm of their number, and the pictures not at all.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import msgspec

from engine.archive.chain_writer import ChainWriter
from engine.archive.files import AppendedFiles, Stored, inside, track_folder, write_new
from engine.archive.lines import decoded, read_lines
from engine.archive.pictures import picture_name
from engine.archive.pieces import REJECTED
from engine.contracts.envelope import Payload
from engine.contracts.rejected import Rejected
from engine.private_file import make_private_folder

_LARGEST_BYTES = 16 << 20


class RejectedLine(Rejected, frozen=True, kw_only=True, array_like=False, tag_field="kind", tag="rejected"):
    """One line: the track, who wrote it, and where its picture is."""

    run_id: str
    seq: int
    """Number of the line in its run; no message has it."""
    sent_ns: int
    """When it was written (Unix, nanoseconds): nothing was sent."""
    files: dict[str, str] = {}
    """Part name to file, relative to the directory."""

    def picture(self, directory: Path) -> Path | None:
        """Return where its picture is; None where that has gone."""
        path = inside(directory, next(iter(self.files.values()), ""))
        return path if path is not None and path.is_file() else None


def rejected_lines(directory: Path) -> Iterator[RejectedLine]:
    """Yield the readable lines of ``rejected.jsonl``, in their order; none where there is no file.

    Raises:
        PublishError: the file cannot be read.
    """
    return read_lines(directory / REJECTED, RejectedLine)


def is_whole(directory: Path, line: bytes) -> bool:
    """Whether a line of ``rejected.jsonl`` can be read and its picture is there as it was written.

    Raises:
        OSError: the picture cannot be read.
    """
    found = decoded(line, RejectedLine)
    path = found.picture(directory) if found is not None else None
    if found is None or path is None:
        return False
    with path.open("rb") as file:
        return [hashlib.sha256(file.read(_LARGEST_BYTES)).hexdigest()] == [part.sha256 for part in found.parts]


class BestRejected:
    """Keeps the pictures of the likeliest, for one run.

    Args:
        directory: of the run; what an earlier attempt has left there counts.
        most: pictures.
        run_id: of the run.

    Raises:
        PublishError: ``rejected.jsonl`` cannot be read.
        OSError: nor can a folder of pictures.
    """

    def __init__(self, directory: Path, most: int, run_id: str) -> None:
        self._directory, self._most, self._run_id = directory, most, run_id
        self._lines = 0
        self._kept: dict[object, RejectedLine] = {}
        for line in rejected_lines(directory):
            self._lines += 1
            if line.picture(directory) is not None:
                self._kept[line.place] = line

    def take(
        self, track: Rejected, payloads: Sequence[Payload | Stored], files: AppendedFiles, chain: ChainWriter
    ) -> tuple[Path, int] | None:
        """Write one of them with its picture, if it is among the likeliest; return the folder of the picture and its bytes.

        One that is there already, found again by a worker whose predecessor died, is not written again.

        Raises:
            OSError: it cannot be written; what was there before stays.
        """
        if not self._most or track.place in self._kept or not self._is_likely(track.score):
            return None
        name = picture_name(self._lines, track.parts[0])
        folder = self._directory / track_folder(track.stream, track.track_id)
        make_private_folder(folder)
        size = write_new(folder / name, payloads[0])
        said = {name: getattr(track, name) for name in Rejected.__struct_fields__}
        shown = {track.parts[0].name: (folder / name).relative_to(self._directory).as_posix()}
        line = RejectedLine(run_id=self._run_id, seq=self._lines, sent_ns=time.time_ns(), files=shown, **said)
        files[REJECTED].append(msgspec.json.encode(line) + b"\n")
        self._lines += 1
        self._kept[track.place] = line
        while len(self._kept) > self._most:
            self._drop_least(chain)
        return folder, size

    def forget(self, folders: Collection[Path]) -> None:
        """Retention has deleted the pictures in these folders."""
        if folders:
            gone = {self._relative(folder) for folder in folders}
            self._kept = {place: line for place, line in self._kept.items() if _folder_of(line) not in gone}

    def _is_likely(self, score: float) -> bool:
        return len(self._kept) < self._most or score > min(line.score for line in self._kept.values())

    def _drop_least(self, chain: ChainWriter) -> None:
        place, line = min(self._kept.items(), key=lambda one: (one[1].score, -one[1].seq))
        chain.add("sealed", removed=[_folder_of(line)])
        path = line.picture(self._directory)
        if path is not None:
            path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # somebody has put something there
                path.parent.rmdir()
        del self._kept[place]

    def _relative(self, folder: Path) -> str:
        return folder.relative_to(self._directory).as_posix()


def _folder_of(line: RejectedLine) -> str:
    return track_folder(line.stream, line.track_id)
