"""The default embedder: dlib's face recognition network (ResNet-29, 128 values), made from the weights that a package carries.

The manifest's thresholds are for cosines of plain vectors; they decide where ``verify.known_cosine`` is set, and judge pictures
at enrolment. By default chances decide that were measured by size and gallery (``engine.verify.open_set``).

dlib's own measure is the Euclidean distance of vectors of length 1.4 (1.28 to 1.59), at most 0.6 for the same person; that is
a cosine of 0.907 (0.896 to 0.919). All vectors lie in a narrow cone: two strangers have a cosine of 0.85. Taking the mean out
first spreads them, but separates worse (at FMR 0.1 %, TAR 0.85 against 0.895).

The thresholds rest on 400 LFW faces (grey, of 200 people, YuNet's landmarks): 200 pairs of the same person and all of different
people, one picture sharp as in a gallery, the other reduced to the size given:

    size of the probe          as it was    32 px    24 px    16 px    12 px
    strangers at 0.935            0.03 %   0.03 %   0.04 %   0.04 %   0.04 %
    same person at 0.935            83 %     79 %     57 %     14 %      3 %
    same person below 0.90         1.5 %      3 %    4.5 %     18 %     49 %

So 0.935 is equally strict at every size, while "below 0.90: nobody we know" is only right from 24 px. The strangers are counted
for each comparison: with 200 people enrolled, 5 % of strangers reach 0.935 with one of them; the margin of 0.01 halved that at
0.93 (13.5 to 7.5 %) and cost 2 % of the right answers. Fusion raises all cosines, the more the faces differ: by 0.007 on video
(0.98 between the faces of a track), by 0.02 over four unlike photographs at 28 px (45 people), where the same person reached
0.94 in 96 % of the cases and strangers in 0.1 %. On 178 sharp pairs of people that had no part in the choice, 81 % of the same
and 0.02 % of strangers reached 0.935, 1.1 % of the same were below 0.90.

Small faces are embedded by the same network adapted to them (``SMALL``), alone or mixed with it. It tells people apart much
better (docs/embedders.md), at lower cosines, so that 0.935 is stricter there than it need be. 1,030 faces of 477 people kept
apart from its training, 1,007 pairs of the same person and 60,000 of two, one picture sharp:

    size of the probe             as it was    32 px     24 px     16 px     12 px
    strangers at 0.935, dlib's      0.040 %   0.048 %   0.053 %   0.058 %   0.037 %
    strangers at 0.935, mixed       0.040 %   0.022 %   0.020 %   0.003 %   0.008 %
    same person at 0.935, dlib's       80 %      65 %      42 %       9 %       2 %
    same person at 0.935, mixed        80 %      60 %      41 %       6 %       2 %
    same person below 0.90, mixed     1.5 %     3.8 %     7.1 %      38 %      59 %

Faces of 48 px in video, mixed since: 0.019 % of strangers reach 0.935 in place of 0.045 %, and 58 % of the same person in place
of 63 %.
"""

from __future__ import annotations

import importlib.util
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from engine.contracts.manifest import Manifest, SmallFaces, read_manifest, sha256_of, write_manifest
from engine.errors import MissingRuntimeError, ModelError
from engine.models.dlib_weights import read_dlib_weights

NAME = "dlib"
WEIGHTS = "dlib_face_recognition_resnet_model_v1.dat"
CHIP_PX = 150
SMALL = "dlib_small"
ADAPTATION = Path(__file__).with_name(f"{SMALL}.npz")
"""What our training changed in the network for small faces."""
SMALL_WEIGHTS = ((5.7, 1.0), (8.5, 0.5), (22.0, 0.5), (26.0, 0.0))
"""Its share by the distance of the eyes in pixels, chosen on people kept apart from its training, at 4.3, 5.7, 8.5, 11.4 and
19 px; what lies beyond was not measured, and is dlib's alone."""
_GRAPH = "3"
"""Raised when graph or manifest change, so that a file which an older version wrote is made again."""
CHIP_POINTS = ((47.07, 46.85), (100.95, 46.85), (74.01, 76.56), (50.77, 103.79), (97.26, 103.79))
"""Where our five landmarks lie in dlib's own chip (150 px, padding 0.25): medians over 682 LFW faces whose chips dlib cut with
its 5- and 68-point predictors, for YuNet's landmarks and for those of the 68-point predictor (eye centres, points 30, 48, 54),
averaged and made symmetric about the axis of dlib's mean face. The vector of our chip has a median cosine of 0.991 with that of
dlib's own chip for YuNet's landmarks (5 % below 0.975) and 0.996 for the 68-point predictor's, 60 faces; dlib's two predictors
agree among themselves to 0.997."""


