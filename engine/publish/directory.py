"""The output directory: pictures, ``faces.jsonl``, ``tracks.jsonl``, ``stream.jsonl`` and ``run.json``.

    run.json                                 what was run: written at the start (outcome "running"), again at the end
    faces.jsonl tracks.jsonl stream.jsonl    one message a line: its header as JSON, and the files that hold its payloads
    faces/<stream>/<track>/<seq>_original.jpg, <seq>_enhanced.jpg    as sent, so their SHA-256 is the one in the header
    embeddings_<length>.f32                  little-endian float32, one row an embedding

A line is written after the files that it names, in one piece, and is at once in the hands of the system: a run that is killed
loses the line that it was writing. All embeddings: ``np.fromfile("embeddings_128.f32", "<f4").reshape(-1, 128)``; a line's
``"embedding": {"file": ..., "row": ...}`` says which row is its own.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from engine.config import OutputConfig
from engine.contracts.messages import AnyMessage, Face, Track, kind_of
from engine.errors import PublishError
from engine.publish.files import Appended, write_new, write_whole

_SUFFIX = {"jpeg": ".jpg", "png": ".png", "raw": ".raw"}
_LINES = {"face": "faces.jsonl", "track": "tracks.jsonl", "stream": "stream.jsonl"}
_OWN = ("run.json", "report.html", "faces", *_LINES.values())
_CREDENTIALS = re.compile(r"(?<=://)[^/\s\"]*@")


class DirectorySink:
    """Writes one run. For one thread."""

    def __init__(self, config: OutputConfig, run: dict[str, Any], *, overwrite: bool = False) -> None:
        """Make the directory and write ``run.json``.

        Args:
            config: where.
            run: what is known at the start, as ``run_id``, ``config``, ``models``, ``versions``;
                credentials in URLs are cut out.
            overwrite: remove what an earlier run left there; else a directory that holds a run is refused.

        Raises:
            PublishError: the directory holds a run, or cannot be written.
        """
        self.directory = Path(config.directory)
        self._run = {"started_ns": time.time_ns()} | run | {"outcome": "running"}
        self._files: dict[str, Appended] = {}
        self._folders: set[Path] = set()
        with _one_sentence(self.directory):
            self._claim(overwrite)
            write_whole(self.directory / "run.json", _as_json(self._run))
            for name in _LINES.values():
                self._appended(name)

    def write(self, message: AnyMessage, payloads: Sequence[bytes]) -> None:
        """Write a message as it was sent; ``stats`` and ``end`` leave no line (their totals are in ``run.json``).

        Raises:
            PublishError: the directory cannot be written, or the disk is full; what was written before stays valid.
        """
        lines = _LINES.get(kind_of(message))
        if lines is None:
            return
        with _one_sentence(self.directory):
            extra: dict[str, Any] = {}
            if isinstance(message, Face | Track):
                extra = self._write_parts(message, payloads)
            header = msgspec.json.encode(message)
            self._appended(lines).append(
                header[:-1] + b"," + msgspec.json.encode(extra)[1:-1] + b"}\n" if extra else header + b"\n"
            )

    def close(self, outcome: str, facts: dict[str, Any] | None = None) -> None:
        """Close the files and write the final ``run.json``.

        Args:
            outcome: ``completed``, ``drained`` or ``failed``.
            facts: what is known only at the end, as counters and the SHA-256 of the inputs.

        Raises:
            PublishError: the directory cannot be written, or the disk is full.
        """
        for file in self._files.values():
            file.close()
        self._files.clear()
        self._run |= (facts or {}) | {"outcome": outcome, "ended_ns": time.time_ns()}
        with _one_sentence(self.directory):
            write_whole(self.directory / "run.json", _as_json(self._run))

    def _claim(self, overwrite: bool) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        held = [self.directory / name for name in _OWN if (self.directory / name).exists()]
        held += self.directory.glob("embeddings_*.f32")
        if held and not overwrite:
            raise PublishError(
                f"{self.directory} already holds a run ({held[0].name}): choose another one, or replace it with --overwrite"
            )
        for path in held:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()

    def _write_parts(self, message: Face | Track, payloads: Sequence[bytes]) -> dict[str, Any]:
        """Write the payloads; return ``files`` and ``embedding`` for the line."""
        extra: dict[str, Any] = {}
        for part, payload in zip(message.parts, payloads, strict=True):
            if part.name == "embedding":
                name = f"embeddings_{part.shape[0]}.f32"
                offset = self._appended(name).append(payload)
                extra["embedding"] = {"file": name, "row": offset // len(payload)}
            else:
                name = f"faces/{_folder(message.stream)}/{message.track_id}/{message.seq:06d}_{part.name}{_SUFFIX[part.codec]}"
                self._make_folder((self.directory / name).parent)
                write_new(self.directory / name, payload)
                extra.setdefault("files", {})[part.name] = name
        return extra

    def _make_folder(self, folder: Path) -> None:
        if folder not in self._folders:
            folder.mkdir(parents=True, exist_ok=True)
            self._folders.add(folder)

    def _appended(self, name: str) -> Appended:
        if name not in self._files:
            self._files[name] = Appended(self.directory / name)
        return self._files[name]


def _folder(stream: str) -> str:
    """A stream may be called ``..``, its folder may not."""
    return stream if stream.strip(".") else "_" + stream


def _as_json(run: dict[str, Any]) -> bytes:
    text = _CREDENTIALS.sub("", msgspec.json.encode(run, enc_hook=str).decode())
    return msgspec.json.format(text, indent=2).encode() + b"\n"


@contextlib.contextmanager
def _one_sentence(directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PublishError(f"cannot write to the output directory {directory}: {error.strerror}") from error
