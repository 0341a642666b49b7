"""Whether a new picture goes with the gallery: like the person's other pictures, and like nobody else's.

What the default embedder's thresholds amount to, on 2,937 LFW pictures of 1,294 people, up to three pictures each enrolled:

    people enrolled                                           20     100     400
    right, more pictures of a person: questioned            1.1 %   0.7 %   0.4 %
    right, the first picture of a person: questioned        0.1 %   0.6 %   4.2 %
    somebody else's picture, for a person who has some        99 %    99 %    99 %  are questioned
    an enrolled person's picture, under a new name            77 %    78 %    76 %  are questioned
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from engine.contracts.frames import Float32
from engine.verify.embedder import Embedder
from engine.verify.gallery.snapshot import Snapshot
from engine.verify.scores import best_cosines
from engine.words.numbers import told_apart


def doubt_about(name: str, vector: Float32, embedder: Embedder, people: Snapshot) -> str:
    """Return what speaks against a picture of a person as part of a sentence, with the cosine; empty where nothing does.

    The thresholds are the embedder's own: what it calls unknown is unlike the person's other pictures, and who is known, ahead
    of this person by its margin, is somebody else.

    Args:
        name: as ``person_name`` returns it.
        vector: (length,) of length 1.
        embedder: made the vector.
        people: who is enrolled with this embedder.
    """
    cosines = best_cosines(vector, people.names, people.matrix)
    return doubt_of(name, cosines.pop(name, None), cosines, embedder)


def doubt_of(name: str, own: float | None, others: Mapping[str, float], embedder: Embedder) -> str:
    """Return the same where it is known how like a picture is to those of everybody: the cosine of the best of each.

    Args:
        name: see ``doubt_about``.
        own: of this person's other pictures; None: there are none.
        others: of other people's, by name; the highest suffices.
        embedder: see ``doubt_about``.
    """
    other = max(others, key=lambda person: others[person], default=None)
    if other is not None and others[other] >= embedder.known_cosine + embedder.margin_cosine:
        if own is None:
            return f"looks like {other} (cosine {others[other]:.3f})"
        if others[other] - own >= embedder.margin_cosine:
            return f"looks more like {other} (cosine {others[other]:.3f}) than like the other pictures of {name} ({own:.3f})"
    if own is not None and own < embedder.unknown_cosine:
        cosine, least = told_apart(own, embedder.unknown_cosine, 3)
        return f"looks unlike the other pictures of {name} (cosine {cosine}, below {least})"
    return ""


def typical_first(vectors: Sequence[Float32 | None]) -> list[int]:
    """Return the places of pictures of one person, those most like all the others first, equals and those of no face as given.

    Args:
        vectors: (length,) of length 1 each; None: no face.
    """
    places = [place for place, vector in enumerate(vectors) if vector is not None]
    found = [vector for vector in vectors if vector is not None]
    likeness = np.zeros(len(vectors))
    if found:
        matrix = np.stack(found).astype(np.float64)
        likeness[places] = np.round((matrix @ matrix.T).sum(axis=1), 6)
    return [int(place) for place in np.argsort(-likeness, kind="stable")]
