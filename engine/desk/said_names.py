"""The names that people gave to tracks: to the track itself, or to one that people have said is the same person."""

from __future__ import annotations

from collections.abc import Sequence

from engine.archive.correction_links import links_of
from engine.archive.corrections import TrackRef, read_corrections
from engine.desk.people import ref_of
from engine.desk.stored import Result

Names = dict[TrackRef, str]


def said_names(results: Sequence[Result]) -> Names:
    """Return, by track, the current name that a person gave; tracks that are joined to them by grouping alone have none.

    Raises:
        PublishError: the corrections of a result cannot be read.
    """
    known = [(ref_of(track), track.name) for result in results for track in result.tracks if track.name]
    links = links_of(read_corrections(result.run.directory for result in results), known)
    of_whole = {ref: links.names[one] for whole in links.together for one in whole & links.names.keys() for ref in whole}
    return of_whole | links.names
