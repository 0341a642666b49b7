"""Strangers of one result who were seen more than once, for its report."""

from __future__ import annotations

from pathlib import Path

from engine.archive.corrections import read_corrections
from engine.desk.chosen import choose_results
from engine.desk.corrected import directories_of
from engine.desk.people import people_of
from engine.errors import FacestreamError


def recurring_strangers(directory: Path) -> dict[tuple[str, int], str]:
    """Return stream and track id of each track of a stranger who has several, or whom a person has named: what to call them.

    Empty where tracks cannot be grouped, as without vectors: a report is made all the same.
    """
    try:
        results = choose_results([directory]).results
        persons = people_of(results, read_corrections(directories_of(results))).persons
    except (FacestreamError, OSError):
        return {}
    return {
        (track.stream, track.track_id): person.name or person.id
        for person in persons
        if person.given or (not person.name and len(person.tracks) > 1)
        for track in person.tracks
    }
