"""Turns what somebody says about people into a correction, and stores it beside each result it concerns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from engine.archive.chain_cuts import seal_corrections
from engine.archive.corrections import Correction, TrackRef, append_correction, in_force, new_correction
from engine.desk.beside import at_once
from engine.desk.people import People, Person, ref_of
from engine.desk.stored import Result, StoredTrack
from engine.errors import PublishError, UsageError
from engine.keys.signing import SigningKey
from engine.verify.gallery.person_name import alike, person_name, spelling
from engine.words.numbers import count
from engine.words.text import readable


class Desk:
    """Makes corrections.

    Args:
        results: the results that were grouped.
        people: the people in them.
        who: the person who makes them.
        note: the reason.
        key: signs the corrections in the hash chains of the results; None: they are not signed.
    """

    def __init__(
        self, results: Sequence[Result], people: People, who: str, note: str = "", key: SigningKey | None = None
    ) -> None:
        self._results, self._people, self._key = results, people, key
        self._who, self._note = readable(who), readable(note)
        self.notices: list[str] = []
        """Sentences on side effects of a correction, and on results whose hash chain does not cover it."""

    def merge(self, words: Sequence[str]) -> Correction:
        """Record that these people are one; each is given by an id, a name or a track.

        Raises:
            UsageError: fewer than two people are meant, or one is not found.
            PublishError: the correction cannot be written.
        """
        persons = {person.id: person for word in words for person in [self._one(word)]}
        if len(persons) < 2:
            raise UsageError(f"--merge needs at least two people, and {' '.join(words)} is only one")
        return self._keep(new_correction(self._who, "merge", _refs(persons.values()), note=self._note))

    def split(self, words: Sequence[str]) -> Correction:
        """Record that these tracks do not show the person they are grouped with.

        Raises:
            UsageError: they belong to several people, are all that a person has, or are not found.
            PublishError: the correction cannot be written.
        """
        found = [self._track(word) for word in words]
        persons = {person.id: person for person, _ in found}
        if len(persons) > 1:
            raise UsageError(
                f"--split takes tracks out of one person, these are of {' and '.join(persons)}: do one after the other"
            )
        (person,) = persons.values()
        some = {ref for _, ref in found}
        if rest := set(person.refs) - some:
            return self._keep(new_correction(self._who, "split", some, rest, note=self._note))
        raise UsageError(f"{person.id} has no other track than {' '.join(words)}: there is nothing to split it from")

    def name(self, word: str, name: str) -> Correction:
        """Give a person a name; an empty one withdraws a name that a person gave. A track is named alone; an id or a name
        stands for all tracks of the person.

        Raises:
            UsageError: the person or the track is not found, or the name is not allowed.
            PublishError: the correction cannot be written.
        """
        person = self._one(word)
        self._check_free(name)
        if not name and not person.given:
            raise UsageError(f"{word} has no name that a person gave: nothing to take back")
        is_track = word not in (person.id, person.name) and any(track.is_called(word) for track in person.tracks)
        tracks = [self._track(word)[1]] if name and is_track else person.refs
        there = [one for one in self._people.persons if name and one is not person and one.name == person_name(name)]
        if there:
            had = count(sum(len(one.tracks) for one in there), "track")
            self.notices.append(f"{there[0].name} was there already, with {had}: both are one person now")
        return self._keep(new_correction(self._who, "name", tracks, name=person_name(name) if name else "", note=self._note))

    def undo(self, begins: str) -> Correction:
        """Undo a correction, which may itself be an undo.

        Raises:
            UsageError: no correction or several begin so, or it has been undone already.
            PublishError: the correction cannot be written.
        """
        corrections = self._people.corrections
        found = [one for one in corrections if begins and one.id.startswith(begins)]
        if len(found) != 1:
            what = "is not a correction" if not found else f"begins {len(found)} corrections"
            raise UsageError(f"{begins} {what} of these results: --history lists them")
        if any(one.what == "undo" and one.undoes == found[0].id for one in corrections) and found[0] not in in_force(
            corrections
        ):
            raise UsageError(f"{found[0].id} has been undone already: to have it back, undo that, which --history lists")
        return self._keep(
            new_correction(self._who, "undo", found[0].tracks, found[0].others, undoes=found[0].id, note=self._note)
        )

    def namesakes(self, name: str) -> list[str]:
        """Return other names that look like this one."""
        return sorted({one.name for one in self._people.persons if one.name and one.name != name and alike(one.name, name)})

    def _check_free(self, name: str) -> None:
        """Refuse a name that already means another person or a track: later it would be ambiguous."""
        if other := [one for one in self._people.find(name) if one.name != spelling(name)]:
            raise UsageError(
                f"{name!r} already means {other[0].id} here: choose another name, or use --merge if both are one person"
            )

    def _one(self, word: str) -> Person:
        found = self._people.find(word)
        if len(found) == 1:
            return found[0]
        if not found:
            near = self.namesakes(word)
            advice = (
                f"did you mean {' or '.join(near)}?"
                if near
                else "give an id such as P-7K2MXQ4, a name, or a track as stream/track"
            )
            raise UsageError(f"nobody in these results is {word!r}: {advice}")
        raise UsageError(f"{word!r} means {len(found)} people ({', '.join(one.id for one in found[:5])}): give one id")

    def _track(self, word: str) -> tuple[Person, TrackRef]:
        found = [(person, ref_of(track)) for person in self._people.persons for track in person.tracks if track.is_called(word)]
        if len(found) == 1:
            return found[0]
        if not found:
            raise UsageError(f"{word!r} is not a track of these results: give it as stream/track, or RESULT:stream/track")
        raise UsageError(f"{word!r} means {len(found)} tracks: give it as RESULT:stream/track")

    def _keep(self, correction: Correction) -> Correction:
        about = {ref.run for ref in [*correction.tracks, *correction.others]}
        directories = [result.run.directory for result in self._results if result.origin in about]
        append_correction(directories, correction)
        for directory in directories:
            try:
                seal_corrections(directory, self._who, self._key)
            except (OSError, PublishError) as error:
                self.notices.append(f"{directory}: the correction is kept, and its hash chain does not vouch for it: {error}")
        return correction


def only_grouped(people: People, named: Correction) -> list[StoredTrack]:
    """Return the tracks that get a name only because they are grouped with tracks that were named, not because a person or the
    gallery named them.

    Args:
        people: grouped again with the correction.
        named: the correction, which gives a name.
    """
    said = {ref for one in in_force(people.corrections) if one.what == "name" and one.name == named.name for ref in one.tracks}
    persons = [person for person in people.persons if named.name and not set(person.refs).isdisjoint(named.tracks)]
    tracks = [track for person in persons for track in person.tracks]
    return [track for track in tracks if ref_of(track) not in said and track.name != named.name]


def beside_each_other(people: People, said: Correction) -> list[tuple[StoredTrack, StoredTrack]]:
    """Return pairs of tracks that a correction joins in one person although they overlap in time; at most one pair for each
    track.

    Args:
        people: grouped again with the correction.
        said: the correction.
    """
    if said.what not in ("merge", "name"):
        return []
    persons = [person for person in people.persons if not set(person.refs).isdisjoint(said.tracks)]
    return [(person.tracks[others[0]], person.tracks[at]) for person in persons for (at,), others in at_once(person.tracks)]


def directories_of(results: Iterable[Result]) -> list[Path]:
    """Return the directories whose corrections apply to these results."""
    return [result.run.directory for result in results]


def _refs(persons: Iterable[Person]) -> list[TrackRef]:
    return [ref for person in persons for ref in person.refs]
