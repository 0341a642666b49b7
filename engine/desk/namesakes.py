"""People who have one name from two galleries and do not look alike: perhaps two people of that name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from engine.archive.record import workers
from engine.desk.likeness import Likeness, haze_of
from engine.desk.people import People, Person
from engine.desk.stored import Result, StoredTrack


def unlike_namesakes(people: People) -> Iterator[tuple[Person, StoredTrack, StoredTrack]]:
    """Yield people whom galleries gave one name although their faces speak against one person, with a track from each gallery.

    A gallery is known by its epoch, so a copy is another one: only faces that are not alike make a name doubtful. Without a
    calibration for the embedder none is.

    Raises:
        ModelError: a measurement that ships is damaged.
        PublishError: vectors cannot be read.
    """
    for person in people.persons:
        of_gallery: dict[frozenset[str], list[StoredTrack]] = {}
        for track in person.tracks if person.name and not person.given else ():
            if track.name and (epochs := _epochs(track.result)):
                of_gallery.setdefault(epochs, []).append(track)
        if len(of_gallery) < 2:
            continue
        first, *others = of_gallery.values()
        likeness = Likeness(first[0].result.embedder_sha256)
        for some in others if likeness.calibration else ():
            if _alike(first, some, likeness) < likeness.resemblance_worth(0.0):
                yield person, first[0], some[0]


def _epochs(result: Result) -> frozenset[str]:
    return frozenset(str(facts["gallery_epoch"]) for facts in workers(result.run.record) if facts.get("gallery_epoch"))


def _alike(some: Sequence[StoredTrack], others: Sequence[StoredTrack], likeness: Likeness) -> float:
    """Return the mean likeness of two groups of tracks, as grouping computes it."""
    means, crowding, haze = [], [], []
    for tracks in (some, others):
        vectors = np.stack([vector for track in tracks if (vector := track.vector) is not None])
        means.append(vectors.mean(axis=0))
        crowding.append(float(likeness.crowding(vectors).mean()))
        haze.append(float(haze_of(np.array([track.size_px for track in tracks])).mean()))
    return float(2 * means[0] @ means[1] - sum(crowding) - haze[0] * haze[1])
