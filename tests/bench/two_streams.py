"""Two streams of one camera: how far apart in time the pictures are that are taken for one moment, how much larger faces
become, and what it costs. The camera is the real RTSP server of the tests, whose mounts show the same moment.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from engine.config import DecodeConfig
from engine.contracts.frames import Frame, Uint8
from engine.decode import packet_reader
from engine.decode.live import LiveDecoder
from engine.decode.main_stream import MainStream
from engine.sample.clip import render_sample
from tests.bench.processes import PROC, marked
from tests.decode.watching import camera
from tests.footage import frames
from tests.rtsp.clips import Clip, encode, frame_number, numbered_clip
from tests.rtsp.server import GstServer, Live

FPS = 25
LOOP_SECONDS = 8
MAIN_PX, SUB_PX = (1920, 1080), (640, 360)
MARK = "FACESTREAM_BENCH_TWO_STREAMS=1"


def clock_errors(server: GstServer, seconds: float, fps: int, *, told: bool) -> dict[str, object]:
    """Pair pictures that say their number; return the errors in frames of the main stream, and how long a pair took to come.

    Args:
        server: with mounts ``sub`` and ``main`` of numbered clips.
        seconds: so long.
        fps: of the main stream.
        told: whether the camera's clock (RTCP) is believed.
    """
    errors, waits, misses = [], [], Counter[str]()
    with pytest.MonkeyPatch.context() as patch:
        if not told:
            patch.setattr(packet_reader, "_ntp_ns", lambda packet: None)
        decoder = LiveDecoder(camera(server.url("sub")), DecodeConfig())
        main = MainStream(camera(server.url("main"), crop_wait_ms=800.0), DecodeConfig(), decoder.wake)
        main.is_wanted = True
        main.start()
        began, numbers = time.monotonic(), dict[int, tuple[int, float]]()
        with closing(decoder), closing(main):
            for item in decoder:
                if isinstance(item, Frame):
                    main.note(item)
                    if item.detect and main.is_following:
                        numbers[item.time.frame_index] = frame_number(item.planes.y), item.time.arrived_seconds
                        main.expect(item)
                for answer in main.take():
                    number, arrived = numbers.pop(answer.frame_index)
                    if answer.planes is None:
                        misses[str(answer.miss)] += 1
                        continue
                    apart = frame_number(answer.planes.y) / fps - number / FPS
                    errors.append(((apart + LOOP_SECONDS / 2) % LOOP_SECONDS - LOOP_SECONDS / 2) * fps)
                    waits.append((time.monotonic() - arrived) * 1000)
                if time.monotonic() - began > seconds:
                    break
    late = errors[len(errors) // 2 :]
    return {
        "pairs": len(errors),
        "misses": dict(misses),
        "worst_first_half": round(max(map(abs, errors[: len(errors) // 2])), 2),
        "worst_second_half": round(max(map(abs, late)), 2),
        "median_second_half": round(statistics.median(map(abs, late)), 2),
        "wait_ms_p50": round(statistics.median(waits)),
    }


def clocks(folder: Path, seconds: float) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield the errors for several delays and rates, with and without the camera's clock."""
    sub = numbered_clip(folder / "sub.h264", size_px=(320, 240), fps=FPS, seconds=LOOP_SECONDS)
    for fps, delay in [(25, 0.0), (25, 0.12), (25, 0.4), (15, 0.12), (30, -0.1)]:
        main = numbered_clip(folder / f"main{fps}.h264", size_px=(960, 720), fps=fps, seconds=LOOP_SECONDS)
        mounts = {"sub": Live(sub, 0.05 + max(0.0, -delay)), "main": Live(main, 0.05 + max(0.0, delay))}
        for told in (True, False):
            with GstServer(mounts) as server:
                yield f"{fps} fps {delay:+.2f} s {'ntp' if told else 'seen'}", clock_errors(server, seconds, fps, told=told)