def dlib_embedder(folder: Path, weights: Path | None = None) -> Path:
    """Return the manifest of the embedder in ``folder``, making it on first use; that takes half a second.

    Beside it lies the network that it names for small faces, made of the same weights and of what our training changed in them.

    Args:
        folder: is created.
        weights: dlib's file; by default the one that the package ``face_recognition_models`` carries, which is not needed any
            more once the embedder was made.

    Raises:
        MissingRuntimeError: the embedder was not made yet, and the package is not installed.
        ModelError: the weights are not dlib's, or the folder cannot be written.
    """
    if weights is not None and not weights.is_file():
        raise ModelError(f"there are no weights {weights}: check the path")
    path = folder / f"{NAME}.json"
    with suppress(ModelError):  # not made yet, or damaged
        manifest = read_manifest(path)
        read_manifest(folder / f"{SMALL}.json")
        if manifest.versions == _versions() and (weights is None or manifest.weights_sha256 == sha256_of(weights)):
            return path
    source = weights or packaged_weights()
    origin = sha256_of(source)
    from engine.models.dlib_adaptation import adapted
    from engine.models.dlib_resnet import build_dlib_resnet

    parts = read_dlib_weights(source)
    models = {SMALL: build_dlib_resnet(adapted(parts, ADAPTATION)), NAME: build_dlib_resnet(parts)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Each process that comes first writes its own file, and all of them the same: whoever is last wins.
        with tempfile.TemporaryDirectory(prefix=f".{NAME}-", dir=folder) as made:
            for name, model in models.items():
                file = Path(made) / f"{name}.onnx"
                file.write_bytes(model)
                write_manifest(_manifest(name, sha256_of(file), origin, parts.size), file.with_suffix(".json"))
                os.replace(file, folder / file.name)
                os.replace(file.with_suffix(".json"), folder / f"{name}.json")
    except OSError as error:
        raise ModelError(
            f"cannot write the embedder {NAME} to {folder} ({error.strerror or error}): set FACESTREAM_MODELS to a folder that "
            "can be written, or choose another embedder, or none"
        ) from error
    return path


def packaged_weights() -> Path:
    """Return the weight file inside the package ``face_recognition_models``.

    The package itself is not imported: it needs ``pkg_resources``, which new versions of setuptools no longer have.

    Raises:
        MissingRuntimeError: the package is not installed.
    """
    spec = importlib.util.find_spec("face_recognition_models")
    folders = list(spec.submodule_search_locations or []) if spec else []
    for folder in folders:
        path = Path(folder) / "models" / WEIGHTS
        if path.is_file():
            return path
    raise MissingRuntimeError("the embedder dlib has no weights here: run `pip install face_recognition_models`")


def _versions() -> dict[str, str]:
    return {"graph": _GRAPH, "adaptation": sha256_of(ADAPTATION)}


def _manifest(name: str, sha256: str, weights_sha256: str, parameters: int) -> Manifest:
    web = "about 3 million faces of 7,485 people: FaceScrub, VGG, and pictures from the web (dlib, Davis King)"
    is_small = name == SMALL
    return Manifest(
        name=name,
        kind="embedder",
        file=f"{name}.onnx",
        sha256=sha256,
        weights_sha256=weights_sha256,
        licence="CC0-1.0, adapted on LFW, a research data set" if is_small else "CC0-1.0",
        training_data=f"{web}; then 8,135 faces of LFW" if is_small else web,
        channels=3,
        colour="rgb",
        value_range=(0.0, 255.0),
        input_size_px=(CHIP_PX, CHIP_PX),
        landmarks_px=CHIP_POINTS,
        batch=(1, 16, 64),
        small_faces=None if is_small else SmallFaces(model=f"{SMALL}.json", weights=SMALL_WEIGHTS),
        embedding_length=128,
        description="dlib's face recognition ResNet-29 " + ("adapted to small faces" if is_small else "as an ONNX graph"),
        source_url="http://dlib.net/files/dlib_face_recognition_resnet_model_v1.dat.bz2",
        parameters=parameters,
        figures={"known_cosine": 0.935, "unknown_cosine": 0.90, "margin_cosine": 0.01, "min_size_px": 24.0},
        versions=_versions(),
    )
