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
from engine.footage.playable import is_playable
from engine.report.clocks import clock
from engine.report.figures import address

Video = Literal["auto", "always", "never"]
_MOST_FOLDERS_UP = 2
_BEFORE_SECONDS = 1.0


class Moments:
    """Where the recordings of a run are, for a page.

    Args:
        directory: of the run.
        page: the file of the page.
        run: ``run.json``.
        video: ``auto``: recordings that a browser plays and that lie near the page, if no face is hidden; ``always``: wherever
            they lie; ``never``: none.
        several_streams: the run has several, each of which counts its tracks for itself.
    """

    def __init__(self, directory: Path, page: Path, run: Mapping[str, Any], video: Video, *, several_streams: bool) -> None:
        self._directory, self._folder = directory, page.absolute().parent
        self._inputs: Mapping[str, Mapping[str, Any]] = run.get("inputs") or {}
        self._video = "never" if video == "auto" and hides_faces(run) else video
        self._addresses: dict[str, str] = {}
        self._several_streams = several_streams

    def link(self, record: TrackRecord) -> str:
        """Return how to come to a track's best moment; empty for a camera."""
        facts = self._inputs.get(record.stream)
        if facts is None:
            return ""
        first, last = record.span_seconds
        best = record.best.face.pts_seconds if record.best else first
        play = ""
        if file := self._address(record.stream, facts):
            start, end = max(0.0, first - _BEFORE_SECONDS), last + _BEFORE_SECONDS
            play = f'<a class="play" href="{file}#t={start:.1f},{end:.1f}" data-at="{best:.2f}">play {clock(best)[:8]}</a> '
        command = f"facestream clip {shlex.quote(str(self._directory))} --track {record.track_id}"
        command += f" --stream={shlex.quote(record.stream)}" if self._several_streams else ""
        return f'<p class="moment">{play}<code class="copy">{escape(command)}</code></p>'

    def _address(self, stream: str, facts: Mapping[str, Any]) -> str:
        if stream not in self._addresses:
            self._addresses[stream] = self._found(facts)
        return self._addresses[stream]

    def _found(self, facts: Mapping[str, Any]) -> str:
        path = Path(str(facts.get("path", "")))
        if self._video == "never" or "pictures" in facts or not is_playable(path):
            return ""
        if self._video == "auto" and Path(os.path.relpath(path, self._folder)).parts.count("..") > _MOST_FOLDERS_UP:
            return ""
        return address(path, self._folder)
