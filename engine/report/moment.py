"""The moment of a track in its recording: played where a browser can, else a command that cuts it out."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any, Literal

from engine.archive.hiding import hides_faces
from engine.archive.reader import TrackRecord
from engine.contracts.recording import Recording
from engine.contracts.stored import is_stored
from engine.footage.playable import is_playable
from engine.footage.sameness import MOST_BYTES, Sameness, compared
from engine.report.figures import address
from engine.words.text import path_of
from engine.words.times import clock

Video = Literal["auto", "always", "never"]
_MOST_FOLDERS_UP = 2
_BEFORE_SECONDS = 1.0
_COMPARED: Mapping[Sameness, str] = {
    "same": "When this page was made, the recording had the SHA-256 of the one that was read.",
    "unchanged": "When this page was made, the recording had the size and the time of the one that was read.",
    "uncompared": "The run kept no SHA-256: nobody can say whether this is the recording that was read.",
}
_NOT_PLAYED: Mapping[Sameness, str] = {
    "other": "Not played: the recording has changed, it {why}.",
    "gone": "Not played: the recording {why}.",
    "uncompared": "Not played: the recording's time has changed since it was read, and its SHA-256 was not compared.",
}


class Moments:
    """Where the recordings of a run are, for a page.

    Args:
        directory: of the run.
        page: the file of the page.
        run: ``run.json``.
        video: ``auto``: recordings that a browser plays and that lie near the page, if no face is hidden; ``always``: wherever
            they lie; ``never``: none. One that has changed since it was read is not played: beside the boxes it would show
            something else. ``auto`` compares by size and time, and at most 1 GiB of recordings by their SHA-256; ``always``
            compares each to its end.
        several_streams: the run has several, each of which counts its tracks for itself.
    """

    def __init__(self, directory: Path, page: Path, run: Mapping[str, Any], video: Video, *, several_streams: bool) -> None:
        self._directory, self._folder = directory, page.absolute().parent
        self._inputs: Mapping[str, Mapping[str, Any]] = run.get("inputs") or {}
        self._video = "never" if video == "auto" and hides_faces(run) else video
        self._addresses: dict[str, tuple[str, str]] = {}
        self._bytes_left = MOST_BYTES
        self._several_streams = several_streams

    def link(self, record: TrackRecord) -> str:
        """Return how to come to a track's best moment; empty for a camera."""
        facts = self._inputs.get(record.stream)
        if facts is None:
            return ""
        first, last = record.span_seconds
        best = record.best.face.pts_seconds if record.best else first
        play = ""
        file, note = self._address(record.stream, facts)
        if file:
            start, end = max(0.0, first - _BEFORE_SECONDS), last + _BEFORE_SECONDS
            play = (
                f'<a class="play" href="{file}#t={start:.1f},{end:.1f}" data-at="{best:.2f}" title="{note}">'
                f"play {clock(best)[:8]}</a> "
            )
        elif note:
            play = f'<span class="unplayed">{note}</span> '
        command = f"facestream clip {shlex.quote(str(self._directory))} --track {record.track_id}"
        command += f" --stream={shlex.quote(record.stream)}" if self._several_streams else ""
        if is_stored(path := str(facts.get("path", ""))):
            command += f" --recording {shlex.quote('./' + path.rpartition('/')[2])}"
        return f'<p class="moment">{play}<code class="copy">{escape(command)}</code></p>'

    def _address(self, stream: str, facts: Mapping[str, Any]) -> tuple[str, str]:
        """Return where a recording is for the page, or nothing, and what is to be said of that."""
        if stream not in self._addresses:
            self._addresses[stream] = self._found(stream, facts)
        return self._addresses[stream]

    def _found(self, stream: str, facts: Mapping[str, Any]) -> tuple[str, str]:
        path = path_of(str(facts.get("path", "")))
        if is_stored(str(facts.get("path", ""))):
            return "", f"First copy {escape(str(facts['path']))} to where you give the command."
        if self._video == "never" or "pictures" in facts or not is_playable(path):
            return "", ""
        if self._video == "auto" and Path(os.path.relpath(path, self._folder)).parts.count("..") > _MOST_FOLDERS_UP:
            return "", ""
        state, why = compared(Recording(stream, path), facts, self._bytes_left if self._video == "auto" else None)
        if state in ("same", "other"):
            self._bytes_left -= facts.get("size_bytes", 0)
        if state in ("other", "gone") or (state == "uncompared" and self._video == "auto"):
            return "", _NOT_PLAYED[state].format(why=escape(why))
        return address(path, self._folder), _COMPARED[state]
