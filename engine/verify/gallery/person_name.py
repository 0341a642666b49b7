"""Normalises names of people: one spelling for each name, wherever it is given.

Names are Unicode as people write them, in composed form (NFC), so that both encodings of "José" are one name. Case, accents and
width are never ignored: ``alike`` only tells whether two names can be confused.
"""

from __future__ import annotations

import re
import unicodedata

from engine.errors import UsageError

MOST_CHARACTERS = 200
_JOINERS = "\u200c\u200d"
"""Zero width non-joiner and joiner: ordinary in Persian and Indian names, and in emoji."""
_DROPPED = dict.fromkeys(map(ord, "\u00ad\u061c\u200b\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufeff"))
"""Invisible characters without meaning in a name: soft hyphen, direction marks, zero width spaces, byte order mark."""
_REORDERING = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Embeddings, overrides and isolates, which would reorder the text around a name."""
_BLANK = set("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols without a visible glyph: the Hangul fillers, the empty Braille cell."""
_SAME_SHAPE = str.maketrans(
    "\u0430\u0432\u0435\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445\u0456\u0458\u0455\u0501\u04bb\u051b\u051d"
    "\u03b1\u03b2\u03b5\u03b6\u03b9\u03ba\u03bc\u03bf\u03c1\u03c4\u03c5\u03c7\u0131",
    "abekmhopctyxijsdhqwabezikmoptyxi",
)
"""Lower-case Cyrillic and Greek letters that look like Latin ones, or whose capitals do."""
_LOWEST_ACCENT = 200
"""Lowest combining class of marks that sit around a letter as accents do."""
_REFUSED_KINDS = {"Cc": "a control character", "Cs": "a character that is not valid UTF-8", "Co": "a private character"}
_REFUSED_KINDS |= {"Zl": "a line break", "Zp": "a line break"}


def spelling(name: str) -> str:
    """Return the normal form of a name without validating it: for names that were accepted before, and to look them up.

    It is composed (NFC), runs of any spaces are one space, the ends have none, and invisible marks without meaning are removed.
    """
    text = " ".join(unicodedata.normalize("NFC", name.translate(_DROPPED)).split())
    text = re.sub(f"([{_JOINERS}])[{_JOINERS}]+", r"\1", text)  # joiners only have a meaning between letters
    return " ".join(part.strip(_JOINERS) for part in text.split(" ") if part.strip(_JOINERS))


def person_name(name: str) -> str:
    """Return the name of a person as it is enrolled: its ``spelling``.

    Raises:
        UsageError: it is blank, longer than 200 characters, or contains control characters, line breaks, characters that
            reorder text, private ones, or invalid UTF-8.
    """
    for character in name.strip():
        kind = _REFUSED_KINDS.get(unicodedata.category(character))
        if character in _REORDERING:
            kind = "a character that reorders text"
        if kind is not None:
            raise UsageError(f"{name!a} cannot be the name of a person: it holds {kind} (U+{ord(character):04X})")
    written = spelling(name)
    if not any(unicodedata.category(character)[0] in "LNPS" and character not in _BLANK for character in written):
        raise UsageError(f"{name!a} cannot be the name of a person: give a readable one")
    if len(written) > MOST_CHARACTERS:
        raise UsageError(f"a name of {len(written)} characters is too long: give one of at most {MOST_CHARACTERS}")
    return written


def alike(one: str, other: str) -> bool:
    """Whether two names can be confused: they differ at most in case, accents, width, joiners, spaces, or letters of other
    alphabets that look the same.
    """
    return _skeleton(one) == _skeleton(other)


def shown(name: str) -> str:
    """Return a name for use within other text: a name written from right to left is followed by a direction mark."""
    turns = any(unicodedata.bidirectional(character) in ("R", "AL", "AN") for character in name)
    return f"{name}\u200e" if turns else name


def _skeleton(name: str) -> str:
    plain = "".join(filter(_tells_apart, unicodedata.normalize("NFKD", spelling(name)).casefold()))
    return plain.translate(_SAME_SHAPE)


def _tells_apart(character: str) -> bool:
    """Whether a character is significant: not an accent, a space or invisible. The vowel signs of Indian scripts are."""
    kind = unicodedata.category(character)[0]
    return kind in "LNPS" or (kind == "M" and unicodedata.combining(character) < _LOWEST_ACCENT)
