"""One run from configuration to result: starts the workers, connects them, and sums up what they did."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

import engine
from engine.config import Config
from engine.errors import ConfigError
from engine.pipeline.decode_worker import decode_body
from engine.pipeline.enhance_worker import enhance_body
from engine.pipeline.perceive_worker import perceive_body
from engine.pipeline.publish_worker import publish_body
from engine.pipeline.status import RunStatus, StreamStatus
from engine.pipeline.supervisor import Supervisor
from engine.publish.report import write_report
from engine.runtime.channel import Channel, channel_pair
from engine.runtime.worker import Worker, start_worker
from engine.source.files import expand_sources

_MOST_ENHANCE_WORKERS = 4
_PACKAGES = (
    "av",
    "numpy",
    "opencv-python",
    "onnxruntime",
    "openvino",
    "pyzmq",
    "msgspec",
    "dlib-bin",
    "insightface",
    "trackers",
)


@dataclass(frozen=True)
class RunResult:
    """What a run did."""

    run_id: str
    outcome: str
    """``completed`` or ``drained``."""
    seconds: float
    """From all workers ready to the last message."""
    counters: dict[str, int]
    streams: list[StreamStatus]
    status: RunStatus
    report: Path | None

    @property
    def failed_streams(self) -> list[StreamStatus]:
        return [stream for stream in self.streams if stream.state == "failed"]


def run_pipeline(config: Config, observer: Callable[[RunStatus], None] = lambda status: None) -> RunResult:
    """Process all sources of a configuration.

    Args:
        config: what to do; ``sources`` must not be empty.
        observer: called several times a second with the run's status, from this thread.

    Raises:
        ConfigError: nothing to read, or nowhere to put the result.
        FacestreamError: a worker failed; outputs written before that stay valid.
        KeyboardInterrupt: two signals came.
    """
    recordings = expand_sources(config.sources)
    if not recordings:
        raise ConfigError(
            "there is nothing to read: give at least one source (--source FILE, or `sources:` in the configuration)"
        )
    if not config.publish.endpoint and not config.output.directory:
        raise ConfigError("there is nowhere to put the result: give --out DIR, --publish ENDPOINT, or both")
    run = describe_run(config)
    workers = _start(config, run, min(config.decode.parallel_files, len(recordings)))
    supervisor = Supervisor(workers, recordings, observer)
    try:
        supervisor.run()
    finally:
        report = _report(config)
    status = supervisor.status
    outcome = "drained" if supervisor.was_drained else "completed"
    return RunResult(
        str(run["run_id"]), outcome, status.seconds, status.counters, list(status.streams.values()), status, report
    )


def describe_run(config: Config) -> dict[str, Any]:
    """Return what ``run.json`` says of a run before it starts."""
    versions = {"facestream": engine.__version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    now = datetime.datetime.now(datetime.UTC)
    return {
        "run_id": f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}",
        "started": now.isoformat(timespec="seconds"),
        "config": msgspec.to_builtins(config),
        "versions": versions,
        "platform": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "command": sys.argv,
    }


def _start(config: Config, run: dict[str, Any], decoders: int) -> list[Worker]:
    """Start all workers, downstream first, connected by pipes that they alone hold."""
    enhancers = config.super_resolve.workers or min(os.cpu_count() or 1, _MOST_ENHANCE_WORKERS)
    decoded = [channel_pair() for _ in range(decoders)]
    cropped = [channel_pair() for _ in range(enhancers)]
    enhanced = [channel_pair() for _ in range(enhancers)]
    workers: list[Worker] = []
    try:
        workers.append(start_worker("publish", publish_body, _readers(enhanced), config, run))
        for index in range(enhancers):
            name = f"enhance-{index + 1}"
            workers.append(start_worker(name, enhance_body, cropped[index][1], enhanced[index][0], config))
        workers.append(start_worker("perceive", perceive_body, _readers(decoded), _writers(cropped), config))
        for index in range(decoders):
            name = f"decode-{index + 1}"
            workers.append(start_worker(name, decode_body, decoded[index][0], config.decode, config.detect.every))
    except BaseException:
        for worker in workers:
            worker.process.kill()
        raise
    finally:
        for pair in (*decoded, *cropped, *enhanced):
            for end in pair:
                end.close()
    return workers


def _writers(pairs: list[tuple[Channel, Channel]]) -> list[Channel]:
    return [writer for writer, _ in pairs]


def _readers(pairs: list[tuple[Channel, Channel]]) -> list[Channel]:
    return [reader for _, reader in pairs]


def _report(config: Config) -> Path | None:
    """Write the report from whatever is in the output directory."""
    if not config.output.directory or not config.output.report:
        return None
    directory = Path(config.output.directory)
    return write_report(directory, config.output.report_tracks) if (directory / "faces.jsonl").exists() else None
