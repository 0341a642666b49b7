"""The commands `trt-build build` and `trt-build check`. Thin; the work is in ``trt_build.engines``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Annotated, Literal

from cyclopts import Parameter, validators
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from engine.contracts.engine_manifest import EnginePrecision, Target
from engine.contracts.manifest import Manifest, read_manifest
from engine.errors import FacestreamError, ModelError, UsageError
from engine.models.catalog import engines_dir, find_model, models_dir
from engine.models.engine_command import build_command
from trt_build.cli.engine_table import Row, show
from trt_build.errors import DataError, ExportError
from trt_build.optional import require_from

NOTES = Console(stderr=True, markup=False)
_Flag = Annotated[bool, Parameter(negative=())]
_EXTRAS = {
    "ncnn": "ncnn-build",
    "tensorrt-rtx": "trt-rtx",
    "tensorrt": "trt",
    "aotinductor": "aotinductor",
    "onnxruntime-tensorrt-rtx": "onnxruntime-rtx",
}
"""The extra with everything needed to build for a target; the other targets need `engines`, besides the runtime."""
GateFaces = Annotated[int, Parameter(validator=validators.Number(gte=1, lte=2000))]


def build(
    model: str,
    *models: str,
    target: Target = "tensorrt-rtx",
    precision: EnginePrecision = "fp32",
    sizes: str | None = None,
    batch: str | None = None,
    compute_capability: str = "current",
    pixels: Literal["float", "uint8"] | None = None,
    out: Path | None = None,
    no_build: _Flag = False,
    calibration: Path | None = None,
    faces: Path | None = None,
    gate_faces: GateFaces = 200,
    json: _Flag = False,
) -> None:
    """Compile models for a target: an engine and its manifest, compared with the model on real faces.

    An existing engine that fits is left alone; one that is damaged, or of another model, version or profile, is built again.

    Examples:

        trt-build build compact_fine_x4 --target ncnn
        trt-build build grey dlib --precision fp16 --compute-capability 7.5,8.9
        trt-build build compact_fine_x4 --target onnxruntime --precision int8

    Parameters
    ----------
    model
        A model's name, its manifest, or its ONNX file.
    models
        More models.
    target
        What runs the engine; aotinductor is torch, onnxruntime-cuda and onnxruntime-tensorrt-rtx are ONNX Runtime on a GPU.
    precision
        Number format to compute in; a generator's ends stay in float32.
    sizes
        Smallest and largest side; by default 8..160 for generators, 64..1280 for detectors.
    batch
        Smallest, best and largest batch, such as `1,8,64`.
    compute_capability
        Of the GPUs, such as `7.5,8.6,8.9,12.0`, one engine for each; `current`: that of the GPU in this machine; `cpu`: for
        this CPU, if the target is aotinductor.
    pixels
        Number format of a generator's input and output; uint8 on GPUs by default.
    out
        Folder of the engines; by default beside the models.
    no_build
        Build nothing; fail if there is no engine that fits.
    calibration
        For int8 and fp8: a zip or folder of pictures with at least 500 faces; by default the training faces of
        $FACESTREAM_DATA.
    faces
        A zip or folder of pictures to compare on, by default those of $FACESTREAM_DATA that are in no training
        set. Fewer than 200 faces are not a full gate.
    gate_faces
        How many faces to compare on.
    json
        Print the manifests as JSON.
    """
    require_from("onnx", f"Building for {target}", _EXTRAS.get(target, "engines"))
    from trt_build.engines.build import Workshop
    from trt_build.engines.build import build as build_engine
    from trt_build.engines.check import advice
    from trt_build.engines.gpus import CURRENT, capabilities
    from trt_build.engines.targets import CALIBRATED, TARGETS, Order, pixels_of, profile_on, target_of

    found = [model_of(name) for name in (model, *models)]
    if compute_capability != CURRENT and not TARGETS[target].on_gpu:
        raise UsageError(f"--compute-capability {compute_capability}: engines of {target} are for CPUs: leave it out")
    if calibration is not None and precision not in CALIBRATED:
        raise UsageError(
            f"--calibration {calibration}: {precision} needs none: leave it out, or give --precision {' or '.join(CALIBRATED)}"
        )
    check_faces("--calibration", calibration, found)
    check_faces("--faces", faces, found)
    orders = []
    for path, described in found:
        spec = target_of(target, precision, described.kind)
        profile = profile_on(spec, path, described, sizes, batch)
        for capability in capabilities(target, compute_capability, precision) if spec.on_gpu else [""]:
            given = pixels_of(spec, described.kind, pixels, capability)
            orders.append(Order(path, described, spec, precision, profile, capability, calibration, given))
    with EngineProgress() as progress:
        shop = Workshop(folder_of(out), progress.say, progress.on_work, faces, gate_faces)
        rows = []
        for order in orders:
            try:
                engine = build_engine(order, shop, no_build=no_build)
                state = "built" if engine.is_new else "was there"
                rows.append(Row(engine.path, engine.manifest, state, advice(engine.manifest, shop.folder)))
            except FacestreamError as error:  # the other engines may still succeed
                if len(orders) == 1:
                    raise
                rows.append(Row(shop.path_of(order), None, "failed", str(error)))
    show(rows, json)
    if bad := [row for row in rows if row.manifest is None]:
        raise ExportError(f"{len(bad)} of {len(rows)} engines could not be built.")


def check(
    model: str,
    *models: str,
    target: Target | None = None,
    out: Path | None = None,
    faces: Path | None = None,
    gate_faces: GateFaces = 200,
    json: _Flag = False,
) -> None:
    """Check engines again: intact, of the installed versions, and equal to their model on real faces.

    Examples:

        trt-build check compact_fine_x4

        trt-build check grey dlib --target onnxruntime --json

    Parameters
    ----------
    model
        A model's name, its manifest, or its ONNX file.
    models
        More models.
    target
        Only the engines for it.
    out
        Folder of the engines; by default beside the models.
    faces
        As for `build`.
    gate_faces
        How many faces to compare on.
    json
        Print the result as JSON.
    """
    from trt_build.engines.build import Workshop
    from trt_build.engines.check import check as check_engines

    folder = folder_of(out)
    rows = []
    models_found = [model_of(name) for name in (model, *models)]
    check_faces("--faces", faces, models_found)
    with EngineProgress() as progress:
        shop = Workshop(folder, progress.say, progress.on_work, faces, gate_faces)
        for path, described in models_found:
            found = check_engines(path, described, shop, target or "")
            if not found:
                command = build_command(path, described, folder, target or "")
                tunes = described.kind == "generator" and target is None
                for_cpu = f" or, for this CPU, `{build_command(path, described, folder, verb='tune')}`" if tunes else ""
                raise ModelError(f"there is no engine of {described.name} in {folder}: run `{command}`{for_cpu}")
            rows += [Row(one.path, one.manifest, "unusable" if one.trouble else "whole", one.trouble) for one in found]
    show(rows, json)
    if bad := [row for row in rows if row.trouble]:
        raise ExportError(f"{len(bad)} of {len(rows)} engines in {folder} cannot be used as they are.")


class EngineProgress:
    """Shows on standard error what is being done and since when, so that standard output holds only the result. In a file, or a
    log, each thing that is begun has a line.
    """

    def __init__(self) -> None:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), TextColumn("{task.fields[note]}"))
        self._progress = Progress(*columns, console=NOTES, transient=True)
        self._task, self._what = self._progress.add_task("starting", note=""), ""

    def __enter__(self) -> EngineProgress:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._progress.stop()

    def say(self, sentence: str) -> None:
        """Print a sentence above the progress."""
        self._progress.console.print(sentence, markup=False, soft_wrap=True)

    def on_work(self, what: str, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` are done; a total of 0 is unknown."""
        if what != self._what:
            self._what = what
            self._progress.reset(self._task, description=what)
            if not self._progress.console.is_terminal:
                self.say(what)
        self._progress.update(self._task, note=f"{done} of {total}" if total else "")


