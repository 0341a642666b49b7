"""What an erasure has done, wherever it was done."""

from __future__ import annotations

import msgspec

from engine import __version__
from engine.privacy.beside import LogErased
from engine.privacy.cutting import Rewritten
from engine.privacy.runs import Report


class GalleryErased(msgspec.Struct, kw_only=True):
    """What went from a gallery."""

    file: str
    pictures: int = 0
    """Enrolled, or set apart; also those that were set apart for somebody else because they look like this person."""
    negatives: int = 0
    """Faces that were kept as not of somebody else, and were or may be of this person."""
    sha256_before: str = ""
    sha256_after: str = ""
    still_in: list[str] = []
    """The gallery's log, where somebody reads the gallery at this moment and so still needs what was there: do it again."""


class RunErased(msgspec.Struct, kw_only=True):
    """What went from one output directory."""

    directory: str
    tracks: int = 0
    faces: int = 0
    changed_lines: int = 0
    """Of other people, who no longer have this one as a candidate."""
    unreadable_lines: int = 0
    pictures: int = 0
    vectors: int = 0
    files: list[Rewritten] = []
    report: Report = ""
    not_followed: list[str] = []
    """Symbolic links, and names that lead out of the directory: where they lead nothing was touched."""
    linked: list[str] = []
    """Files that have another hard link somewhere."""
    mentions: list[str] = []
    """Files in which the name still stands, as that of a stream, a recording, or somebody else: check them yourself."""
    unknown: list[str] = []
    """What lies in the directory and no run has written, as clips, exports and pages: it may show the person all the same."""
    look_alikes: list[str] = []
    """Tracks, as ``stream/id``, that were shown under the name only because they look like the person: they are left."""
    block: int | None = None
    """Number of the block of the run's hash chain that says what was left; None: the run has no chain, or is as it was."""
    head: str = ""
    """SHA-256 of that block."""
    breaks_off: bool = False
    """The chain was signed, and this erasure is not: ``facestream audit`` says so."""
    error: str = ""
    """Why it was not done, or not wholly; empty: it was."""


class Erasure(msgspec.Struct, kw_only=True):
    """The receipt. The name is not in it."""

    format: str = "facestream/erasure/1"
    version: str = __version__
    at: str = ""
    dry_run: bool = False
    gallery: GalleryErased | None = None
    runs: list[RunErased] = []
    audit_line: int | None = None
    """Number of the line in the audit log that says that somebody was erased."""
    audit_names: int = 0
    """Names that the audit log has forgotten."""
    service_logs: list[LogErased] = []
    """Audit logs of services whose directories, or runs, were named."""
    mentions: list[str] = []
    """Files of the named folders, outside of runs, in which the name still stands."""
    not_followed: list[str] = []
    """Links to directories in the named folders, outside of runs: name what they lead to, if there are runs."""

    @property
    def is_complete(self) -> bool:
        """Whether nothing has to be done again."""
        failed = any(run.error for run in self.runs) or any(log.error for log in self.service_logs)
        return not failed and not self.mentions and not self.not_followed and not (self.gallery and self.gallery.still_in)

    @property
    def found(self) -> bool:
        """Whether there was anything of this person."""
        in_gallery = self.gallery is not None and self.gallery.pictures + self.gallery.negatives > 0
        in_logs = self.audit_names > 0 or any(log.names for log in self.service_logs)
        return in_gallery or in_logs or bool(self.mentions) or any(_is_changed(run) for run in self.runs)


def _is_changed(run: RunErased) -> bool:
    return bool(run.tracks or run.faces or run.changed_lines or run.unreadable_lines or run.files)
