"""Faces/s from a face's pixels to its JPEG through the product's own session, and what of that the host takes.

    make bench-gpu                                         # on a machine with a GPU, and with engines of it if they were built
    python -m tests.bench.gpu_session --device cpu         # shows that it works

Each column adds something to the one before: the network alone, colour, JPEG, several threads at once.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from engine.config import SuperResolveConfig
from engine.contracts.frames import Planes
from engine.models import find_model
from engine.pictures.colour import planes_from_bgr
from engine.pictures.encode import encode_picture
from engine.super_resolve.enhancer import Enhancer
from engine.super_resolve.generator import open_generator

CONSOLE = Console()
SIDE_PX = 32
COLUMNS = ("network", "and colour", "and JPEG", "in threads")


def main() -> None:
    """Measure, print the table, keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--batches", default="8,64")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seconds", type=float, default=2.0, help="of one measurement")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    generator = open_generator(SuperResolveConfig(device=options.device), find_model, warn=CONSOLE.print)
    CONSOLE.print(generator.runtime, soft_wrap=True)
    enhancer = Enhancer(generator, 1.0, 80.0)
    table = Table("batch", *(f"{column}, faces/s" for column in COLUMNS), "CPU ms a face")
    rows = []
    for batch in map(int, options.batches.split(",")):
        faces = [_face(number) for number in range(batch)]
        ways: tuple[Callable[[], object], ...] = (
            lambda faces=faces: generator.upscale([face.y for face in faces]),
            lambda faces=faces: enhancer.enlarge(faces),
            lambda faces=faces: _jpegs(enhancer, faces),
        )
        rates = [batch * _runs_per_second(way, options.seconds) for way in ways]
        cpu = time.process_time()
        rates.append(batch * _runs_per_second(ways[-1], options.seconds, options.threads))
        cpu_ms = 1000 * (time.process_time() - cpu) / (rates[-1] * options.seconds)
        rows.append({"batch": batch, "cpu_ms": cpu_ms, **dict(zip(COLUMNS, rates, strict=True))})
        table.add_row(str(batch), *(f"{rate:,.0f}" for rate in rates), f"{cpu_ms:.3f}")
    CONSOLE.print(table)
    if options.json:
        found = {"runtime": generator.runtime, "threads": options.threads, "rows": rows}
        options.json.write_text(json.dumps(found, indent=2) + "\n")
    enhancer.close()


def _jpegs(enhancer: Enhancer, faces: list[Planes]) -> list[bytes]:
    return [encode_picture(face.bgr) for face in enhancer.enlarge(faces)]


def _runs_per_second(run: Callable[[], object], seconds: float, threads: int = 1) -> float:
    """Return the rate of all threads together, after a run that does not count."""
    run()
    end = time.perf_counter() + seconds

    def count() -> int:
        runs = 0
        while time.perf_counter() < end:
            run()
            runs += 1
        return runs

    began = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        runs = sum(pool.map(lambda _: count(), range(threads)))
    return runs / (time.perf_counter() - began)


def _face(number: int) -> Planes:
    noise = np.random.default_rng(number).integers(0, 256, (SIDE_PX, SIDE_PX, 3)).astype(np.uint8)
    return planes_from_bgr(cv2.GaussianBlur(noise, (0, 0), 2.0))


if __name__ == "__main__":
    main()
