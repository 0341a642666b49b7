"""Who was seen in a set of results: tracks grouped into people across files and cameras, with people's corrections applied."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from engine.archive.correction_links import Links, links_of
from engine.archive.corrections import Correction, TrackRef, anonymous_id
from engine.archive.record import attempts
from engine.desk.beside import at_once
from engine.desk.grouping import Apart, group_tracks
from engine.desk.likeness import Likeness, haze_of
from engine.desk.stored import Result, StoredTrack
from engine.errors import UsageError
from engine.verify.face_weights import face_weights_of
from engine.verify.gallery.person_name import spelling
from engine.words.worth import ratio

PRIOR = 0.0145
"""Prior probability that two tracks show one person; so small that two people are hardly ever taken for one."""


@dataclass(eq=False)
class Person:
    """Somebody who was seen."""

    id: str
    """Derived from the first track (see ``anonymous_id``), so it stays the same however often, and with whichever further
    results, it is asked for.
    """
    tracks: list[StoredTrack]
    """In the order in which they were recorded; one or more."""
    name: str = ""
    """The name that a person gave, otherwise the gallery's; empty: a stranger."""
    given: bool = False
    """Whether a person gave the name."""

    @property
    def places(self) -> list[tuple[str, str]]:
        """Result and stream of each camera or file, in the order of the tracks."""
        return list(dict.fromkeys((track.result.label, track.stream) for track in self.tracks))

    @property
    def faces(self) -> int:
        """Number of stored faces, over all tracks."""
        return sum(len(track.faces) for track in self.tracks)

    @property
    def largest_px(self) -> float:
        """Size of the largest face."""
        return max((face.quality.size_px for track in self.tracks for face in track.faces), default=0.0)

    @property
    def best(self) -> StoredTrack:
        """The track that shows the person best, preferring those whose pictures are still there."""
        return max(self.tracks, key=lambda track: (track.picture() is not None, _best_quality(track)))

    @property
    def refs(self) -> list[TrackRef]:
        """The tracks as corrections name them."""
        return [ref_of(track) for track in self.tracks]


@dataclass(frozen=True, eq=False)
class People:
    """Everybody in a set of results."""

    persons: list[Person]
    """People with names first, then those with the most tracks, then by time."""
    left_out: int
    """Tracks that cannot be grouped: their vectors have expired, or say no more than that there was a face."""
    corrections: list[Correction]
    """All corrections, including those that were undone."""

    def find(self, words: str) -> list[Person]:
        """Return the people meant by an id, a name or a track (``stream/track``, preceded by ``RESULT:`` if need be). The id of
        any of a person's tracks means that person.
        """
        return [person for person in self.persons if _is_meant(person, words)]


def ref_of(track: StoredTrack) -> TrackRef:
    """Return how corrections name a track."""
    return TrackRef(track.result.origin, track.stream, track.track_id)


def people_of(results: Sequence[Result], corrections: Sequence[Correction] = (), prior: float = PRIOR) -> People:
    """Group the tracks of some results.

    Args:
        results: one or more, with vectors of the same embedder, each directory once.
        corrections: what people have said, oldest first.
        prior: probability that two tracks show one person before their faces are compared, above 0 and below 1. Two groups
            become one person if the calibrated likelihood ratio makes that more probable than not. Without a calibration only
            corrections count.

    Raises:
        ModelError: a measurement that ships is damaged.
        PublishError: vectors cannot be read.
        UsageError: the prior is out of range, or so small that no likeness outweighs it.
    """
    likeness = Likeness(results[0].embedder_sha256)
    least = likeness.resemblance_worth(_asked(prior, likeness))
    tracks = [track for result in sorted(results, key=_begun) for track in sorted(result.tracks, key=_order)]
    known = [(ref_of(track), track.name) for track in tracks if track.name]
    links = links_of(corrections, known)
    vectors, usable = _usable(tracks, links)
    grouped = [tracks[at] for at in usable]
    places = {ref_of(track): at for at, track in enumerate(grouped)}
    together = [[places[ref] for ref in one if ref in places] for one in links.together]
    apart = [*at_once(grouped), *_known_apart(links, places)]
    haze = haze_of(np.array([track.size_px for track in grouped]))
    labels = group_tracks(vectors, likeness.crowding(vectors), haze, least, [one for one in together if one], apart)
    persons: dict[int, Person] = {}
    for track, label in zip(grouped, labels.tolist(), strict=True):
        person = persons.setdefault(label, Person(anonymous_id(ref_of(track)), []))
        person.tracks.append(track)
    for person in persons.values():
        _name(person, links)
    return People(sorted(persons.values(), key=_importance), len(tracks) - len(grouped), list(corrections))


def _asked(prior: float, likeness: Likeness) -> float:
    """Return the log10 likelihood ratio at which it is as probable as not that two tracks show one person.

    Raises:
        UsageError: see ``people_of``.
    """
    if not 0 < prior < 1:
        raise UsageError(f"the prior {prior:g} is not a probability above 0 and below 1: by default it is {PRIOR:g}")
    asked, most = math.log10((1 - prior) / prior), likeness.largest_worth
    if most is not None and asked > most:
        least = math.ceil(1000 / (1 + 10**most)) / 1000
        raise UsageError(
            f"with the prior {prior:g} two tracks are one person from a likelihood ratio of {ratio(asked)} on, and no more "
            f"than {ratio(most)} can be shown: use {least:g} or more"
        )
    return asked


def _usable(tracks: Sequence[StoredTrack], links: Links) -> tuple[NDArray[np.float32], list[int]]:
    """Return the vectors and the indices of their tracks: every track that shows a recognisable face or that a correction is
    about.
    """
    said = {ref for one in links.together for ref in one} | set(links.names)
    weights = face_weights_of(tracks[0].result.embedder_sha256) if tracks else None
    vectors, usable = [], []
    for at, track in enumerate(tracks):
        vector = track.vector
        if vector is None:
            continue
        if weights is not None and weights.is_nobody(vector) and ref_of(track) not in said:
            continue
        vectors.append(vector)
        usable.append(at)
    return (np.stack(vectors) if vectors else np.zeros((0, 1), np.float32)), usable


def _known_apart(links: Links, places: dict[TrackRef, int]) -> Iterator[Apart]:
    for some, others in links.apart:
        left, right = ([places[ref] for ref in side if ref in places] for side in (some, others))
        if left and right:
            yield left, right


def _name(person: Person, links: Links) -> None:
    of_person = set(person.refs)
    given = [name for ref, name in links.names.items() if ref in of_person]
    of_gallery = Counter(track.name for track in person.tracks if track.name)
    if given:
        person.name, person.given = given[-1], True
    elif of_gallery:
        person.name = of_gallery.most_common(1)[0][0]


def _is_meant(person: Person, words: str) -> bool:
    if words == person.id or (person.name and spelling(words) == spelling(person.name)):
        return True
    refs = person.refs
    if words.upper() in map(anonymous_id, refs):
        return True
    return any(track.is_called(words) for track in person.tracks)


def _begun(result: Result) -> tuple[int, str]:
    started = attempts(result.run.record)[0].get("started_ns")
    return (started if isinstance(started, int) else 0), result.origin


_order = attrgetter("first_seconds", "stream", "track_id")


def _importance(person: Person) -> tuple[bool, int, str]:
    return not person.name, -len(person.tracks), person.id


def _best_quality(track: StoredTrack) -> float:
    return track.faces[0].quality.score if track.faces else 0.0
