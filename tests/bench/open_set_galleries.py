"""The default rule in many galleries, drawn anew from all people: how often it holds, and whom it names."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.config.verify import VerifyConfig
from engine.verify.naming import is_doubtful
from engine.verify.open_set import OpenSet
from trt_build.data.people.photographs import Photographs, person_of
from trt_build.data.people.recording import NOBODY, Arrays
from trt_build.protocols.open_set.fit import sizes_of

PEOPLE = (1, 10, 50, 100, 200, 400)
"""In a gallery; where it is one, everyone in turn."""
DRAWS = 200
DEFAULT_RATE, _MIN_FACES = VerifyConfig().false_name_rate, VerifyConfig().min_faces


class Drawn(msgspec.Struct, frozen=True):
    """Many galleries of so many people."""

    people: int
    pictures: int
    """Of each of them."""
    right: dict[str, float]
    """By size of the faces: share of the tracks of enrolled people."""
    wrong: float
    """Share of them under another's name, all sizes."""
    named: float
    """Share of strangers' tracks, all sizes."""
    held: dict[str, float]
    """By size: share of the galleries in which no more than the rate of strangers' tracks were named."""


@dataclass(frozen=True, eq=False)
class _Compared:
    """Each track with each person who could be enrolled."""

    best: NDArray[np.float32]
    """(T, P) resemblance with the best picture."""
    own: NDArray[np.int64]
    """(T,) column of the track's person, -1 where that one cannot be enrolled."""
    is_probe: NDArray[np.bool_]
    """(T,) False where the track shows an enrolled picture itself."""
    has_faces: NDArray[np.bool_]
    """(T,) enough of them for a decision."""


def by_gallery(
    tracks: Arrays,
    photographs: Photographs,
    measured: OpenSet,
    margin: float,
    *,
    rate: float = DEFAULT_RATE,
    pictures: int = 1,
    least: int = 1,
) -> list[Drawn]:
    """Decide every track in galleries that are drawn anew, by the limits and the doubts of ``ByChance``: all tracks at once.

    Args:
        tracks: see ``Recorder.record``.
        photographs: everybody's.
        measured: limits.
        margin: as ``Thresholds.margin_cosine``.
        rate: of false names, as ``verify.false_name_rate``.
        pictures: of each person that are enrolled, the best.
        least: photographs of everyone who can be enrolled, at least as many as ``pictures``.
    """
    compared = _compare(tracks, photographs, measured, pictures, least)
    rows, sizes, places = [], sizes_of(tracks).tolist(), tracks["place_px"]
    for count in PEOPLE:
        if 2 * count <= compared.best.shape[1] or count == 1:
            limits = np.array([measured.limit(size, count * pictures, rate) for size in sizes])
            rows.append(_drawn(compared, places, limits, margin, rate, count, pictures))
    return rows


def _compare(tracks: Arrays, photographs: Photographs, measured: OpenSet, pictures: int, least: int) -> _Compared:
    enough = {who: several[:pictures] for who, several in photographs.of_people().items() if len(several) >= least}
    column = {who: at for at, who in enumerate(enough)}
    rows = [at for several in enough.values() for at in several]
    shown = {photographs.actors[at].name for at in rows}
    vectors, names = photographs.vectors[rows], tracks["picture"].tolist()
    crowding = measured.crowding(tracks["vector"])[:, None] + measured.crowding(vectors)[None]
    alike = 2 * tracks["vector"] @ vectors.T - crowding
    own = [column.get(person_of(name), -1) if name != NOBODY else -1 for name in names]
    return _Compared(
        alike.reshape(len(names), len(enough), pictures).max(axis=2),
        np.array(own),
        np.array([name not in shown for name in names]),
        np.bincount(tracks["face_track"], minlength=len(names)) >= _MIN_FACES,
    )


def _drawn(
    one: _Compared,
    places: NDArray[np.float32],
    limits: NDArray[np.float64],
    margin: float,
    rate: float,
    people: int,
    pictures: int,
) -> Drawn:
    everyone = one.best.shape[1]
    rng = np.random.default_rng(people)
    drawn = np.arange(everyone)[:, None] if people == 1 else [rng.permutation(everyone)[:people] for _ in range(DRAWS)]
    at_size = {f"{place:g} px": places == place for place in sorted(set(places.tolist()))}
    right, own, held = dict.fromkeys(at_size, 0), dict.fromkeys(at_size, 0), dict.fromkeys(at_size, 0)
    wrong = named = strangers = 0
    for gallery in drawn:
        some = one.best[:, gallery]
        first = some.argmax(axis=1)
        top = some[np.arange(len(some)), first]
        second = np.partition(some, -2, axis=1)[:, -2] if people > 1 else np.full(len(some), -np.inf)
        known = one.has_faces & (top >= limits) & ~is_doubtful(second >= limits, top - second, margin)
        inside, is_right = np.isin(one.own, gallery), gallery[first] == one.own
        probes = inside & one.is_probe
        wrong += int(np.sum(probes & known & ~is_right))
        named += int(np.sum(~inside & known))
        strangers += int(np.sum(~inside))
        for size, here in at_size.items():
            own[size] += int(np.sum(probes & here))
            right[size] += int(np.sum(probes & here & known & is_right))
            held[size] += int(np.sum(~inside & known & here)) <= rate * int(np.sum(~inside & here))
    return Drawn(
        people,
        pictures,
        {size: right[size] / max(own[size], 1) for size in at_size},
        wrong / max(sum(own.values()), 1),
        named / max(strangers, 1),
        {size: held[size] / len(drawn) for size in at_size},
    )
