"""What a gallery tells of people and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Identity(NamedTuple):
    """One enrolled person."""

    name: str
    pictures: int
    embedders: tuple[str, ...]
    """Names of the embedders that their pictures were enrolled with."""
    best_quality: float
    last_enrolled_at: str
    """UTC, ISO 8601."""
    in_doubt: int = 0
    """Pictures that were enrolled although something spoke against them."""
    unrecorded: int = 0
    """Pictures of which the gallery does not say what computed their vectors, as those of earlier versions."""


class Enrolled(NamedTuple):
    """One picture that is in the gallery."""

    identity: str
    runtime: str
    """What computed its vector, with version and precision; empty where that was not recorded."""


class Kept(NamedTuple):
    """One picture as it is listed: enrolled, or set apart."""

    identity: str
    source_name: str
    picture_sha256: str
    quality: float
    at: str
    """When it was enrolled or set apart (UTC, ISO 8601)."""
    embedder: str
    embedder_sha256: str
    doubt: str
    """What speaks against it; empty where nothing does."""


class Faces(NamedTuple):
    """Vectors that are of a person, or may be, under other people's names."""

    negatives: int
    """Kept as not of somebody else."""
    apart: int
    """Set apart for somebody else because they are like this person."""


def unrecorded(people: Sequence[Identity]) -> str:
    """Return one sentence about vectors of which the gallery does not say what computed them, empty if there are none."""
    names = [person.name for person in people if person.unrecorded]
    if not names:
        return ""
    some = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return (
        f"{some}: enrolled by an earlier version, which may have computed vectors in bfloat16, where a cosine differs by up to "
        "0.01; they are compared as before, enrol the same pictures again to replace them"
    )


def not_comparable(names: Sequence[str], embedder: str) -> str:
    """Return one sentence about people who were enrolled with other embedders, empty if there are none."""
    if not names:
        return ""
    some = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return (
        f"{some} cannot be recognised by the embedder {embedder}: enrol them again with it "
        f"(`facestream enrol NAME IMAGE --embedder {embedder}`), vectors of different embedders are never compared"
    )
