"""One turn of the capacity benchmark, in a process of its own: cameras run, and what counts is seen after a warm-up."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zmq

from engine.config.file import load_config
from engine.contracts.messages import Face, decode_header
from engine.pipeline.run import run_pipeline
from engine.pipeline.status import RunStatus

CORES = os.cpu_count() or 1
_TICKS = os.sysconf("SC_CLK_TCK")
_GIVE_UP_SECONDS = 30.0
"""For the cameras to become live."""
_SURE_SECONDS = 3.0
"""A turn that drops is not ended before, so that its rates mean something."""


@dataclass(frozen=True)
class Setting:
    """What a turn runs with, besides its cameras."""

    profile: str
    detector: str
    embedder: str
    warm_up_seconds: float
    engines: str = "auto"
    bare: bool = False
    """No pictures of tracks, and no marks."""

    def config(self, urls: list[str], endpoint: str) -> dict[str, Any]:
        """Return the overrides of a configuration: a camera at each of some URLs."""
        return {
            "profile": self.profile,
            "sources": [{"uri": url, "name": f"cam{number}"} for number, url in enumerate(urls)],
            "detect": {"detector": self.detector},
            "verify": {"embedder": self.embedder},
            "super_resolve": {"engines": self.engines, "track_pictures": not self.bare},
            "publish": {"endpoint": endpoint, "mark": not self.bare},
        }


class Faces(threading.Thread):
    """Reads the latencies of the faces that are sent, packet to message, until it is stopped.

    Args:
        endpoint: of the run.
        streams: whose faces; all by default.
    """

    def __init__(self, endpoint: str, streams: Collection[str] = ()) -> None:
        super().__init__(daemon=True)
        self._endpoint, self._streams, self._stopped = endpoint, streams, threading.Event()
        self.seen: list[tuple[int, float]] = []
        """(``sent_ns``, milliseconds)."""

    def run(self) -> None:
        with zmq.Context() as context, context.socket(zmq.SUB) as socket:
            socket.setsockopt(zmq.LINGER, 0)
            socket.setsockopt(zmq.SUBSCRIBE, b"v1/face/")
            socket.connect(self._endpoint)
            while not self._stopped.is_set():
                if socket.poll(100):
                    face = decode_header(socket.recv_multipart()[1])
                    if isinstance(face, Face) and (not self._streams or face.stream in self._streams):
                        self.seen.append((face.sent_ns, (face.sent_ns - face.captured_ns) / 1e6))

    def stop(self) -> None:
        self._stopped.set()
        self.join()


class Watch:
    """An observer that holds what a run stood at after the warm-up against its end, and ends it at the first drop."""

    def __init__(self, hold_seconds: float, warm_up_seconds: float, server_pid: int) -> None:
        self._hold_seconds, self._warm_up_seconds, self._server_pid = hold_seconds, warm_up_seconds, server_pid
        self._first: dict[str, Any] = {}
        self.result: dict[str, Any] = {}
        self._live_at: float | None = None
        self._level = 0

    def __call__(self, status: RunStatus) -> None:
        if self.result:
            return
        if self._live_at is None and all(stream.standing == "live" for stream in status.streams.values()):
            self._live_at = time.monotonic()
        if not self._first:
            if self._live_at is not None and time.monotonic() - self._live_at >= self._warm_up_seconds:
                self._first = self._stand(status)
            return
        self._level = max(self._level, status.overload_level)
        seconds = time.monotonic() - self._first["monotonic"]
        drops = _drops(status.counters)
        if seconds >= self._hold_seconds or (seconds > _SURE_SECONDS and drops != _drops(self._first["counters"])):
            self.result = {"first": self._first, "last": self._stand(status), "overload_level": self._level}
            os.kill(os.getpid(), signal.SIGTERM)

    def _stand(self, status: RunStatus) -> dict[str, Any]:
        pids = [os.getpid(), *(worker.pid for worker in status.workers.values() if worker.pid)]
        busy = [int(value) for value in Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]]
        return {
            "monotonic": time.monotonic(), "time_ns": time.time_ns(), "counters": status.counters,
            "stages": {name: (stage.items, stage.busy_seconds) for name, stage in status.stages().items()},
            "cpu": sum(_cpu_seconds(pid) for pid in pids), "server_cpu": _cpu_seconds(self._server_pid),
            "all_cpu": (sum(busy) - busy[3] - busy[4]) / _TICKS,
        }  # fmt: skip


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _drops(counters: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in counters.items() if name.startswith("drops.")}


def play_turn(order: dict[str, Any]) -> None:
    """Be the process of one turn: run the cameras, and print what was seen between warm-up and end."""
    setting, hold_seconds = Setting(**order["setting"]), order["hold_seconds"]
    faces = Faces(order["endpoint"])
    watch = Watch(hold_seconds, setting.warm_up_seconds, order["server_pid"])
    faces.start()
    config = load_config(None, setting.config(order["urls"], order["endpoint"]))
    run_pipeline(config, watch, setting.warm_up_seconds + hold_seconds + _GIVE_UP_SECONDS)
    faces.stop()
    sys.stdout.write(json.dumps(_figures(watch.result, faces.seen, order) if watch.result else {"why": "not all live"}))


def _figures(result: dict[str, Any], faces: list[tuple[int, float]], order: dict[str, Any]) -> dict[str, Any]:
    first, last = result["first"], result["last"]
    seconds = last["monotonic"] - first["monotonic"]
    counted = {name: total - first["counters"].get(name, 0) for name, total in last["counters"].items()}
    latencies = [ms for sent_ns, ms in faces if first["time_ns"] <= sent_ns <= last["time_ns"]]
    core_seconds = seconds * CORES
    return {
        "seconds": seconds,
        "drops": {name: count for name, count in _drops(counted).items() if count},
        "overload_level": result["overload_level"],
        "reconnects": counted.get("reconnects", 0),
        "frame_share": counted.get("frames", 0) / seconds / (len(order["urls"]) * order["fps"]),
        "detections_per_second": counted.get("frames_detected", 0) / seconds,
        "frames_per_second": counted.get("frames", 0) / seconds,
        "faces_per_second": len(latencies) / seconds,
        "latency_p50_ms": float(np.percentile(latencies, 50)) if latencies else None,
        "latency_p99_ms": float(np.percentile(latencies, 99)) if latencies else None,
        "cpu_share": (last["cpu"] - first["cpu"]) / core_seconds,
        "server_cpu_share": (last["server_cpu"] - first["server_cpu"]) / core_seconds,
        "all_cpu_share": (last["all_cpu"] - first["all_cpu"]) / core_seconds,
        "stage_ms": {name: _mean_ms(first["stages"].get(name, (0, 0.0)), stage) for name, stage in last["stages"].items()},
    }


def _mean_ms(before: list[float], after: list[float]) -> float | None:
    items = after[0] - before[0]
    return 1000 * (after[1] - before[1]) / items if items else None
