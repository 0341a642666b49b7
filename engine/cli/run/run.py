"""``facestream run``: the main job."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Set
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from rich.console import Console

from engine.archive.reader import recorded
from engine.cli.complaints import complaint
from engine.cli.output.saying import say_on
from engine.cli.run.log import LogFormat, RunLog
from engine.cli.run.options import check_duration, given, sources_of
from engine.cli.run.result import print_result, shortcomings
from engine.cli.run.view import run_view
from engine.cli.run.words import printable
from engine.config import Config, Redact
from engine.config.blame import lines_of
from engine.config.file import load_config
from engine.contracts.camera import HardwareDecoding
from engine.contracts.messages import Deinterlace
from engine.errors import FacestreamError
from engine.help_page import SELDOM
from engine.pipeline.run import run_pipeline
from engine.pipeline.status import RunStatus
from engine.source.cameras import is_camera


def run(
    config: Annotated[Path | None, Parameter(help="YAML file; the command line overrides it.")] = None,
    /,
    *,
    source: Annotated[
        list[str] | None,
        Parameter(
            name=["--source", "-s"],
            negative=(),
            help="A recording, folder, 'glob', seq/f%04d.jpg, camera URL, NAME=URL or /dev/video0; repeat it for several.",
        ),
    ] = None,
    crop_uri: Annotated[
        list[str] | None,
        Parameter(
            negative=(),
            group=SELDOM,
            help="The main stream of the camera given with --source: faces are found in that one and cut from this one. Of "
            "several cameras one for each, in their order.",
        ),
    ] = None,
    fps: Annotated[
        float | None, Parameter(group=SELDOM, help="Pictures per second for a series of pictures; 25 by default.")
    ] = None,
    transport: Annotated[
        Literal["tcp", "udp"] | None,
        Parameter(group=SELDOM, help="Transport for rtsp:// sources; tcp by default."),
    ] = None,
    credentials: Annotated[
        list[str] | None,
        Parameter(negative=(), help="File with one line, user:password; for several hosts HOST=FILE for each."),
    ] = None,
    rotate: Annotated[
        Literal["0", "90", "180", "270", "flip", "mirror"] | None,
        Parameter(
            group=SELDOM, help="Turn the pictures, in addition to what the file says: degrees clockwise; flip: top to bottom."
        ),
    ] = None,
    deinterlace: Annotated[
        Deinterlace | None,
        Parameter(group=SELDOM, help="auto (default): pictures flagged as interlaced; on: all; off: none."),
    ] = None,
    aspect: Annotated[
        str | None, Parameter(group=SELDOM, help="Width to height of the picture, such as 4:3, if faces look squashed.")
    ] = None,
    video_stream: Annotated[
        int | None, Parameter(group=SELDOM, help="Which of a file's video streams, from 0; by default the best.")
    ] = None,
    start_time: Annotated[
        str | None,
        Parameter(
            group=SELDOM,
            help="When the recording begins, such as 2026-03-01T14:05:00+01:00; by default the file's creation_time.",
        ),
    ] = None,
    clock_from: Annotated[
        str | None,
        Parameter(group=SELDOM, help="none, or name: and a pattern of the file's name, such as name:cam_%Y%m%d_%H%M%S."),
    ] = None,
    hwaccel: Annotated[
        HardwareDecoding | None,
        Parameter(group=SELDOM, help="Hardware decoding of cameras; auto (default): if it works, otherwise software."),
    ] = None,
    max_reconnects: Annotated[
        int | None,
        Parameter(group=SELDOM, help="Failed attempts in a row after which a camera is given up; by default never."),
    ] = None,
    stall: Annotated[
        float | None, Parameter(group=SELDOM, help="Seconds without a packet after which a camera is reconnected.")
    ] = None,
    duration: Annotated[float | None, Parameter(help="Stop cleanly after this many seconds.")] = None,
    out: Annotated[
        Path | None, Parameter(name=["--out", "-o"], help="Directory for crops, JSON lines and report.html.")
    ] = None,
    publish: Annotated[str | None, Parameter(help="ZeroMQ endpoint to bind, such as tcp://127.0.0.1:5556.")] = None,
    socket: Annotated[
        Literal["pub", "push"] | None, Parameter(help="pub: never blocks, may drop; push: loses nothing, waits for the reader.")
    ] = None,
    replay: Annotated[str | None, Parameter(group=SELDOM, help="Endpoint from which subscribers refill gaps.")] = None,
    keys: Annotated[Path | None, Parameter(help="Folder from `facestream keys`: only its clients may read, encrypted.")] = None,
    insecure: Annotated[bool, Parameter(negative=(), help="Publish unencrypted beyond this machine.")] = False,
    redact: Annotated[
        Redact | None,
        Parameter(help="blur: unrecognised faces are sent as coarse blocks; vectors: no pictures of faces at all."),
    ] = None,
    wait: Annotated[float | None, Parameter(group=SELDOM, help="Seconds to wait for a first subscriber.")] = None,
    profile: Annotated[str | None, Parameter(name=["--profile", "-p"], help="fast, balanced or thorough.")] = None,
    detector: Annotated[str | None, Parameter(help="auto, grey, yunet, dlib-hog, scrfd:PACK, or a model file.")] = None,
    every: Annotated[int | None, Parameter(help="Detect on every n-th frame of recordings.")] = None,
    generator: Annotated[str | None, Parameter(help="A model's name or path, bicubic, lanczos or none.")] = None,
    strength: Annotated[float | None, Parameter(group=SELDOM, help="0 is bicubic, 1 the generator's whole residual.")] = None,
    embedder: Annotated[str | None, Parameter(help="dlib, insightface:PACK, an ONNX file, or none.")] = None,
    gallery: Annotated[
        str | None, Parameter(help="Gallery file, or postgresql://USER@HOST/NAME; the user's own by default.")
    ] = None,
    gallery_key: Annotated[str | None, Parameter(group=SELDOM, help="File with the key of an encrypted gallery.")] = None,
    policy: Annotated[
        Literal["auto", "prompt", "best", "interval", "every"] | None,
        Parameter(group=SELDOM, help="Which faces of a track to enhance."),
    ] = None,
    realtime: Annotated[bool | None, Parameter(negative=(), group=SELDOM, help="Process at the recording's own pace.")] = None,
    skip_frame: Annotated[
        Literal["none", "nonref", "nonkey"] | None, Parameter(group=SELDOM, help="Frames that the decoder skips.")
    ] = None,
    overwrite: Annotated[bool, Parameter(negative=(), help="Replace an earlier run in --out.")] = False,
    resume: Annotated[bool, Parameter(negative=(), help="Continue the interrupted run in --out.")] = False,
    sign: Annotated[
        Path | None, Parameter(help="Key from `facestream keys sign new`, which vouches for what is written to --out.")
    ] = None,
    log_format: Annotated[LogFormat | None, Parameter(help="A log on standard error instead of bars and tables.")] = None,
    quiet: Annotated[
        bool, Parameter(name=["--quiet", "-q"], negative=(), help="No progress and no table; warnings only.")
    ] = False,
) -> int:
    """Find, enhance and verify the faces of cameras and recordings.

    A camera reconnects indefinitely; Ctrl-C, SIGTERM or SIGHUP ends it cleanly.

    For example:

        facestream run --source street.mp4 --out result
        facestream run -s 'archive/*.mkv' --publish tcp://127.0.0.1:5556
        facestream run -s rtsp://192.0.2.10/1 --credentials door.txt -o out
        facestream run cameras.yaml --log-format json

    Exit code 1: something failed, or no camera was ever live. 130: forced to stop.
    """

    def carry_out(log: RunLog | None) -> int:
        check_duration(duration)
        options = {
            "profile": profile,
            "sources": sources_of(
                source,
                {
                    "transport": transport,
                    "rotate": int(rotate) if rotate and rotate.isdecimal() else rotate,
                    "deinterlace": deinterlace,
                    "aspect": aspect,
                    "video_stream": video_stream,
                    "start_time": start_time,
                    "clock_from": clock_from,
                    "fps": fps,
                },
                crop_uri,
                credentials,
            ),
            "decode": {"realtime": realtime, "skip_frame": skip_frame},
            "live": {"hwaccel": hwaccel, "max_reconnects": max_reconnects, "stall_seconds": stall},
            "detect": {"detector": detector, "every": every},
            "crop": {"policy": policy},
            "super_resolve": {"generator": generator, "strength": strength},
            "verify": {"embedder": embedder, "gallery": gallery, "gallery_key_file": gallery_key},
            "publish": {
                "endpoint": publish,
                "socket": socket,
                "replay": replay,
                "wait_seconds": wait,
                "keys": str(keys) if keys else None,
                "insecure": insecure or None,
                "redact": redact,
            },
            "output": {
                "directory": str(out) if out else None,
                "overwrite": overwrite or None,
                "resume": resume or None,
                "sign": str(sign) if sign else None,
            },
        }
        settings = load_config(config, given(options))
        with lines_of(None if source else config):
            return _run(settings, log, duration, quiet=quiet)

    if log_format is None:
        return carry_out(None)
    with RunLog(log_format, quiet=quiet) as chosen:
        return _logged(chosen, lambda: carry_out(chosen)) if log_format == "json" else carry_out(chosen)


def _logged(log: RunLog, carry_out: Callable[[], int]) -> int:
    """Carry out a run whose log is read by a program: what ends it is a line of the log too."""
    try:
        return carry_out()
    except KeyboardInterrupt:
        log.fail("interrupted", 130)
        return 130
    except BrokenPipeError:
        raise
    except Exception as error:
        if os.environ.get("FACESTREAM_TRACEBACK") and not isinstance(error, FacestreamError):
            raise
        sentence, code = complaint(error)
        log.fail(sentence, code)
        return code


def _run(settings: Config, log: RunLog | None, duration_seconds: float | None, *, quiet: bool) -> int:
    is_program = log is not None and log.form == "json"
    console = Console(stderr=True, quiet=quiet or is_program)
    live = any(is_camera(source.uri) for source in settings.sources)
    with ExitStack() as closing:
        if log is None and (quiet or not console.is_terminal):
            log = closing.enter_context(RunLog("text", quiet=quiet))
        warn = log.warn if log is not None else _warn
        attempts: set[str] = set()
        try:
            with run_view(console, log, live=live) as observer:

                def observed(status: RunStatus) -> None:
                    attempts.add(status.run_id)
                    observer(status)

                result = run_pipeline(settings, observed, duration_seconds, warn)
        except FacestreamError:
            _say_what_is_left(settings, attempts, console)
            raise
        sentences = list(shortcomings(result, settings))
        if log is not None:
            for sentence in sentences:
                log.warn(sentence)
            log.end(result, result.exit_code)
    print_result(console, result, settings, [] if log is not None else sentences, live=live)
    if not is_program:
        for stream in result.streams:
            if stream.state == "ended" and stream.reason == "end_of_file" and stream.detail:
                sys.stderr.write(f"facestream: note: {printable(stream.detail)}\n")
        for stream in result.failed_streams:
            sys.stderr.write(f"facestream: {stream.name} failed ({stream.reason}): {printable(stream.detail)}\n")
    return result.exit_code


def _warn(sentence: str) -> None:
    sys.stderr.write(f"facestream: note: {printable(sentence)}\n")


def _say_what_is_left(settings: Config, attempts: Set[str], console: Console) -> None:
    """After a failure: where to find what this run, known by its attempts, wrote before it."""
    if settings.output.directory and recorded(Path(settings.output.directory)).get("run_id") in attempts:
        say_on(console, f"What was written before the failure is in {settings.output.directory}")
