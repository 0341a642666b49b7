"""The protocol `footage`: real faces, shrunk and coded by a real encoder, compared with the same faces in the original clip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from trt_build.data.face_sets import Stratum
from trt_build.data.footage import Footage, cached_footage
from trt_build.errors import DataError
from trt_build.measures.bootstrap import draw_people
from trt_build.protocols.generators import identity
from trt_build.protocols.generators.methods import Method
from trt_build.protocols.generators.options import Options
from trt_build.protocols.generators.picture_scores import COLUMNS, score_pictures
from trt_build.protocols.generators.recognisers import DlibRecogniser, find_places
from trt_build.protocols.generators.results import Column, Drawn, Row, Strip, rows_of
from trt_build.protocols.generators.samples import SHOWN, chosen, strip
from trt_build.recipes.redeg import FootageSpec
from trt_build.work import Done, WorkCount

TRUTH_PX = 64
"""Side of the truth, typical of faces in footage; a little less if the scale does not divide it."""
_PASSES = 8
SUFFIXES = (".mkv", ".mp4", ".avi", ".mov", ".webm")


def find_clips(data: Path) -> tuple[str, ...]:
    """Return the clips that a path names: a file, the files of a folder, or those matching a pattern.

    Raises:
        DataError: there are none.
    """
    if data.is_dir():
        found = [path for path in sorted(data.iterdir()) if path.suffix.lower() in SUFFIXES]
    else:
        found = [data] if data.exists() else sorted(data.parent.glob(data.name))
    if not found:
        raise DataError(f"There is no clip '{data}': give a video with faces, a folder of them or a pattern.")
    return tuple(str(path) for path in found)


def measure_footage(
    clips: tuple[str, ...], methods: Mapping[int, Sequence[Method]], options: Options, done: Done
) -> tuple[list[Column], list[Row], list[Strip], dict[str, str | int]]:
    """Measure all methods at their scales; returns columns, rows, pictures, and what the data were.

    Args:
        clips: videos whose faces are in no training.
        methods: by scale, ``options.against`` among each.
        options: seed, folders and extras.
        done: for progress.

    Raises:
        DataError: a clip cannot be read, or has no face.
        ModelError: a model fails.
    """
    spec = FootageSpec(clips=clips, passes=_PASSES)
    rows: list[Row] = []
    strips: list[Strip] = []
    data: dict[str, str | int] = {}
    for scale, some in methods.items():
        low_px = TRUTH_PX // scale
        footage = cached_footage(spec, low_px, scale, options.seed, options.cache, done)
        found, shown = _measure(footage, Stratum("footage", low_px, scale), some, options, done)
        rows += found
        strips += shown
        data |= {"faces": len(footage.names), "encodings": len(set(footage.encodings()))}
    likeness = identity.columns(DlibRecogniser.name)[0]
    return [*COLUMNS, likeness], rows, strips, data


def _measure(
    footage: Footage, stratum: Stratum, methods: Sequence[Method], options: Options, done: Done
) -> tuple[list[Row], list[Strip]]:
    draws = draw_people(footage.encodings(), options.rounds, options.seed)
    shown = chosen(len(footage.low), SHOWN, options.seed)
    recogniser = DlibRecogniser(find_places(footage.high), footage.high.shape[1], options.cache)
    count = WorkCount(done, {"embedding": (len(methods) + 1) * len(footage.low)})
    drawn: dict[str, dict[str, Drawn]] = {}
    pictures = {}
    try:
        sharp = recogniser.vectors(footage.high, lambda n: count.add("embedding", n))
        for method in methods:
            enlarged = method.enlarge(footage.low)
            scores = score_pictures(enlarged, footage.high, footage.low, stratum.scale, options.perceptual)
            alike = identity.likeness(recogniser.vectors(enlarged, lambda n: count.add("embedding", n)), sharp)
            drawn[method.name] = scores.drawn(draws) | {"cosine": draws.means(alike)}
            pictures[method.name] = enlarged
    finally:
        recogniser.close()
    strips = [
        strip(str(stratum), footage.names[at], footage.low[at], {k: v[at] for k, v in pictures.items()}, footage.high[at])
        for at in shown
    ]
    return rows_of(drawn, options.against, (stratum.kind, stratum.low_px, stratum.scale)), strips
