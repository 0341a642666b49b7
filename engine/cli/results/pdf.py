"""``facestream report --pdf``: the exhibit."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Literal

from rich.console import Console

from engine.archive.reader import read_run
from engine.cli.output.json_lines import write_lines
from engine.cli.output.long_work import check_place, ends_cleanly
from engine.cli.output.outside_runs import check_outside_runs
from engine.cli.output.plain import plain
from engine.cli.output.saying import say
from engine.desk.confirmed import confirmations_of
from engine.errors import UsageError
from engine.report.pdf.document import Exhibit, Written, write_pdf
from engine.report.pdf.sentences import Confirmed
from engine.words.numbers import count
from engine.words.text import readable

_MOST_NOTES, _MOST_CASE, _MOST_NAME = 20_000, 60, 100


def write_document(
    directory: Path,
    out: Path | None,
    *,
    tracks: tuple[str, ...],
    stream: str,
    case: str,
    notes: str,
    examiner: str,
    paper: Literal["a4", "letter"],
    two_person: bool,
    overwrite: bool,
    as_json: bool,
    now: datetime,
) -> None:
    """Write the document and say what is in it.

    Raises:
        UsageError: an option cannot be carried out.
        PublishError: the directory holds no run, or the document cannot be written.
        MissingRuntimeError: what makes documents is not installed.
    """
    read_run(directory)
    path = out or directory.resolve().with_name(f"{directory.resolve().name}.pdf")
    _check(path, overwrite)
    case, examiner = _one_line("--case", case, _MOST_CASE), _one_line("--examiner", examiner, _MOST_NAME)
    confirmed = Confirmed(confirmations_of(directory), two_person)
    asked = Exhibit(_tracks(tracks, stream), case, notes_of(notes), examiner, paper, confirmed)
    console = Console(stderr=True)
    with ends_cleanly(), console.status("reading the run") as status:
        written = write_pdf(directory, path, asked, now, lambda words: status.update(plain(words)))
    if as_json:
        told = {"out": str(path), "pages": written.pages, "tracks": written.tracks, "left_out": written.left_out}
        write_lines([told | {"not_drawn": written.missing}])
        return
    for sentence in _sentences(written):
        say(sentence)


def notes_of(given: str) -> str:
    """Return the notes: what a file of this name holds, else the text itself.

    Raises:
        UsageError: the file cannot be read as text, or is too long for a first page.
    """
    text, path = given, Path(given)
    try:
        if given and len(given) < 1000 and "\n" not in given and path.is_file():
            text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"the notes {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"the notes {path} are not text in UTF-8: save them as plain text") from error
    if len(text) > _MOST_NOTES:
        raise UsageError(f"notes of {len(text):,} characters are too long: a document takes {_MOST_NOTES:,}")
    return readable(text.replace("\r\n", "\n").strip())


def _tracks(words: tuple[str, ...], stream: str) -> tuple[tuple[str, int], ...]:
    """Return stream and number of each track; the stream is empty where it was not said."""
    if stream and not words:
        raise UsageError("--stream says whose --track is: add --track")
    keys = []
    for word in words:
        whose, slash, number = word.rpartition("/")
        if bool(whose) != bool(slash) or not re.fullmatch("[0-9]{1,18}", number):
            raise UsageError(f"{word!r} is not a track: give its number, such as 3, or with its stream, such as door/3")
        keys.append((whose or stream, int(number)))
    return tuple(keys)


def _one_line(option: str, text: str, most: int) -> str:
    line = readable(" ".join(text.split()))
    if len(line) > most:
        raise UsageError(f"{option} of {len(line):,} characters is too long: give at most {most}, and the rest as --notes")
    return line


def _check(path: Path, overwrite: bool) -> None:
    if path.suffix.lower() != ".pdf":
        raise UsageError(f"{path} needs the ending .pdf")
    check_outside_runs(path)
    check_place(path, overwrite=overwrite)


def _sentences(written: Written) -> list[str]:
    tracks = count(written.tracks, "track")
    told = [f"document: {written.path}, {count(written.pages, 'page')}, {tracks}"]
    if written.left_out:
        told.append(f"left out: {count(written.left_out, 'track')}, named on the first page")
    if written.missing:
        codes = ", ".join(f"U+{ord(character):04X}" for character in written.missing[:10])
        told.append(
            f"warning: no font here draws {codes}{' and others' if len(written.missing) > 10 else ''}: they stand as codes; "
            "install a font for them (for Chinese, Japanese and Korean: fonts-noto-cjk) and make the document again"
        )
    return told
