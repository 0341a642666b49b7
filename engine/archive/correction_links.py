"""What corrections add up to: which tracks are one person, which are not, and who has which name. Later corrections win."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from engine.archive.corrections import Correction, TrackRef, in_force

Refs = frozenset[TrackRef]


@dataclass
class Links:
    """What is known of tracks whatever they look like."""

    together: list[Refs] = field(default_factory=list)
    """Each of one person; no track stands in two."""
    apart: list[tuple[Refs, Refs]] = field(default_factory=list)
    """No track of the one is of the person of any of the other."""
    names: dict[TrackRef, str] = field(default_factory=dict)
    """As people gave them, the latest last; all tracks of one name are together."""

    def merge(self, tracks: Iterable[TrackRef]) -> None:
        """These are one person, with all that were one with any of them; what said otherwise does not hold any more, and of
        several names the latest stays."""
        some = frozenset(tracks)
        whole = some.union(*(one for one in self.together if one & some))
        if len(whole) < 2:
            return
        self.together = [one for one in self.together if not one & whole] + [whole]
        kept = []
        for left, right in self.apart:  # only what lies between two of the merged ones falls
            kept += [(left - whole, right), (left & whole, right - whole)]
        self.apart = [(left, right) for left, right in kept if left and right]
        named = [track for track in self.names if track in whole]
        if named:
            name = self.names[named[-1]]
            for track in named:
                del self.names[track]
            self.names.update(dict.fromkeys(named, name))

    def split(self, tracks: Iterable[TrackRef], others: Iterable[TrackRef]) -> None:
        """These are not the person of the others, and lose the name; whether they are one among themselves is left open."""
        some, rest = frozenset(tracks), frozenset(others)
        together: list[Refs] = []
        for one in self.together:
            pieces = (one & some, one - some) if one & some and one & rest else (one,)
            together += [piece for piece in pieces if len(piece) > 1]
        self.together = together
        for track in some:
            self.names.pop(track, None)
        if some and rest:
            self.apart.append((some, rest))

    def name(self, tracks: Iterable[TrackRef], name: str, known: Iterable[TrackRef] = ()) -> None:
        """These are the person of this name, as are all who have it already, from people or as the gallery has ``known`` them;
        an empty name takes theirs away."""
        some = frozenset(tracks)
        whole = some.union(*(one for one in self.together if one & some))
        for track in whole:
            self.names.pop(track, None)
        if name:
            namesakes = [track for track, other in self.names.items() if other == name]
            self.names.update(dict.fromkeys(sorted(some), name))
            self.merge([*some, *namesakes, *known])


def links_of(corrections: Sequence[Correction], known: Iterable[tuple[TrackRef, str]] = ()) -> Links:
    """Return what the corrections that are in force amount to.

    Args:
        corrections: all, by their time.
        known: tracks that the gallery has named: of one name they are one person, of two they are two, until somebody says
            otherwise.
    """
    links, of_gallery, spoken_of = Links(), dict(known), set[TrackRef]()
    _part(links, of_gallery, merges=True)
    for one in in_force(corrections):
        if one.what == "merge":
            links.merge(one.tracks)
        elif one.what == "split":
            links.split(one.tracks, one.others)
            spoken_of.update(one.tracks)
        elif one.name:
            namesakes = [ref for ref, name in of_gallery.items() if name == one.name and ref not in spoken_of]
            links.name(one.tracks, one.name, namesakes)
            spoken_of.update(one.tracks)
        else:
            links.name(one.tracks, "")
            spoken_of.difference_update(one.tracks)
    _part(links, links.names, merges=False)
    return links


def _part(links: Links, names: dict[TrackRef, str], merges: bool) -> None:
    """Tracks of two names are of two people; those of one name are of one where ``merges``."""
    of_name: dict[str, set[TrackRef]] = {}
    for track, name in names.items():
        of_name.setdefault(name, set()).add(track)
    people = [frozenset(tracks) for tracks in of_name.values()]
    for number, tracks in enumerate(people):
        if merges:
            links.merge(tracks)
        links.apart += [(tracks, others) for others in people[:number]]
