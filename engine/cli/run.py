"""``facestream run``: the main job."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter
from rich.console import Console

from engine.cli.run_view import print_result, run_progress
from engine.config import Config, load_config
from engine.errors import FacestreamError
from engine.pipeline.run import run_pipeline


def run(
    config: Annotated[Path | None, Parameter(help="YAML file; what is given on the command line wins over it.")] = None,
    /,
    *,
    source: Annotated[
        list[str] | None,
        Parameter(
            name=["--source", "-s"], negative=(), help="A recording, a directory, or a glob in quotes. Repeat it for several."
        ),
    ] = None,
    out: Annotated[
        Path | None, Parameter(name=["--out", "-o"], help="Directory for crops, JSON lines and report.html.")
    ] = None,
    publish: Annotated[str | None, Parameter(help="ZeroMQ endpoint to bind, as tcp://127.0.0.1:5556.")] = None,
    socket: Annotated[
        Literal["pub", "push"] | None, Parameter(help="pub: never blocks, may drop; push: loses nothing, waits for the reader.")
    ] = None,
    replay: Annotated[str | None, Parameter(help="Endpoint from which subscribers refill gaps.")] = None,
    wait: Annotated[float | None, Parameter(help="Seconds to wait for a first subscriber.")] = None,
    profile: Annotated[str | None, Parameter(name=["--profile", "-p"], help="fast, balanced or thorough.")] = None,
    detector: Annotated[str | None, Parameter(help="auto, yunet, dlib-hog, scrfd:PACK, or a YuNet-format ONNX file.")] = None,
    every: Annotated[int | None, Parameter(help="Detect on every n-th frame.")] = None,
    generator: Annotated[str | None, Parameter(help="A model's name or path, bicubic, lanczos or none.")] = None,
    strength: Annotated[float | None, Parameter(help="0 is bicubic, 1 the generator's whole residual.")] = None,
    embedder: Annotated[str | None, Parameter(help="dlib, insightface:PACK, an ONNX file, or none.")] = None,
    gallery: Annotated[Path | None, Parameter(help="Gallery file; the user's own by default.")] = None,
    policy: Annotated[Literal["best", "interval", "every"] | None, Parameter(help="Which faces of a track to enhance.")] = None,
    realtime: Annotated[bool | None, Parameter(negative=(), help="Pace by the recording's clock.")] = None,
    skip_frame: Annotated[Literal["none", "nonref", "nonkey"] | None, Parameter(help="Frames the decoder leaves out.")] = None,
    overwrite: Annotated[bool, Parameter(negative=(), help="Replace an earlier run in --out.")] = False,
    quiet: Annotated[bool, Parameter(name=["--quiet", "-q"], negative=(), help="No progress, no table.")] = False,
) -> int:
    """Find, enhance and verify the faces of recordings.

    For example:

        facestream run --source street.mp4 --out result

        facestream run --source 'archive/*.mkv' --publish tcp://127.0.0.1:5556 --socket push

        facestream run configs/pipelines/recordings.yaml --profile fast --out result

    Exit code: 0 all recordings were read, 1 one of them or a worker failed, 2 the command line or configuration is wrong.
    """
    options = {
        "profile": profile,
        "sources": [{"uri": uri} for uri in source] if source else None,
        "decode": {"realtime": realtime, "skip_frame": skip_frame},
        "detect": {"detector": detector, "every": every},
        "crop": {"policy": policy},
        "super_resolve": {"generator": generator, "strength": strength},
        "verify": {"embedder": embedder, "gallery": str(gallery) if gallery else None},
        "publish": {"endpoint": publish, "socket": socket, "replay": replay, "wait_seconds": wait},
        "output": {"directory": str(out) if out else None, "overwrite": overwrite or None},
    }
    settings = load_config(config, _given(options))
    console = Console(stderr=True, quiet=quiet)
    return _run(settings, console)


def _run(settings: Config, console: Console) -> int:
    started_ns = time.time_ns()
    try:
        with run_progress(console) as observer:
            result = run_pipeline(settings, observer)
    except FacestreamError:
        _say_what_is_left(settings, started_ns, console)
        raise
    print_result(console, result, settings)
    for stream in result.streams:
        if stream.state == "ended" and stream.reason == "end_of_file" and stream.detail:
            sys.stderr.write(f"facestream: note: {stream.detail}\n")
    for stream in result.failed_streams:
        sys.stderr.write(f"facestream: {stream.name} failed ({stream.reason}): {stream.detail}\n")
    return 1 if result.failed_streams else 0


def _say_what_is_left(settings: Config, started_ns: int, console: Console) -> None:
    """After a failure: where to find what this run wrote before it."""
    record = Path(settings.output.directory, "run.json")
    if settings.output.directory and record.exists() and json.loads(record.read_bytes())["started_ns"] >= started_ns:
        console.print(f"What was written before the failure is in {settings.output.directory}", highlight=False)


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options without those that were not given."""
    result: dict[str, Any] = {}
    for key, value in options.items():
        if isinstance(value, dict):
            if below := _given(value):
                result[key] = below
        elif value is not None:
            result[key] = value
    return result
