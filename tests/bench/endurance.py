"""Does a session grow? A million small crops through each session of a CPU, and a thousand times opened and closed.

    python -m tests.bench.endurance --crops 1000000 --reloads 1000 --minutes 10 --json FILE

Each session has a process of its own. The crops are of 64 sizes in turn, and every 500th of one of many larger sizes, as faces
come; with `--side` all are of one size, and with `--most` height and width of each are drawn. The network is small, since it is
the session that is asked about. What is opened again and again is the default generator, or `--generator`. The slope is that
of a line through the second half of the looks.
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import tempfile
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from rich.console import Console
from rich.table import Table

from engine.contracts.manifest import read_manifest
from engine.errors import FacestreamError, ModelError
from engine.models.catalog import find_model
from engine.sessions.openvino_session import computes_in_bfloat16
from engine.sessions.session import SessionSpec, open_session
from tests.bench.engine_speed import ENGINES
from tests.trt_build.engines.networks import generator_model
from trt_build.engines.graph import plain_graph
from trt_build.engines.int8 import int8_graph

CONSOLE = Console()
LOOKS = 100


def main() -> None:
    """Ask each session, print the table, and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crops", type=int, default=1_000_000)
    parser.add_argument("--reloads", type=int, default=1_000)
    parser.add_argument(
        "--minutes", type=float, default=float("inf"), help="for the crops of one session at most, and for its reloads"
    )
    parser.add_argument("--only", default="", help="sessions with this in their name, as `openvino bf16`")
    parser.add_argument("--side", type=int, help="px of every crop, in place of many sizes")
    parser.add_argument("--most", type=int, help="px: height and width of every crop are drawn from 14 to this")
    parser.add_argument("--generator", default="compact_fine_x4", help="what is opened and closed")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found: dict[str, Any] = {}
    context = multiprocessing.get_context("spawn")
    table = Table("session", "what", "how many", "MB at first", "half-way", "at last", "KB for each 1,000", "minutes")
    for target, precision in ENGINES:
        if options.only not in f"{target} {precision}":
            continue
        if precision == "bf16" and not computes_in_bfloat16():
            CONSOLE.print(f"{target} bf16: this CPU has no bfloat16")
            continue
        with context.Pool(1) as pool:  # a process of its own
            row = pool.apply(_ask, (target, precision, options))
        found[f"{target} {precision}"] = row
        CONSOLE.print(f"{target} {precision}: {row}", soft_wrap=True)
        if "trouble" not in row:
            for what in ("crops", "reloads"):
                table.add_row(f"{target} {precision}", what, *_cells(row[what]))
        if options.json:
            options.json.write_text(json.dumps(found, indent=2) + "\n")
    CONSOLE.print(table)


def _cells(looked: dict[str, Any]) -> list[str]:
    sizes = [size for _, size in looked["looks"]]
    places = (min(len(sizes) - 1, LOOKS // 20 - 1), len(sizes) // 2, -1)
    return [
        f"{looked['count']:,}",
        *(f"{sizes[at]:.1f}" for at in places),
        f"{looked['slope_kb']:.2f}",
        f"{looked['minutes']:.1f}",
    ]


def _ask(target: str, precision: str, options: argparse.Namespace) -> dict[str, Any]:
    seconds = 60 * options.minutes
    try:
        with tempfile.TemporaryDirectory() as folder:
            small, large = _specs(target, precision, options.generator, Path(folder))
            return {
                "crops": _looked(_crops(small, options.side, options.most), options.crops, seconds),
                "reloads": _looked(_reloads(large), options.reloads, seconds),
            }
    except FacestreamError as error:
        return {"trouble": str(error)}


def _specs(target: str, precision: str, generator: str, folder: Path) -> tuple[SessionSpec, SessionSpec]:
    """Return a small network and the generator, as this session opens them; what int8 is calibrated on is noise."""
    path = find_model(generator)
    if path is None:
        raise ModelError(f"there is no model {generator}")
    described = read_manifest(path)
    graphs = [generator_model(), plain_graph(path.with_name(described.file), "", described.name)]
    specs = []
    for at, graph in enumerate(graphs):
        noise = [np.random.default_rng(side).random((1, 1, side, side), np.float32) for side in (16, 24, 32)]
        ready = int8_graph(graph, noise, symmetric=False) if precision == "int8" else graph
        file = folder / f"network{at}.onnx"
        onnx.save(ready, str(file))
        if target == "ncnn":
            from trt_build.engines.ncnn_files import ncnn_container

            container = file.with_suffix(".ncnn")
            container.write_bytes(ncnn_container(graph, file.stem, ((1, 1, 16, 16), (1, 1, 24, 24), (1, 1, 96, 96)))[0])
            file = container
        asked = "bfloat16" if precision == "bf16" else "float32"
        specs.append(SessionSpec(file, target, precision=asked))  # type: ignore[arg-type]
    return specs[0], specs[1]


def _looked(steps: Generator[None], count: int, seconds: float) -> dict[str, Any]:
    """Take so many steps, or as many as the time allows; the resident memory in MB at each look, and how fast it grew."""
    began = time.monotonic()
    looks: list[tuple[int, float]] = []
    done = 0
    while done < count and time.monotonic() - began < seconds:
        next(steps)
        done += 1
        if done % max(1, count // LOOKS) == 0:
            looks.append((done, _resident_mb()))
    looks.append((done, _resident_mb()))
    steps.close()
    at, sizes = np.array(looks[len(looks) // 2 :]).T
    slope_kb = 1e6 * float(np.polyfit(at, sizes, 1)[0]) if len(set(at)) > 1 else float("nan")  # KB for each 1,000 steps
    return {"count": done, "looks": looks, "slope_kb": slope_kb, "minutes": (time.monotonic() - began) / 60}


def _crops(spec: SessionSpec, side: int | None, most: int | None) -> Generator[None]:
    rng = np.random.default_rng(0)
    sizes = [(side, side)] if side else [(high, wide) for high in range(8, 16) for wide in range(8, 16)]
    usual = [rng.random((1, 1, *size), np.float32) for size in sizes]
    with open_session(spec) as session:
        name = session.inputs[0].name
        for at in itertools.count():
            if most:
                session.run({name: rng.random((1, 1, *rng.integers(14, most + 1, 2)), np.float32)})
            elif at % 500 == 499 and not side:
                session.run({name: rng.random((1, 1, *rng.integers(16, 145, 2)), np.float32)})
            else:
                session.run({name: usual[at % len(usual)]})
            yield


def _reloads(spec: SessionSpec) -> Generator[None]:
    picture = np.random.default_rng(0).random((1, 1, 16, 16), np.float32)
    while True:
        with open_session(spec) as session:
            session.run({session.inputs[0].name: picture})
        yield


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


if __name__ == "__main__":
    main()
