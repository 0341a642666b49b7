"""Error rates that were measured, for the page of one track, and what they were measured on.

They come from where the product has them: what the run said a name may claim, the limits and the calibration that ship with
the embedder, and the bench of names (``docs/results/names.md``, of which ``naming_rates.json`` is the machine's form).
"""

from __future__ import annotations

import importlib.resources
import math
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from engine.archive.reader import TrackRecord
from engine.archive.record import embedder_sha256
from engine.contracts.findings import Basis
from engine.errors import ModelError
from engine.report.summary import naming
from engine.verify.likelihood import Bucket, calibration_of
from engine.verify.open_set import open_set_of
from engine.words.worth import one_in

_PEOPLE = (
    "news photographs of public figures of about 2002 to 2004 (mostly men, mostly light-skinned, mostly adults), grey and "
    "near-frontal, shown as small moving faces in H.264 video"
)


_SCENE = (
    "If the camera that took an enrolled picture filmed somebody else, too, they look more alike: the limit for a name was "
    "reached by 4 of 21,676 pairs of people in one picture, by none of the 3,950 with faces from 24 px on."
)
"""Measured by ``tests.bench.scene_strangers``."""


class NamingRate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the bench of names found at one size of face."""

    size_px: int
    right_percent: float
    """Of the tracks of people enrolled."""


class NamingRates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The bench of names, under the default rule, as ``tests.bench.naming_rates`` writes it."""

    measured_on: str
    false_name_rate: float
    people_enrolled: int
    people: int
    """With a track."""
    enrolled_tracks: int
    """Of people enrolled, all sizes."""
    others_names: int
    """Of them, under another's name."""
    stranger_tracks: int
    strangers_named: int
    high_per_1000: float
    """Bound at 95 % of strangers named, of 1,000, for tracks that are independent of each other."""
    galleries: int
    """Of so many people, drawn anew from all who could be enrolled."""
    strangers_named_per_1000: float
    """The mean over them."""
    sizes: list[NamingRate]


def naming_rates() -> NamingRates:
    """Return what ships of the bench."""
    text = importlib.resources.files("engine.report.pdf").joinpath("naming_rates.json").read_bytes()
    return msgspec.json.decode(text, type=NamingRates)


def error_rates(run: Mapping[str, Any], record: TrackRecord) -> Iterator[str]:
    """Yield sentences: what a name may claim, how often it is wrong or missing, and what that was measured on.

    Args:
        run: ``run.json``.
        record: the track.
    """
    basis = record.track.basis if record.track else None
    if claimed := naming(run):
        yield f"The rule for names in this run: {claimed}."
    if basis is None:
        return
    sha256 = embedder_sha256(run)
    try:
        measured = open_set_of(sha256) if sha256 else None
    except ModelError:
        measured = None
    if basis.false_name_rate is not None and record.candidates:
        yield from _chance(record, basis)
    if measured is None:
        yield "No error rates were measured for the network that compared these faces."
        return
    rates = naming_rates()
    if basis.false_name_rate == rates.false_name_rate:
        yield _bench(rates, basis.size_px)
        yield _SCENE
    yield f"The limits were measured on {measured.provenance.partition(';')[0]}: {_PEOPLE}; not on this camera or these people."


def _chance(record: TrackRecord, basis: Basis) -> Iterator[str]:
    first = record.candidates[0]
    if first.false_name_chance is None or basis.false_name_rate is None:
        return
    if first.false_name_chance >= 1:
        yield "This track: any stranger may look as much like somebody enrolled, so the likeness says nothing against chance."
        return
    yield (
        f"This track: at most {one_in(first.false_name_chance)} strangers with faces of this size look so much like somebody "
        f"enrolled (in 95 of 100 galleries); for a name it must be at most {one_in(basis.false_name_rate)}."
    )


def _bench(rates: NamingRates, size_px: float) -> str:
    one = min(rates.sizes, key=lambda rate: abs(math.log(rate.size_px / max(size_px, 1.0))))
    largest = " (larger ones were not tested)" if size_px > 1.2 * max(rate.size_px for rate in rates.sizes) else ""
    return (
        f"In a test with {rates.people_enrolled} people enrolled and faces of {one.size_px} px{largest}, "
        f"{one.right_percent:g} % of the tracks of people enrolled got their own name. Of all sizes, "
        f"{rates.others_names or 'none'} of {rates.enrolled_tracks:,} got another's name, and "
        f"{rates.strangers_named or 'none'} of {rates.stranger_tracks:,} tracks of strangers filmed by other cameras got one: "
        f"the true share is at most {rates.high_per_1000:g} in 1,000 (95 %, if tracks were independent). In {rates.galleries} "
        f"galleries drawn anew it was {rates.strangers_named_per_1000:g} in 1,000 on average (tracks of {rates.people} people)."
    )


def bucket_of(run: Mapping[str, Any], basis: Basis) -> Bucket | None:
    """Return what stands behind a track's likelihood ratio, None where this version has another calibration."""
    try:
        calibration = calibration_of(embedder_sha256(run)) if basis.calibration else None
    except ModelError:
        return None
    if calibration is None or calibration.id != basis.calibration:
        return None
    return next((bucket for bucket in calibration.buckets if bucket.words == basis.bucket), None)
