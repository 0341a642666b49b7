"""What a change of the gallery did to a track that goes on, in words."""

from __future__ import annotations

from typing import NamedTuple

from engine.contracts.gallery_version import GalleryVersion
from engine.verify.gallery.snapshot import Snapshot


class Changed(NamedTuple):
    """A track that is decided otherwise."""

    stream: str
    track_id: int
    reason: str
    """A sentence that names nobody: who was taken out is not to be written down again."""


def is_later(now: GalleryVersion, before: GalleryVersion) -> bool:
    """Whether a gallery may have gone on from what it was, or is the same; else an earlier or another file took its place.

    It goes by the number of changes. The epoch does not decide: the first change of a copy begins another one, and is no loss.
    So another file with more changes is not told of here; each message says its epoch.
    """
    return now.revision > before.revision or (now.revision == before.revision and now.digest == before.digest)


def why_changed(before: str, after: str, people: Snapshot) -> str:
    """Return why a track has another name, or none any more.

    Args:
        before: whose it was; empty: nobody's.
        after: likewise.
        people: the gallery as it is now.
    """
    if before and people.place(before) is None:
        gone = "the person named before is no longer in the gallery under that name"
        return f"the gallery changed: {gone}{', and somebody else in it looks like this face' if after else ''}"
    if after:
        return "the gallery changed: somebody in it now looks like this face"
    return "the gallery changed: nobody in it looks like this face any more" if before else "the gallery changed"
