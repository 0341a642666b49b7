"""The protocol `faces`: image quality, likeness and verification of small faces, by kind of input and size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.contracts.frames import Float32, Uint8
from trt_build.data.face_sets import HIGH_PX, FaceSet, Stratum, build_set, check_people, strata_of
from trt_build.data.faces import Faces, to_size
from trt_build.measures.bootstrap import Draws, draw_people
from trt_build.measures.comparison import Comparison
from trt_build.measures.verification import Pairing, generated_pairs
from trt_build.protocols.generators import identity
from trt_build.protocols.generators.methods import BASE, Method
from trt_build.protocols.generators.options import Options
from trt_build.protocols.generators.picture_scores import COLUMNS, score_pictures
from trt_build.protocols.generators.recognisers import DlibRecogniser, OnnxRecogniser, Recogniser, find_places
from trt_build.protocols.generators.results import Column, Curve, Drawn, Row, Strip, rows_of
from trt_build.protocols.generators.samples import SHOWN, chosen, strip
from trt_build.work import Done, WorkCount


@dataclass(frozen=True)
class Measured:
    """The results."""

    columns: list[Column]
    rows: list[Row]
    curves: list[Curve]
    strips: list[Strip]
    pairs: Pairing


@dataclass(frozen=True)
class _Bench:
    """Data shared by all strata."""

    faces: Faces
    draws: Draws
    pairs: Pairing
    recognisers: Mapping[str, Recogniser]
    """Recognisers by the prefix of their columns."""
    sharp: Mapping[str, Float32]
    options: Options
    tally: WorkCount


def measure_faces(faces: Faces, source: object, methods: Mapping[int, list[Method]], options: Options, done: Done) -> Measured:
    """Measure all methods on all strata of their scales.

    Args:
        faces: of people who are in no training.
        source: where they come from, for messages.
        methods: by scale, ``BASE`` and ``options.against`` among each.
        options: seed, folders and extras.
        done: for progress.

    Raises:
        DataError: the faces are too small, or do not make pairs.
        ModelError: a model fails.
    """
    check_people(faces, source)
    people = faces.identities()
    strata = [stratum for scale in methods for stratum in strata_of(scale)]
    sharp = to_size(np.asarray(faces.images), HIGH_PX)
    recognisers = _recognisers(sharp, options)
    passes = sum(len(methods[stratum.scale]) for stratum in strata)
    verified = [stratum for stratum in strata if stratum.low_px in identity.VERIFIED_PX]
    totals = {
        "scoring": passes * len(faces.names),
        "embedding": (passes + 1) * len(faces.names) * len(recognisers),
        "verifying": len(verified) * len(identity.GALLERIES) * len(recognisers),
    }
    tally = WorkCount(done, totals)
    try:
        vectors = {prefix: one.vectors(sharp, lambda n: tally.add("embedding", n)) for prefix, one in recognisers.items()}
        draws = draw_people(people, options.rounds, options.seed)
        bench = _Bench(faces, draws, generated_pairs(people, options.seed), recognisers, vectors, options, tally)
        found = [_measure_stratum(bench, stratum, methods[stratum.scale]) for stratum in strata]
    finally:
        for one in recognisers.values():
            one.close()
    named = [column for prefix, one in recognisers.items() for column in identity.columns(one.name, prefix)]
    rows = [row for one, _, _ in found for row in one]
    curves = [curve for _, some, _ in found for curve in some]
    strips = [one for _, _, some in found for one in some]
    return Measured([*COLUMNS, *named], rows, curves, strips, bench.pairs)


def _recognisers(sharp: Uint8, options: Options) -> dict[str, Recogniser]:
    places = find_places(sharp)
    second = options.second_embedder
    others: dict[str, Recogniser] = {"second_": OnnxRecogniser(second, places, HIGH_PX)} if second else {}
    return {"": DlibRecogniser(places, HIGH_PX, options.cache), **others}


def _measure_stratum(bench: _Bench, stratum: Stratum, methods: Sequence[Method]) -> tuple[list[Row], list[Curve], list[Strip]]:
    options = bench.options
    pairs = build_set(stratum.kind, bench.faces, stratum.high_px, stratum.scale, options.seed)
    shown = chosen(len(pairs.low), SHOWN, options.seed)
    drawn: dict[str, dict[str, Drawn]] = {}
    vectors: dict[str, dict[str, Float32]] = {prefix: {} for prefix in bench.recognisers}
    pictures: dict[str, Uint8] = {}
    for method in methods:
        enlarged = method.enlarge(pairs.low)
        scores = score_pictures(enlarged, pairs.high, pairs.low, stratum.scale, options.perceptual)
        drawn[method.name] = scores.drawn(bench.draws)
        bench.tally.add("scoring", len(enlarged))
        for prefix, recogniser in bench.recognisers.items():
            found = recogniser.vectors(enlarged, lambda n: bench.tally.add("embedding", n))
            drawn[method.name] |= identity.drawn_identity(found, bench.sharp[prefix], bench.draws, prefix)
            vectors[prefix][method.name] = found
        pictures[method.name] = enlarged[shown]
    rows = rows_of(drawn, options.against, (stratum.kind, stratum.low_px, stratum.scale))
    curves: list[Curve] = []
    if stratum.low_px in identity.VERIFIED_PX:
        rows, curves = _verified(bench, stratum, methods, vectors, rows)
    return rows, curves, _strips(bench.faces, pairs, stratum, shown, pictures)


def _verified(
    bench: _Bench, stratum: Stratum, methods: Sequence[Method], vectors: Mapping[str, Mapping[str, Float32]], rows: list[Row]
) -> tuple[list[Row], list[Curve]]:
    networks = [method.name for method in methods if not method.is_baseline]
    comparison = Comparison(bench.draws, bench.pairs)
    against = bench.options.against
    for prefix in bench.recognisers:
        systems = identity.Systems(vectors[prefix], bench.sharp[prefix], networks, fused_with=BASE)
        told = identity.verify(systems, against, comparison, lambda: bench.tally.add("verifying"))
        rows = identity.with_verified(rows, told, prefix)
    place = (stratum.kind, stratum.low_px, stratum.scale)
    return rows, identity.det_curves(identity.Systems(vectors[""], bench.sharp[""]), bench.pairs, place)


def _strips(faces: Faces, pairs: FaceSet, stratum: Stratum, shown: Sequence[int], pictures: Mapping[str, Uint8]) -> list[Strip]:
    strips = []
    for at, index in enumerate(shown):
        results = {name: stack[at] for name, stack in pictures.items()}
        strips.append(strip(str(stratum), faces.names[index], pairs.low[index], results, pairs.high[index]))
    return strips
