"""Fonts for any name: FiraGO (Latin, Greek, Cyrillic, Arabic, Hebrew, Thai and others), then what the system has.

Whatever no font draws is written as its code, as ``[U+7530]``, and remembered: never as an empty box.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fpdf import FPDF

TEXT, MONO = "text", "mono"
_PACKAGED = {(TEXT, ""): "figo", (TEXT, "B"): "figbo", (MONO, ""): "cascadia"}
"""Family and style: the name of the font in the package ``pymupdf-fonts``."""
_ENDINGS = (".ttf", ".otf", ".ttc", ".otc")
_INVISIBLE = {"Cf", "Cc", "Cs", "Zl", "Zp"}
_REORDERING = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_PLAIN_SCRIPTS = re.compile(r"[\u0000-\u02ff\u0370-\u052f\u1e00-\u22ff]*")
"""Latin, Greek, Cyrillic, punctuation: a letter stands for itself, whatever is beside it."""
_MAY_NOT_BE_EMBEDDED = 0x0002
"""Of ``fsType`` in OpenType's table OS/2: restricted licence."""


class Fonts:
    """The fonts of one document.

    Args:
        pdf: gets them.
        folder: for the files of the packaged ones; it must outlive the document.
    """

    def __init__(self, pdf: FPDF, folder: Path) -> None:
        from pymupdf_fonts import fontbuffers

        self._pdf = pdf
        for (family, style), name in _PACKAGED.items():
            path = folder / f"{name}.ttf"
            if not path.exists():
                path.write_bytes(fontbuffers[name]())
            pdf.add_font(family, style, path)
        facts: Any = pdf.fonts[TEXT]
        self._drawn = set(facts.cmap)
        self._more: list[str] = []
        self._system: list[tuple[Path, frozenset[int]]] | None = None
        self.missing: set[str] = set()
        """Characters that no font draws."""

    def close(self) -> None:
        """Close the files; nothing can be drawn any more."""
        for font in self._pdf.fonts.values():
            facts: Any = font
            facts.ttfont.close()

    def readable(self, text: str) -> str:
        """Return a text that can be drawn: what cannot stands as its code. Line breaks stay, what is invisible goes."""
        return "".join(map(self._readable, unicodedata.normalize("NFC", text)))

    def _readable(self, character: str) -> str:
        if character == "\n":
            return character
        if character in _REORDERING:  # it would turn the text around it about
            return f"[U+{ord(character):04X}]"
        if unicodedata.category(character) in _INVISIBLE and ord(character) not in self._drawn:
            return "" if unicodedata.category(character) == "Cf" else f"[U+{ord(character):04X}]"
        if ord(character) in self._drawn or self._find(character):
            return character
        self.missing.add(character)
        return f"[U+{ord(character):04X}]"

    def _find(self, character: str) -> bool:
        """Add the first font of the system that draws a character; return whether there is one."""
        if character in self.missing:
            return False
        if self._system is None:
            self._system = [(path, drawn) for path in _system_fonts() if (drawn := _drawn_by(path))]
        for path, drawn in self._system:
            if ord(character) in drawn:
                family = f"more{len(self._more)}"
                self._pdf.add_font(family, "", path)
                self._more.append(family)
                self._pdf.set_fallback_fonts(self._more, exact_match=False)
                self._drawn |= drawn
                return True
        return False


def needs_shaping(text: str) -> bool:
    """Whether letters change by their neighbours, or run from right to left; shaping takes ten times as long."""
    return _PLAIN_SCRIPTS.fullmatch(text) is None


def _system_fonts() -> Iterator[Path]:
    """Yield the font files of this system, upright sans-serif ones of ordinary weight first, then by name."""
    home = Path(os.environ.get("XDG_DATA_HOME") or Path("~/.local/share").expanduser())
    places = [Path(place) for place in (os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(":")]
    folders = [folder / "fonts" for folder in (home, *places)]
    files = {path for folder in folders for path in folder.rglob("*") if path.suffix.lower() in _ENDINGS}
    yield from sorted(files, key=lambda path: (_oddity(path.stem.lower()), path.name, str(path)))


def _oddity(name: str) -> int:
    odd = ("bold", "italic", "oblique", "mono", "condensed", "light", "black", "thin", "serif", "emoji")
    return sum(word in name for word in odd) + ("sans" not in name)


def _drawn_by(path: Path) -> frozenset[int]:
    """Return the characters of a font; none where it cannot be read, has no outlines, or may not be embedded."""
    from fontTools.ttLib import TTFont

    try:
        with TTFont(path, lazy=True, fontNumber=0) as font:
            facts: Any = font
            outlined = "glyf" in font or "CFF " in font
            if not outlined or facts["OS/2"].fsType & 0x000F == _MAY_NOT_BE_EMBEDDED:
                return frozenset()
            return frozenset(facts.getBestCmap() or ())
    except Exception:  # a damaged file of the system is no fault of the document
        return frozenset()
