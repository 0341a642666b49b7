"""A name that two people must have confirmed before it is shown as confirmed."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

TWO = 2


@dataclass(frozen=True)
class Confirmation:
    """Somebody says that a track is of a person, or takes that back."""

    who: str
    """Confirms: a person's own name or login."""
    stream: str
    track_id: int
    name: str
    """Of the person whom the track shows."""
    takes_back: bool = False


def confirmed_by(confirmations: Iterable[Confirmation], stream: str, track_id: int, name: str) -> tuple[str, ...]:
    """Return who says now that a track is of this person, by name; of each who, only the last word counts, and whoever names
    somebody else has taken this one back.

    Args:
        confirmations: in the order in which they were written.
        stream: of the track.
        track_id: of the track.
        name: of the person.
    """
    last: dict[str, Confirmation] = {}
    shown: dict[str, str] = {}
    for one in confirmations:
        if (one.stream, one.track_id) == (stream, track_id) and (who := _spelling(one.who)):
            last[who] = one
            shown.setdefault(who, " ".join(one.who.split()))
    wanted = _spelling(name)
    return tuple(sorted(shown[who] for who, one in last.items() if not one.takes_back and _spelling(one.name) == wanted))


def is_same_name(one: str, other: str) -> bool:
    """Whether two names are one: neither capitals nor spaces nor another encoding tell them apart."""
    return _spelling(one) == _spelling(other)


def is_shown(by: Iterable[str], *, two_person: bool) -> bool:
    """Whether a name may stand as confirmed: at least two different people have said so where that is required, else one."""
    return len({_spelling(one) for one in by} - {""}) >= (TWO if two_person else 1)


def _spelling(text: str) -> str:
    """One spelling for each name: neither capitals nor spaces nor another encoding make two people of one."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
