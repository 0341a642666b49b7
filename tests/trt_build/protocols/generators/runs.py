"""Results of small runs that were never made."""

from __future__ import annotations

import numpy as np

from trt_build.measures.bootstrap import Interval
from trt_build.protocols.generators.papers import papers_of
from trt_build.protocols.generators.picture_scores import COLUMNS
from trt_build.protocols.generators.results import Column, Curve, Figure, MethodNote, Results, Row, Strip
from trt_build.protocols.generators.samples import strip

TAR = Column("tar_sharp_1e-2", "TAR sharp 1e-2", 3, 1, "True accept rate.")


def figures(value: float, gain: Interval | None) -> dict[str, Figure]:
    return {
        "psnr_db": Figure(value, (value - 1, value + 1), gain),
        "ssim": Figure(0.9, None, gain),
        "lr_consistency_db": Figure(40.0),
        "false_detail": Figure(float("nan")),
        "tar_sharp_1e-2": Figure(0.5, (0.4, 0.6), gain),
    }


def results(model: str = "srcnn_x4") -> Results:
    """Two strata, a baseline, a model that is better on one and worse on the other, and its fused row."""
    rows = []
    for inputs, gain in (("clean", Interval(2.5, 2.0, 3.0)), ("h264", Interval(-0.5, -0.9, -0.1))):
        rows += [
            Row(inputs, 32, 4, "bicubic", figures(30.0, None)),
            Row(inputs, 32, 4, model, figures(32.5, gain)),
            Row(inputs, 32, 4, f"{model} + bicubic", {"tar_sharp_1e-2": Figure(0.55, (0.5, 0.6), Interval(0.05, -0.1, 0.2))}),
        ]
    curves = [
        Curve("clean", 32, 4, gallery, name, [0.01, 0.1, 1.0], [0.5, 0.2, 0.0])
        for gallery in ("sharp", "low")
        for name in ("bicubic", "lanczos4", model)
    ]
    return Results(
        protocol="faces",
        baseline="bicubic",
        about=["Measured <so> & so."],
        columns=[*COLUMNS[:4], TAR],
        rows=rows,
        methods=[MethodNote("bicubic", 4, "OpenCV", ""), MethodNote(model, 4, "a network", "ab" * 32)],
        data={"source": "faces.zip", "faces": 7},
        versions={"numpy": np.__version__},
        curves=curves,
        papers=papers_of([model]),
    )


def strips(model: str = "srcnn_x4") -> list[Strip]:
    """One input of each of two groups."""
    low, high = np.full((8, 8), 90, np.uint8), np.full((32, 32), 90, np.uint8)
    return [
        strip(group, "A <b>/1.jpg", low, {"bicubic": high, model: high + 1}, high) for group in ("clean, 8 px", "h264, 8 px")
    ]
