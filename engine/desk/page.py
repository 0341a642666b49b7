"""Self-contained pages: hits of a search, two faces side by side, people."""

from __future__ import annotations

import importlib.resources
import string
from collections.abc import Iterable
from html import escape
from pathlib import Path

import msgspec

from engine.desk.likeness import Worth
from engine.desk.photograph import Photographed
from engine.desk.selection import vector_of
from engine.desk.stored import StoredFace, StoredTrack
from engine.errors import FacestreamError
from engine.report.figures import MARK, embedded, figure, read
from engine.report.style import style_of
from engine.whole_file import write_pieces
from engine.words.text import readable
from engine.words.worth import bounded

Picture = tuple[str, bytes]
FOOT = (
    "A likelihood ratio compares two explanations: it is the person, or it is somebody else. How probable it is that it is the "
    "person also depends on what else is known. Relatives and twins were not measured: for them the ratio is too high. "
    "Decisions rest on the original pictures; enhanced ones hold detail that a network has inferred, and are not for "
    "identification."
)


def write_page(path: Path, title: str, subtitle: str, notices: Iterable[str], body: Iterable[str], foot: str = FOOT) -> None:
    """Write a page, whole or not at all.

    Args:
        path: file to write.
        title: plain text, like all the rest but the body.
        subtitle: the line below it.
        notices: sentences that must be seen first.
        body: pieces of HTML.
        foot: what applies to the whole page.

    Raises:
        FacestreamError: it cannot be written.
    """
    template = importlib.resources.files("engine.desk").joinpath("page.html").read_text(encoding="utf-8")
    head, _, tail = template.partition("$body")
    fields = {
        "title": escape(readable(title)),
        "subtitle": escape(readable(subtitle)),
        "notices": "".join(f'<p class="notice">{escape(readable(one))}</p>' for one in notices),
        "foot": escape(foot),
        "style": style_of("engine.desk"),
    }

    def pieces() -> Iterable[bytes]:
        yield string.Template(head).substitute(fields).encode()
        for piece in body:
            yield piece.encode()
        yield string.Template(tail).substitute(fields).encode()

    try:
        write_pieces(path, pieces())
    except OSError as error:
        raise FacestreamError(f"cannot write the page {path}: {error.strerror}") from error


def track_pictures(track: StoredTrack, face: StoredFace | None = None) -> list[tuple[str, str, Picture]]:
    """Return (caption, kind, picture) for the original and the enhanced picture of a face, by default the track's best. Kind is
    ``original`` or ``enhanced``. A picture made of many frames, if there is one, replaces the enhanced one.
    """
    one = face or next(iter(track.faces), None)
    directory = track.result.run.directory
    found = []
    if one is not None and (picture := read(directory, one.files.get("original"))):
        found.append((f"original, {one.quality.size_px:.0f} px", "original", picture))
    if face is None and track.line is not None and (picture := read(directory, track.line.files.get("track"))):
        found.append(("made of many frames", "enhanced", picture))
    elif one is not None and (picture := read(directory, one.files.get("enhanced"))):
        found.append(("enhanced", "enhanced", picture))
    return found


def picture_of(track: StoredTrack) -> Photographed:
    """Return a track as what is searched for: its vector, and its best face.

    Raises:
        FacestreamError: it has no vector or no face, or they have expired.
    """
    vector, best = vector_of(track), next(iter(track.faces), None)
    if best is None:
        raise FacestreamError(f"{track.where} has no face any more")
    kept = read(track.result.run.directory, best.files.get("original"))
    quality = msgspec.structs.replace(best.quality, size_px=track.size_px)
    label = f"{track.result.label}:{track.stream}/{track.track_id}"
    media_type, picture = kept or ("", b"")
    return Photographed(label, vector, quality, picture, [], media_type=media_type)


def figures(pictures: Iterable[tuple[str, str, Picture]]) -> str:
    """Return pictures as HTML, with a mark on those that a model made."""
    return "".join(
        figure(
            embedded(picture, caption),
            "enhanced" if kind == "enhanced" else "pixels",
            caption,
            MARK if kind == "enhanced" else "",
        )
        for caption, kind, picture in pictures
    )


def details(pairs: Iterable[tuple[str, str]]) -> str:
    """Return names and values as HTML."""
    return "<dl>" + "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in pairs) + "</dl>"


def ratio_words(worth: Worth | None) -> str:
    """Return a likelihood ratio in words, such as ``1,200`` or ``70,000 or more``."""
    return "not calibrated" if worth is None else bounded(worth.log10_lr, worth.bounds)


def chance_words(by_chance: float | None) -> str:
    """Return how many strangers look as much alike, such as ``at most 3`` or ``fewer than 0.001``; empty if unknown."""
    if by_chance is None:
        return ""
    if by_chance < 0.001:
        return "fewer than 0.001"
    return f"at most {by_chance:.1g}" if by_chance < 1 else f"at most {by_chance:,.0f}"
