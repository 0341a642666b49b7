"""The command `trt-build tune`. Thin; the work is in ``trt_build.engines.tune``."""

from __future__ import annotations

from pathlib import Path

from engine.config import SuperResolveConfig
from trt_build.cli.engine_table import CONSOLE, Row, show
from trt_build.cli.engines import EngineProgress, GateFaces, check_faces, folder_of, model_of
from trt_build.errors import ExportError, WriteError


def tune(
    model: str = SuperResolveConfig().generator,
    *models: str,
    out: Path | None = None,
    calibration: Path | None = None,
    faces: Path | None = None,
    gate_faces: GateFaces = 200,
) -> None:
    """Make the engines of a generator that may be faster on this CPU; `facestream run` uses the fastest that passes the gate.

    They are OpenVINO in bf16 (if the CPU has it) and int8, ONNX Runtime in int8, and ncnn in fp32: those that were faster than
    ONNX Runtime in fp32 on one processor or another.

    Decisions do not change: they rest on original faces. Enhanced pictures, and the scores after enhancement, may move within
    the limits of the gate; `super_resolve.precision: float32` keeps them as they are.

    Examples:

        trt-build tune

        trt-build tune compact_identity_x4 redeg_x4

    Parameters
    ----------
    model
        A generator by its name, its manifest, or its ONNX file; the default one if not given.
    models
        More of them.
    out
        Folder of the engines; `engines` in the folder of models if not given, where `facestream run` looks.
    calibration
        For int8: a zip or folder of pictures with at least 500 faces; the training faces of $FACESTREAM_DATA if not given.
    faces
        A zip or folder of pictures to compare on, see `build`; by default faces of $FACESTREAM_DATA in no training set.
    gate_faces
        How many faces to compare on.
    """
    from trt_build.engines.build import Workshop
    from trt_build.engines.tune import check_is_generator, taken
    from trt_build.engines.tune import tune as tune_one

    folder = folder_of(out)
    found = [model_of(name) for name in (model, *models)]
    for _, described in found:
        check_is_generator(described)
    for option, given in (("--calibration", calibration), ("--faces", faces)):
        check_faces(option, given, found)
    with EngineProgress() as progress:
        shop = Workshop(folder, progress.say, progress.on_work, faces, gate_faces)
        rows, chosen, unwritten = [], [], ""
        for path, described in found:
            for one in tune_one(path, described, shop, calibration):
                state = "left out" if one.manifest is None else "not used" if one.trouble else "ready"
                rows.append(Row(one.path, one.manifest, state, one.trouble))
                unwritten = unwritten or (one.trouble if one.is_unwritten else "")
            if unwritten:
                break
            progress.on_work("measuring what is fastest", 0, 0)
            chosen.append(f"{described.name}: {taken(path, folder, progress.say)}")
    show(rows, as_json=False)
    for sentence in chosen:
        CONSOLE.print(sentence, soft_wrap=True, markup=False)
    if unwritten:
        kept = sum(row.manifest is not None for row in rows)
        raise WriteError(
            f"{unwritten} Engines that are kept: {kept}. Free some space, or give --out a folder that can be written."
        )
    if all(row.manifest is None for row in rows):
        raise ExportError("nothing was made: every engine was left out, each for the reason above")
