"""Tracks that the pages of ``people`` show under a person's name only because they look like the person: nobody has said it.

An erasure leaves them: resemblance alone would take out somebody else. It says which they are, as long as that can be told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from engine.archive.corrections import read_corrections
from engine.desk.people import people_of
from engine.desk.selection import choose_results
from engine.errors import FacestreamError
from engine.privacy.mentions import Mentions
from engine.privacy.said import Key


def look_alikes(directories: Sequence[Path], person: Mentions, theirs: Iterable[tuple[Path, Key]]) -> dict[Path, list[str]]:
    """Return those tracks, as ``stream/id`` by output directory; of results that cannot be compared there are none.

    Args:
        directories: of runs.
        person: who goes.
        theirs: the tracks that are known to be theirs.
    """
    known = set(theirs)
    if not known:
        return {}
    try:
        results = choose_results(directories).results
        corrections = read_corrections([result.run.directory for result in results])
        persons = people_of(results, corrections).persons
    except (OSError, FacestreamError):
        return {}
    found: defaultdict[Path, list[str]] = defaultdict(list)
    for one in persons:
        keys = [(track.result.run.directory, (track.stream, track.track_id)) for track in one.tracks]
        if person.is_name(one.name):
            for directory, (stream, track_id) in (key for key in keys if key not in known):
                found[directory].append(f"{stream}/{track_id}")
    return dict(found)
