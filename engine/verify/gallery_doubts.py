"""Why pictures were in question when they were enrolled all the same: sentences that may name somebody else."""

from __future__ import annotations

from engine.verify.gallery_file import GalleryFile
from engine.verify.gallery_pictures import has_quarantine
from engine.verify.person_name import spelling

_SAYS = ("looks like {} (", "looks more like {} (")
"""As ``engine.enrolment.likeness`` writes it: "looks like NAME (cosine 0.612)"."""
_INSTEAD = "somebody removed"


def forget_in_doubts(file: GalleryFile, name: str) -> None:
    """Take a name out of what is said of other people's pictures; call it within a transaction.

    Raises:
        GalleryError: the file cannot be read or written.
    """
    for table in ("pictures", "quarantined") if has_quarantine(file) else ("pictures",):
        for number, doubt in file.rows(f"SELECT id, doubt FROM {table} WHERE doubt <> ''"):
            unnamed = str(doubt)
            for says in _SAYS:
                unnamed = unnamed.replace(says.format(spelling(name)), says.format(_INSTEAD))
            if unnamed != doubt:
                file.execute(f"UPDATE {table} SET doubt = ? WHERE id = ?", (unnamed, number))
