"""Faces/s from a face's pixels to its JPEG through the product's own session, and what of that the host takes.

    make bench-gpu                                         # on a machine with a GPU, and with engines of it if they were built
    python -m tests.bench.gpu_session --precision float16,float8
    python -m tests.bench.gpu_session --device cpu         # shows that it works

Each column adds something to the one before: the network alone, colour, JPEG, several threads at once. A precision for which
there is no engine is named, with the command that builds it. Every row is printed, and written, as it comes.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console

from engine.config import SuperResolveConfig
from engine.contracts.frames import Planes
from engine.errors import FacestreamError
from engine.models import find_model
from engine.pictures.colour import planes_from_bgr
from engine.pictures.encode import encode_picture
from engine.super_resolve.enhancer import Enhancer
from engine.super_resolve.generator import Generator, open_generator
from tests.bench.rows import Row, Rows

CONSOLE = Console(width=110)
SIDE_PX = 32
COLUMNS = ("network", "and colour", "and JPEG", "in threads")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what there is for each precision."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--runtime", default="auto")
    parser.add_argument("--precision", default="auto", help="several with commas between")
    parser.add_argument("--batches", default="8,64")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seconds", type=float, default=2.0, help="of one measurement")
    parser.add_argument("--json", type=Path, help="a line for each row")
    options = parser.parse_args(arguments)
    rows = Rows(options.json)
    for precision in options.precision.split(","):
        config = SuperResolveConfig(device=options.device, runtime=options.runtime, precision=precision)
        try:
            generator = open_generator(config, find_model, warn=_tell)
        except FacestreamError as error:
            _tell(f"{precision}: {error}")
            rows.write({"precision": precision, "failed": str(error)})
            continue
        _tell(generator.runtime)
        with closing(Enhancer(generator, 1.0, 80.0)) as enhancer:
            for batch in map(int, options.batches.split(",")):
                row = _measure(generator, enhancer, batch, options.threads, options.seconds)
                rows.write({"precision": precision, "runtime": generator.runtime, "threads": options.threads, **row})
                rates = ", ".join(f"{column} {row[column]:,.0f}" for column in COLUMNS)
                _tell(f"batch {batch:4}: {rates} faces/s, {row['cpu_ms']:.3f} ms of the CPU a face")


def _measure(generator: Generator, enhancer: Enhancer, batch: int, threads: int, seconds: float) -> Row:
    faces = [_face(number) for number in range(batch)]
    ways: tuple[Callable[[], object], ...] = (
        lambda: generator.upscale([face.y for face in faces]),
        lambda: enhancer.enlarge(faces),
        lambda: _jpegs(enhancer, faces),
    )
    rates = [batch * _runs_per_second(way, seconds) for way in ways]
    cpu = time.process_time()
    rates.append(batch * _runs_per_second(ways[-1], seconds, threads))
    cpu_ms = 1000 * (time.process_time() - cpu) / (rates[-1] * seconds)
    return {"batch": batch, "cpu_ms": cpu_ms, **dict(zip(COLUMNS, rates, strict=True))}


def _tell(sentence: str) -> None:
    CONSOLE.print(sentence, soft_wrap=True, markup=False)


def _jpegs(enhancer: Enhancer, faces: list[Planes]) -> list[bytes]:
    return [encode_picture(face.bgr) for face in enhancer.enlarge(faces)]


def _runs_per_second(run: Callable[[], object], seconds: float, threads: int = 1) -> float:
    """Return the rate of all threads together, after a run that does not count."""
    run()
    end = time.perf_counter() + seconds

    def count() -> int:
        runs = 0
        while not runs or time.perf_counter() < end:
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
