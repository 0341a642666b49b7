"""One spelling for each name."""

from __future__ import annotations

import unicodedata

import pytest
from rich.cells import cell_len

from engine.errors import UsageError
from engine.verify.gallery.person_name import MOST_CHARACTERS, alike, person_name, shown, spelling

PERSIAN = "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"


@pytest.mark.parametrize(
    "name",
    [
        "Ada Lovelace",
        "José",
        "O'Brien",
        "Nguyễn Thị Minh",
        "李小龍",
        "김철수",
        PERSIAN,
        FAMILY,
        "श्री क्‍षेम",
        "visitor-7",
        "7",
        ".",
    ],
)
def test_names_as_people_write_them_are_kept(name):
    assert person_name(name) == unicodedata.normalize("NFC", name)
    assert person_name(unicodedata.normalize("NFD", name)) == person_name(name)


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("  Ada \u00a0 Lovelace\n", "Ada Lovelace"),
        ("Ada\u3000Lovelace", "Ada Lovelace"),
        ("Jose\u0301", "Jos\u00e9"),
        ("\ufeffAda", "Ada"),
        ("Ada\u200e\u200b", "Ada"),
        ("\u200fעדה\u200f", "עדה"),
        ("\u200cAda\u200d", "Ada"),
        ("Lo\u00advelace", "Lovelace"),
        (PERSIAN.replace("\u200c", "\u200c\u200c"), PERSIAN),
        ("Ada \u200c Lovelace", "Ada Lovelace"),
    ],
)
def test_spaces_and_meaningless_marks_are_folded(given, written):
    assert person_name(given) == spelling(given) == written
    assert person_name(written) == written


@pytest.mark.parametrize("character", [chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))])
def test_what_reorders_text_is_refused(character):
    with pytest.raises(UsageError, match=rf"reorders text \(U\+{ord(character):04X}\)"):
        person_name(f"Ada{character}Bob")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a\nb", "control character .U.000A."),
        ("a\tb", "control character"),
        ("a\x1b[31mb", "control character .U.001B."),
        ("a\x7fb", "control character"),
        ("a\x85b", "control character"),
        ("a\u2028b", "line break"),
        ("a\udce9b", "not valid UTF-8"),
        ("a\ue000b", "private character"),
        ("", "give a readable one"),
        (" \u3000", "give a readable one"),
        ("\u200c\u200d", "give a readable one"),
        ("\u200b\ufeff", "give a readable one"),
        ("\u0301", "give a readable one"),
        ("\u3164\u2800", "give a readable one"),
        ("a" * 201, "201 characters is too long: give one of at most 200"),
    ],
)
def test_what_cannot_be_a_name(name, reason):
    with pytest.raises(UsageError, match=reason):
        person_name(name)


def test_length_counts_what_is_written():
    assert len(person_name("é" * MOST_CHARACTERS)) == MOST_CHARACTERS
    assert len(person_name(unicodedata.normalize("NFD", "é" * MOST_CHARACTERS))) == MOST_CHARACTERS
    assert len(person_name(" a" * 100)) == 199


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("José", "josé", True),
        ("José", "Jose", True),
        ("\uff21\uff44\uff41", "Ada", True),
        (PERSIAN, PERSIAN.replace("\u200c", ""), True),
        ("van Dyk", "Vandyk", True),
        ("Straße", "STRASSE", True),
        ("\u0410da", "Ada", True),  # a Cyrillic letter
        ("\u0421\u0410\u0422", "cat", True),
        ("\u039d\u03af\u03ba\u03bf\u03c2", "Nikos", False),  # a Greek name, which is not its Latin spelling
        ("José", "Josef", False),
        ("कि", "का", False),
        ("7", "8", False),
    ],
)
def test_names_that_can_be_mistaken(one, other, same):
    assert alike(one, other) is same
    assert (spelling(one) == spelling(other)) is False


def test_after_a_name_from_right_to_left_its_direction_ends():
    assert shown("Ada") == "Ada"
    assert shown(PERSIAN) == PERSIAN + "\u200e"
    assert cell_len(shown("עדה")) == 3