def scenes(folder: Path) -> dict[str, tuple[Clip, Clip]]:
    """Return (main, sub) of a hall with people, and of one that is empty but for a second in eight; made where they are not
    there."""
    paths = {name: (folder / f"{name}-main.h264", folder / f"{name}-sub.h264") for name in ("people", "empty")}
    if not all(path.exists() for pair in paths.values() for path in pair):
        video = folder / "sample.mp4"
        render_sample(video, seconds=2.0, size_px=MAIN_PX, bits_per_second=12_000_000)
        people = [np.concatenate([p.y, p.u.reshape(-1, MAIN_PX[0]), p.v.reshape(-1, MAIN_PX[0])]) for _, p in frames(video)]
        people += people[::-1]
        grey = np.full((MAIN_PX[1] * 3 // 2, MAIN_PX[0]), 110, np.uint8)
        pictures = {"people": people, "empty": [*people[:FPS], *[grey] * (FPS * (LOOP_SECONDS - 1))]}
        for name, (large, small) in paths.items():
            encode(pictures[name], large, fps=FPS, kbps=4000)
            encode(map(_reduced, pictures[name]), small, fps=FPS, kbps=500)
    return {name: (Clip(a, "h264", FPS, MAIN_PX, FPS), Clip(b, "h264", FPS, SUB_PX, FPS)) for name, (a, b) in paths.items()}


def _reduced(i420: Uint8) -> Uint8:
    bgr = cv2.resize(cv2.cvtColor(i420, cv2.COLOR_YUV2BGR_I420), SUB_PX, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420), np.uint8)


def cost(server: GstServer, folder: Path, which: str, seconds: float) -> dict[str, object]:
    """Run the product over ``main``, ``sub`` or ``both``; return CPU by process, in cores, and the sizes of faces."""
    source = {"uri": server.url("main" if which == "main" else "sub"), "name": "cam", "hwaccel": "none"}
    if which == "both":
        source["crop_uri"] = server.url("main")
    config, out = folder / f"{which}.yaml", folder / f"out-{which}"
    config.write_text(yaml.safe_dump({"sources": [source]}), encoding="utf-8")
    name, _, value = MARK.partition("=")
    command = [sys.executable, "-m", "engine", "run", str(config), "--generator", "none", "--embedder", "none", "--quiet",
               "--overwrite", "--out", str(out), "--duration", str(seconds)]  # fmt: skip
    cpu: dict[str, float] = {}
    with subprocess.Popen(command, env=os.environ | {name: value}) as run:
        while run.poll() is None:
            for pid in marked(MARK):
                try:
                    words = (PROC / str(pid) / "stat").read_text().rpartition(")")
                    cpu[words[0].partition("(")[2]] = sum(map(int, words[2].split()[11:13])) / os.sysconf("SC_CLK_TCK")
                except OSError:
                    continue
            time.sleep(0.3)
    lines = [json.loads(line) for line in (out / "faces.jsonl").read_text(encoding="utf-8").splitlines()]
    sizes = [line["quality"]["size_px"] for line in lines]
    counters = json.loads((out / "run.json").read_text(encoding="utf-8")).get("counters", {})
    return {
        "cpu_per_s": {name: round(spent / seconds, 3) for name, spent in sorted(cpu.items()) if name.startswith("fs-")},
        "faces": len(sizes),
        "size_px": [round(float(value)) for value in np.percentile(sizes, [10, 50, 90])] if sizes else [],
        "counted": {key: value for key, value in counters.items() if "main" in key or "sub_" in key or "drop" in key},
    }


def main() -> None:
    """Print one line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=15.0, help="of each arrangement")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "facestream-two-streams", help="of clips")
    parser.add_argument("what", choices=["clips", "clock", "cost"])
    options = parser.parse_args()
    folder: Path = options.folder
    folder.mkdir(exist_ok=True)
    if options.what == "clock":
        for name, figures in clocks(folder, options.seconds):
            sys.stdout.write(f"{name}: {json.dumps(figures)}\n")
            sys.stdout.flush()
        return
    for scene, (large, small) in scenes(folder).items():
        with GstServer({"main": Live(large, 0.1), "sub": Live(small, 0.05)}) as server:
            for which in ("main", "sub", "both") if options.what == "cost" else ():
                sys.stdout.write(f"{scene}, {which}: {json.dumps(cost(server, folder, which, options.seconds))}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
