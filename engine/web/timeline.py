"""Tracks of the last days, from the run directories: which may be written just now, damaged, or emptied at their beginning."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from engine.archive.backwards import lines_backwards
from engine.archive.expiry import first_line_since
from engine.archive.lines import decoded
from engine.archive.pictures import read_picture, stored_picture
from engine.contracts.messages import PictureName, Track, check_stream_name, is_run_id
from engine.errors import ConfigError
from engine.web.paths import face_picture
from engine.web.pictures import Picture
from engine.web.problems import Refusal
from engine.web.run_index import RunIndex
from engine.web.track_values import Page, Query, TrackItem

_MOST_RUNS = 64
"""Whose index is kept; of older ones it is made again when somebody looks so far back."""
_PAGE_BYTES, _RUN_COST = 32 << 20, 1 << 16
"""So much is read for one page at most; a page without tracks then says where to go on."""
_LOOK_BYTES = 512 << 20
OF_A_FACE: tuple[PictureName, ...] = ("original", "enhanced")
OF_A_TRACK: tuple[PictureName, ...] = ("track", "agreement")


class Timeline:
    """Reads what runs have written; for one thread at a time.

    Args:
        runs: the folder with one directory a run, whose names are in the order of their beginnings; it need not exist.
    """

    def __init__(self, runs: Path) -> None:
        self.runs = runs
        self._indices: OrderedDict[str, RunIndex] = OrderedDict()

    def page(self, query: Query) -> Page:
        """Return the tracks that fit, the newest first.

        Raises:
            Refusal: the cursor is none.
        """
        begin_run, begin_at = _read_cursor(query.cursor)
        page, budget = Page([]), _PAGE_BYTES
        for run in self.run_names():
            if begin_run and run > begin_run:
                continue
            budget -= _RUN_COST
            end = begin_at if run == begin_run else None
            try:
                for offset, line in self._newest_lines(run, query, end):
                    budget -= len(line)
                    if len(page.tracks) >= query.limit or budget < 0:
                        page.cursor = f"{run}:{offset + len(line)}"
                        return page
                    track = decoded(line, Track)
                    if track is not None and track.sent_ns < query.since_ns:
                        return page
                    if track is None or not self._fits(run, track, offset, query):
                        continue
                    page.tracks.append(self.item(run, track))
            except OSError:
                continue  # the run was removed meanwhile, or cannot be read: the others can
            if budget < 0:
                page.cursor = f"{run}:0"
                return page
        return page

    def find(self, run: str, stream: str, track_id: int) -> Track:
        """Return the newest line of a track.

        Raises:
            Refusal: there is none.
        """
        gone = Refusal("not_found", f"track {track_id} of {stream} is not kept in run {run}")
        path = self.directory(run) / "tracks.jsonl"
        budget, wanted = _LOOK_BYTES, b'"track_id":%d,' % track_id
        try:
            index = self._index(run)
            if (open_at := index.place_of((stream, track_id))) is not None:
                found = decoded(next(lines_backwards(path, _end_of_line(path, open_at)))[1], Track)
                if found is not None and (found.stream, found.track_id) == (stream, track_id):
                    return found
            for _, line in lines_backwards(path):
                budget -= len(line)
                if budget < 0:
                    break
                if wanted in line and (found := decoded(line, Track)) and (found.stream, found.track_id) == (stream, track_id):
                    return found
        except OSError as error:
            raise gone from error
        raise gone

    def item(self, run: str, track: Track) -> TrackItem:
        """Return a track as a list shows it."""
        took_ns = max(0, int((track.last_pts_seconds - track.first_pts_seconds) * 1e9))
        recorded = None
        if track.first_recorded_ns is not None and track.last_recorded_ns is not None:
            recorded = (track.first_recorded_ns, track.last_recorded_ns)
        best = None
        if track.best_face_seq is not None:
            best = {
                "seq": track.best_face_seq,
                "pictures": self.pictures(run, track.stream, track.track_id, track.best_face_seq),
            }
        return TrackItem(
            run_id=run, stream=track.stream, track_id=track.track_id, first_ns=track.sent_ns - took_ns, last_ns=track.sent_ns,
            ended=track.ended, decision=track.decision, candidates=track.candidates, faces=track.faces_enhanced,
            frames_seen=track.frames_seen, recorded_ns=recorded, basis=track.basis, best=best,
            picture=self._picture(run, track),
        )  # fmt: skip

    def _picture(self, run: str, track: Track) -> dict[str, Any] | None:
        shown = track if track.picture else self._before(run, track)
        if shown is None or shown.picture is None:
            return None
        pictures = self.pictures(run, shown.stream, shown.track_id, shown.seq, OF_A_TRACK)
        return msgspec.to_builtins(shown.picture) | {"pictures": pictures} if pictures else None

    def _before(self, run: str, track: Track) -> Track | None:
        """Return the earlier line of a track whose picture stands for its newest one."""
        key, path = (track.stream, track.track_id), self.runs / run / "tracks.jsonl"
        try:
            if (at := self._index(run).picture_of(key)) is None:
                return None
            found = decoded(next(lines_backwards(path, _end_of_line(path, at)))[1], Track)
        except (OSError, StopIteration):  # removed, or emptied at its beginning, meanwhile
            return None
        return found if found is not None and (found.stream, found.track_id) == key else None

    def pictures(
        self, run: str, stream: str, track_id: int, seq: int, names: Sequence[PictureName] = OF_A_FACE
    ) -> dict[str, str]:
        """Return the addresses of those pictures of a message that are kept."""
        directory = self.runs / run
        return {
            name: face_picture(run, stream, track_id, seq, name)[1]
            for name in names
            if stored_picture(directory, stream, track_id, seq, name) is not None
        }

    def picture(self, run: str, stream: str, track_id: int, seq: int, name: PictureName) -> Picture:
        """Return a picture of a face or a track.

        Raises:
            Refusal: it is not kept.
        """
        path = stored_picture(self.directory(run), checked_stream(stream), track_id, seq, name)
        found = read_picture(path) if path else None
        if found is None:
            raise Refusal("not_found", "this picture is not kept any more")
        return Picture(*found)

    def directory(self, run: str) -> Path:
        """Return the directory of a run.

        Raises:
            Refusal: its name is none, or it is not there.
        """
        path = self.runs / run
        if not is_run_id(run) or path.is_symlink() or not path.is_dir():
            raise Refusal("not_found", "there is no such run", "run_id")
        return path

    def run_names(self) -> list[str]:
        """Return the names of all runs, the newest first."""
        try:
            return sorted((path.name for path in self.runs.iterdir() if is_run_id(path.name)), reverse=True)
        except OSError:
            return []

    def _newest_lines(self, run: str, query: Query, end: int | None) -> Iterator[tuple[int, bytes]]:
        path = self.runs / run / "tracks.jsonl"
        if end is None and query.until_ns:
            end = first_line_since(path, query.until_ns + 1)
        if end != 0:
            known = self._index(run).read_to  # of what came since nobody knows yet whether it is the last of its track
            yield from lines_backwards(path, known if end is None else min(end, known))

    def _fits(self, run: str, track: Track, offset: int, query: Query) -> bool:
        if query.stream and track.stream != query.stream:
            return False
        if query.decision and track.decision != query.decision:
            return False
        if query.person and not (
            track.decision == "known" and track.candidates[:1] and track.candidates[0].identity == query.person
        ):
            return False
        return self._indices[run].is_last((track.stream, track.track_id), track.ended, offset)

    def _index(self, run: str) -> RunIndex:
        index = self._indices.setdefault(run, RunIndex(self.runs / run / "tracks.jsonl"))
        self._indices.move_to_end(run)
        while len(self._indices) > _MOST_RUNS:
            self._indices.popitem(last=False)
        index.update()
        return index


def checked_stream(name: str) -> str:
    """Return the name of a stream.

    Raises:
        Refusal: it is none.
    """
    try:
        return check_stream_name(name)
    except ConfigError as error:
        raise Refusal("not_found", "there is no such stream", "stream") from error


def _read_cursor(cursor: str) -> tuple[str, int]:
    if not cursor:
        return "", 0
    run, _, at = cursor.rpartition(":")
    if not is_run_id(run) or not at.isascii() or not at.isdigit() or len(at) > 18:
        raise Refusal("bad_request", "cursor: give the cursor of the previous page", "cursor")
    return run, int(at)


def _end_of_line(path: Path, offset: int) -> int:
    with path.open("rb") as file:
        file.seek(offset)
        return offset + len(file.readline())
