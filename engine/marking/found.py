"""All marks of one picture file."""

from __future__ import annotations

from dataclasses import dataclass

from engine.contracts.frames import Uint8
from engine.marking.imperceptible import Sought, find_mark
from engine.marking.metadata import Declared, declared_in
from engine.marking.provenance import Provenance, provenance_of


@dataclass(frozen=True, slots=True)
class Marks:
    """What was found."""

    declared: Declared | None
    pixels: Sought
    provenance: Provenance | None

    @property
    def found(self) -> int:
        """How many of the three there are. A wrong or unread signature is none, nor is XMP that names no machine."""
        signed = self.provenance is not None and self.provenance.state in ("trusted", "valid")
        declared = self.declared is not None and self.declared.is_enhanced
        return declared + self.pixels.is_found + signed


def marks_of(file: bytes, picture_bgr: Uint8, trusted: str = "") -> Marks:
    """Look for the three marks.

    Args:
        file: of any kind; XMP and C2PA are looked for in JPEG and PNG files.
        picture_bgr: what it shows, (height, width, 3) uint8 BGR.
        trusted: certificates (PEM) of those who may vouch for signers.
    """
    return Marks(declared_in(file), find_mark(picture_bgr), provenance_of(file, trusted))


def enhanced_before(file: bytes, picture_bgr: Uint8) -> str:
    """Return how a picture shows that a machine has enhanced it, as the end of a sentence; empty where it does not.

    Signatures are not asked: who signs also writes XMP.

    Args:
        file: of any kind.
        picture_bgr: what it shows, (height, width, 3) uint8 BGR.
    """
    declared = declared_in(file)
    if declared is not None and declared.is_enhanced:
        return "a machine has enhanced it, its file says"
    return "a machine has enhanced it, a mark in its pixels says" if find_mark(picture_bgr).is_found else ""