def model_of(name: str) -> tuple[Path, Manifest]:
    """Return the path of a model's manifest, and its content.

    Raises:
        ModelError: there is no such model.
    """
    path = find_model(name) or models_dir() / f"{name}.json"
    if not path.is_file():
        raise ModelError(
            f"there is no model {name!r}: give a name that `facestream models list` shows, a manifest or an ONNX file"
        )
    if path.suffix == ".onnx":
        from engine.super_resolve.manifest_generator import manifest_of

        path = manifest_of(path)
    return path, read_manifest(path)


def check_faces(option: str, given: Path | None, models: Sequence[tuple[Path, Manifest]]) -> None:
    """Refuse faces that no model would use, or that are not there, before anything is built.

    Raises:
        UsageError: no model would use them.
        DataError: they do not exist.
    """
    if given is not None and not any(described.kind in ("generator", "embedder") for _, described in models):
        names = ", ".join(described.name for _, described in models)
        raise UsageError(f"{option} {given}: for {names} pictures with faces are taken, from $FACESTREAM_DATA: leave it out")
    if given is not None and not given.exists():
        raise DataError(f"{option} {given}: there is no such file or folder.")


def folder_of(out: Path | None) -> Path:
    """Return the folder of engines."""
    return out if out is not None else engines_dir()
