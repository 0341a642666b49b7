"""A gallery's records of people and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from engine.words.lists import first_of
from engine.words.numbers import count

_MOST_NAMED = 5


class Identity(NamedTuple):
    """One enrolled person."""

    name: str
    pictures: int
    embedders: tuple[str, ...]
    """Names of the embedders with which their pictures were enrolled."""
    best_quality: float
    last_enrolled_at: str
    """UTC, ISO 8601."""
    in_doubt: int = 0
    """Number of pictures that were enrolled although they were doubtful."""
    unrecorded: int = 0
    """Number of pictures without a recorded runtime, from earlier versions."""


class Held(NamedTuple):
    """How many pictures a person has, or had."""

    enrolled: int = 0
    apart: int = 0
    """Set apart: nobody is compared with them."""

    @property
    def total(self) -> int:
        """All of them."""
        return self.enrolled + self.apart

    @property
    def words(self) -> str:
        """As people read it: ``2 pictures``, ``2 pictures and 1 set apart``, ``1 picture set apart``."""
        if not self.apart:
            return count(self.enrolled, "picture")
        and_apart = f"{count(self.enrolled, 'picture')} and {self.apart}" if self.enrolled else count(self.apart, "picture")
        return f"{and_apart} set apart"


class Enrolled(NamedTuple):
    """One enrolled picture."""

    identity: str
    runtime: str
    """Runtime that computed its vector, with version and precision; empty if it was not recorded."""


class Kept(NamedTuple):
    """One picture in a list: enrolled or quarantined."""

    identity: str
    source_name: str
    picture_sha256: str
    quality: float
    at: str
    """When it was enrolled or quarantined (UTC, ISO 8601)."""
    embedder: str
    embedder_sha256: str
    doubt: str
    """What speaks against it; empty if nothing does."""


class Faces(NamedTuple):
    """Numbers of vectors stored under other people's names that show, or may show, a person."""

    negatives: int
    """Kept as negatives of somebody else."""
    apart: int
    """Quarantined for somebody else because they resemble this person."""


def unrecorded(people: Sequence[Identity]) -> str:
    """Return one sentence about vectors without a recorded runtime; empty if there are none."""
    names = [person.name for person in people if person.unrecorded]
    if not names:
        return ""
    return (
        f"{first_of(names, _MOST_NAMED)}: enrolled by an earlier version, which may have computed vectors in bfloat16, where a "
        "cosine differs by up to 0.01; they are compared as before, enrol the same pictures again to replace them"
    )


def not_comparable(names: Sequence[str], embedder: str) -> str:
    """Return one sentence about people who were enrolled with other embedders, empty if there are none."""
    if not names:
        return ""
    return (
        f"{first_of(names, _MOST_NAMED)} cannot be recognised by the embedder {embedder}: enrol them again with it "
        f"(`facestream enrol NAME IMAGE --embedder {embedder}`), vectors of different embedders are never compared"
    )
