"""The protocol `general`: photograph benchmarks, measured as for SRCNN, VDSR and EDSR.

Luma of BT.601 (`luma`), cut to a multiple of the scale, shrunk by antialiased bicubic with a = -0.5 (`resample`) and rounded to
8 bits, enlarged, rounded to 8 bits; PSNR and SSIM on luma, without a border of `scale` px. A colour network gets the three
channels, each shrunk in the same way, and the luma of its result counts. Bicubic with a = -0.5 reproduces the published 33.66,
30.39 and 28.42 dB on Set5 at x2, x3 and x4 within 0.01 dB.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Uint8
from trt_build.data.general_sets import Picture, check_size, cropped, shrunk
from trt_build.measures.bootstrap import draw_people
from trt_build.measures.luma import luma_of
from trt_build.measures.resample import to_levels
from trt_build.protocols.generators.methods import Method
from trt_build.protocols.generators.options import Options
from trt_build.protocols.generators.picture_scores import score_pictures
from trt_build.protocols.generators.results import Row, Strip, rows_of
from trt_build.protocols.generators.samples import SHOWN, chosen, strip
from trt_build.work import Done, WorkCount

_ENOUGH = 10
"""Least number of pictures for a bootstrap over them."""


def measure_general(
    sets: Mapping[str, Sequence[Picture]],
    methods: Mapping[int, Sequence[Method]],
    options: Options,
    done: Done,
) -> tuple[list[Row], list[Strip]]:
    """Measure all methods on all data sets at their scales; intervals are over the pictures of a set that has at least ten.

    Args:
        sets: pictures by data set.
        methods: by scale, ``options.against`` among each.
        options: seed of the choice of pictures that are shown, and extras.
        done: for progress.

    Raises:
        DataError: a picture is too small.
        ModelError: a model fails.
    """
    for inputs, pictures in sets.items():
        for picture in pictures:
            check_size(picture, max(methods), inputs)
    total = sum(len(pictures) for pictures in sets.values()) * sum(len(some) for some in methods.values())
    count = WorkCount(done, {"enlarging": total})
    rows: list[Row] = []
    strips: list[Strip] = []
    for scale, some in methods.items():
        for inputs, pictures in sets.items():
            found, shown = _measure_set(inputs, pictures, scale, some, options, count)
            rows += found
            strips += shown
    return rows, strips


def _measure_set(
    inputs: str,
    pictures: Sequence[Picture],
    scale: int,
    methods: Sequence[Method],
    options: Options,
    count: WorkCount,
) -> tuple[list[Row], list[Strip]]:
    sharp = [cropped(picture, scale) for picture in pictures]
    truths = [luma_of(one) for one in sharp]
    lows = [shrunk(one, scale) for one in sharp]
    rounds = options.rounds if len(pictures) >= _ENOUGH else 0
    each = draw_people([picture.name for picture in pictures], rounds, options.seed)
    drawn, results = {}, {}
    for method in methods:
        enlarged = []
        for low in lows:
            enlarged.append(_enlarge(method, *low))
            count.add("enlarging")
        scores = score_pictures(enlarged, truths, [luma for luma, _ in lows], scale, options.perceptual)
        drawn[method.name], results[method.name] = scores.drawn(each), enlarged
    strips = []
    for index in chosen(len(pictures), SHOWN, options.seed):
        shown = {name: to_levels(some[index]) for name, some in results.items()}
        strips.append(strip(f"{inputs}, x{scale}", pictures[index].name, lows[index][0], shown, to_levels(truths[index])))
    return rows_of(drawn, options.against, (inputs, None, scale)), strips


def _enlarge(method: Method, luma: Uint8, colour: Uint8) -> NDArray[np.float64]:
    """Return the luma of the enlarged picture, (H, W) float64."""
    if method.enlarge_rgb is not None:
        return luma_of(method.enlarge_rgb(colour))
    return np.asarray(method.enlarge(luma[None])[0], np.float64)
