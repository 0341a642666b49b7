"""Explains how a change of the gallery affected a track in progress."""

from __future__ import annotations

from typing import NamedTuple

from engine.contracts.gallery import GalleryVersion
from engine.verify.gallery.snapshot import Snapshot


class Changed(NamedTuple):
    """A track whose decision has changed."""

    stream: str
    track_id: int
    reason: str
    """A sentence without names: a person who was removed must not be written down again."""


def is_later(now: GalleryVersion, before: GalleryVersion) -> bool:
    """Whether a gallery may be a later state of what it was, or the same; otherwise an earlier or another file took its place.

    This is judged by the number of changes, not by the epoch: the first change of a copy starts a new epoch without any loss.
    So another file with more changes is not noticed here; each message contains its epoch.
    """
    return now.revision > before.revision or (now.revision == before.revision and now.digest == before.digest)


def why_changed(before: str, after: str, people: Snapshot) -> str:
    """Return why a track has another name, or no longer has one.

    Args:
        before: the earlier name; empty: none.
        after: the new name; empty: none.
        people: the gallery as it is now.
    """
    if before and people.place(before) is None:
        gone = "the person named before is no longer in the gallery under that name"
        return f"the gallery changed: {gone}{', and somebody else in it looks like this face' if after else ''}"
    if after:
        return "the gallery changed: somebody in it now looks like this face"
    return "the gallery changed: nobody in it looks like this face any more" if before else "the gallery changed"
