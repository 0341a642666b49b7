"""The output directory: pictures, ``faces.jsonl``, ``tracks.jsonl``, ``stream.jsonl``, ``progress.jsonl`` and ``run.json``.

    run.json                                 what was run: written at the start (outcome "running"), again at the end
    faces.jsonl tracks.jsonl stream.jsonl    one message a line: its header as JSON, and the files that hold its payloads
    faces/<stream>/<track>/<seq>_original.jpg, <seq>_enhanced.jpg    as sent, so their SHA-256 is the one in the header; of a
                             track's best face so far <seq>_scene.jpg, of the track itself <seq>_track.jpg, <seq>_agreement.jpg
    embeddings_<length>.f32                  little-endian float32, one row an embedding
    progress.jsonl                           what the run vouches for, see ``checkpoints.py``; only where recordings are read
    rejected.jsonl                           tracks that were not believed, see ``rejected.py``; only where there are any
    chain.jsonl                              the hashes of all this, in a chain, see ``chain.py``

A line is written after the files that it names, in a single write to the operating system: a killed run loses only the line
that it was writing. All embeddings: ``np.fromfile("embeddings_128.f32", "<f4").reshape(-1, 128)``; a line's ``"embedding":
{"file": ..., "row": ...}`` says which row is its own. After ``--resume`` there may be rows, and numbers of messages, that no
line names: those of faces that were cut off and found again.

Over cameras, lines and vectors that are too old or too many are emptied (``expiry.py``); the file then begins with zeros.

To survive a power cut, lines and rows are flushed to the disk before the checkpoint that vouches for them, at most every
``SYNC_SECONDS``. Pictures are not: resuming compares each with its SHA-256, and goes back to an earlier checkpoint if one
differs. ``run.json`` lists every attempt of a resumed run; each has its own ``run_id``.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from engine import __version__
from engine.archive.chain import Keep, Kind
from engine.archive.chain_writer import ChainWriter, keep_of
from engine.archive.checkpoint_writer import CheckpointWriter
from engine.archive.claim import LINES, check_free, held_by_a_run, lock_for_run
from engine.archive.files import AppendedFiles, Stored, track_folder, write_new
from engine.archive.pictures import picture_name
from engine.archive.record import as_json
from engine.archive.rejected import BestRejected
from engine.archive.resume import Resume
from engine.archive.rewind import rewind
from engine.archive.run_retention import RunRetention
from engine.archive.same_job import check_same_models
from engine.archive.vector_files import vectors_name
from engine.config import OutputConfig
from engine.contracts.envelope import Payload
from engine.contracts.messages import AnyMessage, Face, Stream, Track, kind_of
from engine.contracts.rejected import Rejected
from engine.errors import OutputError
from engine.keys.signing import signing_key
from engine.private_file import make_private_folder
from engine.whole_file import sync_directory, write_whole

_MOST_FOLDERS = 4096
"""Folders that are remembered as made."""
_OF_AN_ATTEMPT = ("run_id", "started", "started_ns", "ended_ns", "outcome", "counters", "streams", "kept", "first_track_id")


class DirectorySink:
    """Writes one run, or one attempt of it. For one thread; while it is open, no other process gets in."""

    def __init__(
        self,
        config: OutputConfig,
        run: dict[str, Any],
        *,
        overwrite: bool = False,
        resume: Resume | None = None,
        expires: bool = False,
    ) -> None:
        """Make the directory and write ``run.json``, or cut an earlier attempt back and go on with it.

        Args:
            config: where, and what key signs the chain.
            run: what is known at the start, as ``run_id``, ``config``, ``models``, ``versions``; credentials in URLs are cut
                out. ``inputs`` as of ``describe_inputs``: only these streams can be resumed. ``workers``: compared with those
                of the earlier attempt.
            overwrite: remove what an earlier run left there; else a directory that holds a run is refused.
            resume: of ``plan_resume`` or ``reopen`` for this directory.
            expires: pictures, lines and vectors go when they are too old or too many, as ``config`` says: for cameras, as a run
                over recordings is resumed from them.

        Raises:
            PublishError: another process writes there, it has changed since ``resume`` was made, or it cannot be written.
            ConfigError: the directory holds a run, the earlier attempt had other models, or the key cannot be read, or is
                missing where it has signed.
            MissingRuntimeError: a key is given, and what signs is not installed.
        """
        key = signing_key(Path(config.sign).expanduser()) if config.sign else None
        self.directory = Path(config.directory)
        self._files = AppendedFiles(self.directory)
        self._folders: set[Path] = set()
        with _one_sentence(self.directory), contextlib.ExitStack() as undo:
            make_private_folder(self.directory)
            self._lock = lock_for_run(self.directory, follows=overwrite or resume is not None)
            undo.callback(self._lock.close)
            undo.callback(self._files.close)
            if resume is None:
                self._claim(overwrite)
            else:
                check_same_models(self.directory, resume.workers, run.get("workers") or {})
            self._chain = ChainWriter(self.directory, key)
            undo.callback(self._chain.close)
            if resume is not None:
                rewind(self.directory, resume, self._chain)
                if expires:  # it would keep the pictures that go; the next one is made at the end
                    (self.directory / "report.html").unlink(missing_ok=True)
            self._files.note = self._chain.note
            self._begin(run, resume or Resume(), keep_of(config) if expires else None)
            self._going = RunRetention(config, self.directory, self._chain) if expires else None
            self._rejected = BestRejected(self.directory, config.rejected_pictures, str(run.get("run_id", "")))
            undo.pop_all()

    def write(self, message: AnyMessage, payloads: Sequence[Payload | Stored]) -> None:
        """Write a message as it was sent; ``stats`` and ``end`` leave no line (their totals are in ``run.json``).

        Raises:
            OutputError: the directory cannot be written, or the disk is full; what was written before stays valid.
        """
        lines = LINES.get(kind_of(message))
        with _one_sentence(self.directory):
            if lines is None:
                return self._chain.look()
            extra: dict[str, Any] = {}
            if isinstance(message, Face | Track):
                extra = self._write_parts(message, payloads)
            header = msgspec.json.encode(message)
            self._files[lines].append(
                header[:-1] + b"," + msgspec.json.encode(extra)[1:-1] + b"}\n" if extra else header + b"\n"
            )
            if isinstance(message, Face | Track | Stream):
                self._checkpoints.written(message)
            self._look(self._folder(message) if isinstance(message, Track) and message.ended else None)

    def write_rejected(self, track: Rejected, payloads: Sequence[Payload | Stored]) -> None:
        """Keep a track that was rejected, if it is among the likeliest, see ``BestRejected``; raises as ``write``."""
        with _one_sentence(self.directory):
            written = self._rejected.take(track, payloads, self._files, self._chain)
            if written is not None and self._going is not None:
                self._going.wrote(*written)
            self._look(written[0] if written is not None else None)

    def record_input(self, stream: str, path: str, size_bytes: int, sha256: str, mtime_ns: int) -> None:
        """Note what a recording was when it was read; call it before its end.

        Raises:
            PublishError: it is not what the earlier attempt read, or the directory cannot be written.
        """
        with _one_sentence(self.directory):
            self._checkpoints.record_input(stream, path, size_bytes, sha256, mtime_ns)

    def checkpoint(self, stream: str, frame_index: int, next_track_id: int, rejected: int = 0) -> None:
        """Note that a run that is cut can go on after this frame.

        Everything of the recording up to the frame must have been written. The note itself may be held back for
        ``checkpoint_writer.SYNC_SECONDS``, and a later one takes its place then.

        Args:
            stream: a recording.
            frame_index: no track is open after this frame.
            next_track_id: the recording's tracks up to this frame have smaller ids, those after it have not.
            rejected: tracks up to this frame that were of no face.

        Raises:
            OutputError: the directory cannot be written, or the disk is full; earlier checkpoints stay valid.
        """
        with _one_sentence(self.directory):
            self._checkpoints.checkpoint(stream, frame_index, next_track_id, rejected)

    def stop_vouching(self) -> None:
        """Something was lost on its way here, as when a worker died: later checkpoints and ends of recordings do not count.

        Call it before the first of them that the loss may have let through. What was vouched for before stays true.
        """
        self._checkpoints.stop_vouching()

    def note_loss(self) -> None:
        """A message, or what vouches for messages, could not be written: only what was vouched for before stays true."""
        self._checkpoints.stop_vouching()
        self._checkpoints.drop_held()

    def close(self, outcome: str, facts: dict[str, Any] | None = None) -> None:
        """Close the files and write the final ``run.json``.

        Args:
            outcome: ``completed``, ``drained`` or ``failed``.
            facts: what is known only at the end, as counters and the SHA-256 of the inputs.

        Raises:
            OutputError: the directory cannot be written, or the disk is full.
        """
        facts = dict(facts or {})
        with _one_sentence(self.directory):
            try:
                self._checkpoints.sync()
                inputs = self._checkpoints.inputs
                for stream, found in (facts.pop("inputs", None) or {}).items():
                    inputs[stream] = inputs.get(stream, {}) | found
                self._run |= facts | {"outcome": outcome, "ended_ns": time.time_ns()} | ({"inputs": inputs} if inputs else {})
                self._write_run("ended", outcome=outcome)
                self._chain.sync()
            finally:
                self._close_files()

    @property
    def counters(self) -> dict[str, int]:
        """What went, see ``RunRetention.counters``."""
        return {} if self._going is None else self._going.counters

    def _look(self, ended: Path | None) -> None:
        """Seal what was written, and let retention work; ``ended``: folder of a track of which no more comes."""
        self._chain.look()
        if self._going is not None:
            gone = self._going.look(ended)
            self._folders.difference_update(gone)
            self._rejected.forget(gone)

    def _folder(self, message: Face | Track) -> Path:
        return self.directory / track_folder(message.stream, message.track_id)

    def _begin(self, run: dict[str, Any], resume: Resume, keep: Keep | None) -> None:
        """Write ``run.json``, and open the files where they end."""
        going_on = resume.append and resume.attempts and resume.attempts[-1].get("run_id") == run.get("run_id")
        self._earlier = resume.attempts[:-1] if going_on else resume.attempts
        if going_on:
            kept = {
                key: resume.attempts[-1][key] for key in ("started_ns", "kept", "first_track_id") if key in resume.attempts[-1]
            }
        else:
            faces, tracks = resume.kept
            kept = {"started_ns": time.time_ns()}
            kept |= (
                {"kept": {"faces": faces, "tracks": tracks}, "first_track_id": resume.first_track_id} if self._earlier else {}
            )
        self._run = kept | run | {"outcome": "running"}
        self._checkpoints = CheckpointWriter(self._files, resume, self._run.pop("inputs", None) or {})
        if self._checkpoints.inputs:
            self._run["inputs"] = self._checkpoints.inputs
        self._write_run("begun", keep=keep, version=__version__, run_id=str(run.get("run_id", "")))
        for name in LINES.values():
            self._files[name]
        sync_directory(self.directory)

    def _write_run(self, kind: Kind, **facts: Any) -> None:
        """Write ``run.json``, and before it the block that vouches for it: of the two a kill leaves the first."""
        this = {key: self._run[key] for key in _OF_AN_ATTEMPT if key in self._run}
        text = as_json(self._run | {"attempts": [*self._earlier, this]})
        self._chain.add(kind, run=hashlib.sha256(text).hexdigest(), **facts)
        write_whole(self.directory / "run.json", text)

    def _claim(self, overwrite: bool) -> None:
        if not overwrite:
            check_free(self.directory)
        for path in held_by_a_run(self.directory):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()

    def _write_parts(self, message: Face | Track, payloads: Sequence[Payload | Stored]) -> dict[str, Any]:
        """Write the payloads; return ``files`` and ``embedding`` for the line."""
        extra: dict[str, Any] = {}
        for part, payload in zip(message.parts, payloads, strict=True):
            if part.name == "embedding" and not isinstance(payload, Stored) and part.is_vector(len(payload)):
                name = vectors_name(part.shape[0])
                offset = self._files[name].append(payload)
                extra["embedding"] = {"file": name, "row": offset // len(payload)}
            else:
                folder = self._folder(message)
                path = folder / picture_name(message.seq, part)
                self._make_folder(folder)
                size = write_new(path, payload)
                extra.setdefault("files", {})[part.name] = path.relative_to(self.directory).as_posix()
                if self._going is not None:
                    self._going.wrote(folder, size)
        return extra

    def _make_folder(self, folder: Path) -> None:
        if folder not in self._folders:
            if len(self._folders) >= _MOST_FOLDERS:
                self._folders.clear()
            make_private_folder(folder)
            self._folders.add(folder)

    def _close_files(self) -> None:
        for part in (self._files, self._chain, self._lock):
            part.close()


@contextlib.contextmanager
def _one_sentence(directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"cannot write to the output directory {directory}: {error.strerror}") from error
