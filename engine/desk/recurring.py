"""People whose tracks a report shows together: strangers who were seen more than once, and those whom people have named."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine.archive.corrections import Correction, in_force, read_corrections
from engine.desk.corrected import directories_of
from engine.desk.people import Person, people_of, ref_of
from engine.desk.selection import choose_results
from engine.desk.stored import StoredTrack
from engine.errors import FacestreamError
from engine.report.track_tables import Group, Key


def recurring_strangers(directory: Path) -> dict[Key, Group]:
    """Return the group of each track, by stream and track id, for strangers with several tracks and for people who were named
    by hand.

    Empty if tracks cannot be grouped, for instance without vectors: a report can still be made.
    """
    try:
        results = choose_results([directory]).results
        people = people_of(results, read_corrections(directories_of(results)))
    except (FacestreamError, OSError):
        return {}
    said = [one for one in in_force(people.corrections) if one.what == "name"]
    return {
        (track.stream, track.track_id): Group(person.name or person.id, _naming(person, track, said))
        for person in people.persons
        if person.given or (not person.name and len(person.tracks) > 1)
        for track in person.tracks
    }


def _naming(person: Person, track: StoredTrack, said: Sequence[Correction]) -> str:
    """Return who gave the name, and whether to this track or only to another of the group."""
    if not person.given:
        return ""
    of_name = [one for one in said if one.name == person.name]
    of_track = [one for one in of_name if ref_of(track) in one.tracks]
    who = next((one.who for one in reversed(of_track or of_name)), "") or "somebody"
    return f"named by {who}" if of_track else f"grouped with a track that {who} named"
