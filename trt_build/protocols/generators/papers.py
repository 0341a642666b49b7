"""Figures that four papers print for methods that we rebuilt, mistakes included, and whether they are comparable with ours.

Cells are the printed text. A paper is shown where one of our models of its name is among those measured.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from trt_build.protocols.generators.results import Paper, PaperRow

PAPERS = (
    Paper(
        title=(
            "Improving Super-Resolution in Face Images by Modeling Image Degradation Using Pairs of High-Quality and "
            "Low-Quality Images"
        ),
        citation="A. Dolatkah, Journal of Southern Communication Engineering 14 (54), 2025",
        table="Table 1: PSNR (dB), SSIM (%), LPIPS (%), face recognition accuracy (%)",
        models=("redeg",),
        rows=(
            PaperRow("BSRGAN", "24.48", "71", "39.1", "98.7"),
            PaperRow("ESRGAN", "24.50", "71.5", "38.7", "98.8"),
            PaperRow("RGI", "18.95", "81", "38.6", "98.8"),
            PaperRow("MI-GAN", "24.65", "72.5", "39", "98.7"),
            PaperRow("Proposed model", "25.42", "71.5", "38.4", "98.8"),
        ),
        compares=(
            "Not comparable: data set, scale and split are not given, two of its rivals do face swapping and inpainting, and "
            "the accuracies differ by less than the sampling error of LFW's 6,000 pairs (0.28 %)."
        ),
    ),
    Paper(
        title="Advanced Image Super-Resolution Using Deep Learning Approaches",
        citation="M. Badiy, F. Amounas, M. Azrour, M. A. A. Hammoudeh, 2025",
        table="Table 1: PSNR (dB), SSIM",
        models=("srcnn", "srgan", "srcnn_srgan"),
        rows=(
            PaperRow("SRCNN", "29.8132", "0.8796"),
            PaperRow("EDSR", "30.4251", "0.8901"),
            PaperRow("ESRGAN", "30.2009", "0.8986"),
            PaperRow("RFB-ESRGAN", "30.4116", "0.8910"),
            PaperRow("IGAN-SRCP", "31.1210", "0.9055"),
            PaperRow("Proposed approach", "36.1368", "0.9670"),
        ),
        compares=(
            "Not comparable: the scale is never stated (36.14 dB is what SRCNN has on Set5 at x2), the rivals' rows carry the "
            "method list of a paper on coal photomicrographs, and Set5 and Set14 are mixed into the training data."
        ),
    ),
    Paper(
        title="Image Super Resolution Using Generative Adversarial Networks and non-Paired Strategy",
        citation="L. K. Moreira, M. Romero, M. Ribeiro",
        table="Table I: SRGAN's result against ZSSR's on eight pictures: PSNR (dB), SSIM",
        models=("zssr_srgan",),
        rows=(
            PaperRow("picture 1", "31,5044", "0,9132"),
            PaperRow("picture 2", "31,6848", "0,8568"),
            PaperRow("picture 3", "31,9378", "0,8951"),
            PaperRow("picture 4", "31,2329", "0,8668"),
            PaperRow("picture 5", "31,1281", "0,8566"),
            PaperRow("picture 6", "31,2964", "0,8715"),
            PaperRow("picture 7", "38,9739", "0,9462"),
            PaperRow("picture 8", "32,9032", "0,8835"),
        ),
        compares=(
            "Not comparable: it measures how closely SRGAN imitates the ZSSR pictures that it was trained to imitate, not how "
            "near either comes to a sharp face."
        ),
    ),
    Paper(
        title="A Method for Face Hallucination Based on Generative Adversarial Network by Extending ESRGAN Architecture",
        citation="A. al'naeimee, A. Lakizadeh",
        table="Table 2: PSNR (dB), SSIM, LPIPS; last line: the abstract's",
        models=("rrdn_compact",),
        rows=(
            PaperRow("GAFH-RIDN", "24.28", "0.71"),
            PaperRow("VDSR", "25.18", "0.75"),
            PaperRow("SRCNN", "24.52", "0.722"),
            PaperRow("SelfEx", "26.44", "0.80"),
            PaperRow("RFL", "25.86", "0.79"),
            PaperRow("A+", "26.03", "79.73"),
            PaperRow("Ours", "26.83", "0.8108", "30.30"),
            PaperRow("Ours, abstract", "30.30", "0.8757", "0.0817"),
        ),
        compares=(
            "Not comparable: its rivals' figures are published ones for Urban100, some at x3 and some at x4, none on faces or "
            "on its DIV2K pictures, and its own differ between text and table, where the LPIPS cell holds the PSNR."
        ),
    ),
)


def papers_of(models: Sequence[str]) -> list[Paper]:
    """Return the papers that models of these names rebuild, with the names measured; a scale as in ``srcnn_x2`` is ignored."""
    plain = {name: re.sub(r"(_x\d+)?(#\d+)?$", "", name) for name in models}
    found = []
    for paper in PAPERS:
        measured = list(dict.fromkeys(name for name in models if plain[name] in paper.models))
        if measured:
            found.append(msgspec.structs.replace(paper, measured=measured))
    return found
