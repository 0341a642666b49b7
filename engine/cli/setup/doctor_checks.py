"""What ``facestream doctor`` looks at. Each check answers in sentences; none changes anything."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from engine.cli.setup.doctor_cameras import cameras, devices, hardware_decoding, two_streams
from engine.cli.setup.doctor_gallery import say_gallery
from engine.cli.setup.doctor_gpu import say_providers, say_tensorrt
from engine.cli.setup.doctor_models import Says, State, say_detector, say_embedder, say_generator, say_names, say_second_look
from engine.config import Config
from engine.contracts.gallery import GalleryPlace
from engine.errors import FacestreamError, MissingRuntimeError
from engine.words.numbers import count

NVIDIA_SMI_SECONDS = 10


class Finding(msgspec.Struct, frozen=True):
    """One sentence about this machine."""

    subject: str
    state: State
    sentence: str


def findings(gallery: GalleryPlace) -> Iterator[Finding]:
    """Run every check, in order; a check that fails is a finding too.

    Args:
        gallery: to look at.
    """
    for subject, look in CHECKS.items():
        try:
            for state, sentence in look(gallery) if look in (say_names, say_gallery) else look():
                yield Finding(subject, state, sentence)
        except (FacestreamError, ImportError, OSError) as error:
            yield Finding(
                subject, "broken", f"{error}" if isinstance(error, FacestreamError) else f"{type(error).__name__}: {error}"
            )


def _python() -> Says:
    supported = (3, 11) <= sys.version_info[:2] <= (3, 13)
    tail = "" if supported else ", which is not supported: use 3.11 to 3.13"
    yield (
        "ok" if supported else "broken",
        f"Python {platform.python_version()} on {platform.system()} {platform.machine()}{tail}",
    )


def _ffmpeg() -> Says:
    import av

    codec = ".".join(map(str, av.library_versions["libavcodec"]))
    wanted = ("h264", "hevc", "mpeg4", "mjpeg", "vp9", "av1", "gif")
    missing = [name for name in wanted if name not in av.codecs_available]
    yield (
        "ok",
        f"PyAV {av.__version__} with libavcodec {codec} decodes {', '.join(name for name in wanted if name not in missing)}",
    )
    if missing:
        yield "optional", f"this FFmpeg cannot decode {', '.join(missing)}"
    if "libx264" not in av.codecs_available:
        yield "optional", "this FFmpeg has no libx264 encoder: `facestream sample` writes MPEG-4 instead of H.264"


def _opencv() -> Says:
    import cv2

    yield "ok", f"OpenCV {cv2.__version__}"


def _runtimes() -> Says:
    import onnxruntime

    from engine.sessions.fastest import VARIABLE
    from engine.sessions.openvino_session import computes_in_bfloat16
    from engine.sessions.session import AUTO

    yield "ok", f"ONNX Runtime {onnxruntime.__version__} with {', '.join(onnxruntime.get_available_providers())}"
    try:
        precisions = "float32, and bfloat16 where asked to" if computes_in_bfloat16() else "float32: this CPU has no bfloat16"
        yield "ok", f"OpenVINO {_version('openvino')} computes in {precisions}"
    except MissingRuntimeError as error:
        yield "optional", f"{error}; only that runtime and its engines need it"
    measured = (
        f"in float32 the faster one here for each detector, measured once, and {AUTO} for embedders and generators; for a "
        "generator with engines that passed their gate it is the fastest of them"
    )
    yield "ok", f"the runtime auto is {os.environ.get(VARIABLE) or measured}"


def _gpu() -> Says:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        yield "optional", "no NVIDIA GPU found: there is no nvidia-smi on the PATH; everything runs on the CPU"
    else:
        query = [tool, "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
        try:
            done = subprocess.run(query, capture_output=True, text=True, timeout=NVIDIA_SMI_SECONDS, check=False)
            lines = [line for line in done.stdout.splitlines() if line.strip()] if done.returncode == 0 else []
            yield (
                ("ok", f"NVIDIA GPU: {'; '.join(lines)}")
                if lines
                else (
                    "optional",
                    f"no NVIDIA GPU found: nvidia-smi answers {(done.stdout + done.stderr).strip()[:120] or done.returncode}",
                )
            )
        except subprocess.TimeoutExpired:
            yield "optional", f"no NVIDIA GPU found: nvidia-smi did not answer within {NVIDIA_SMI_SECONDS} s"
    yield from say_tensorrt()
    yield from say_providers()
    if found := _version("torch"):
        yield "ok", f"torch {found} is installed"
    else:
        yield "optional", "torch is not installed (`pip install 'facestream[train]'`); only training and AOTInductor need it"


def _dlib() -> Says:
    if found := _version("dlib-bin") or _version("dlib"):
        yield "ok", f"dlib {found} is installed"
    else:
        yield "optional", "dlib is not installed (`pip install 'facestream[dlib]'`); only the detector dlib-hog needs it"


def _insightface() -> Says:
    root = Path("~/.insightface/models").expanduser()
    packs = sorted(path.name for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
    if not _version("insightface"):
        yield (
            "optional",
            "InsightFace is not installed (`pip install 'facestream[insightface]'`); only the detectors scrfd:PACK need it",
        )
    elif packs:
        yield "ok", f"InsightFace {_version('insightface')} with the packs {', '.join(packs)} in {root}"
    else:
        yield (
            "optional",
            f"InsightFace {_version('insightface')} has no packs in {root}: scrfd:PACK and insightface:PACK cannot be used",
        )


def _memory() -> Says:
    from engine.runtime.frame_pool import PoolWriter, slot_bytes_for

    decode = Config().decode
    pools = [PoolWriter(index, decode.pool_slots, slot_bytes_for(1920, 1080)) for index in range(decode.parallel_files)]
    size = sum(pool.slot_bytes for pool in pools) * decode.pool_slots / 2**20
    for pool in pools:
        pool.close()
    yield (
        "ok",
        f"there is memory for {count(decode.parallel_files, 'recording')} of 1920x1080 at a time ({size:.0f} MiB of frames)",
    )


def _cores() -> Says:
    from engine.runtime.cores import usable_cores

    yield "ok", f"{usable_cores()} of {os.cpu_count()} CPU cores can be used"


def _disk() -> Says:
    free = shutil.disk_usage(Path.cwd()).free / 2**30
    yield "ok" if free > 0.5 else "optional", f"{free:.1f} GiB are free in {Path.cwd()}"


def _version(package: str) -> str:
    """Return a package's version without importing it, empty where it is missing."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "" if importlib.util.find_spec(package.replace("-", "_")) is None else "of unknown version"


CHECKS: dict[str, Callable[..., Says]] = {
    "Python": _python,
    "FFmpeg": _ffmpeg,
    "OpenCV": _opencv,
    "cameras": cameras,
    "devices": devices,
    "decoding": hardware_decoding,
    "two streams": two_streams,
    "runtimes": _runtimes,
    "GPU": _gpu,
    "dlib": _dlib,
    "InsightFace": _insightface,
    "detector": say_detector,
    "second look": say_second_look,
    "generator": say_generator,
    "embedder": say_embedder,
    "names": say_names,
    "gallery": say_gallery,
    "memory": _memory,
    "cores": _cores,
    "disk": _disk,
}
"""Every check by what it is about, in the order of the report."""
