"""Does a session grow? A million small crops through each session of a CPU, and a thousand times opened and closed.

    python -m tests.bench.endurance --crops 1000000 --reloads 1000 --minutes 10 --json FILE

Each session has a process of its own. The crops are of 64 sizes in turn, and every 500th of one of many larger sizes, as faces
come; the network is small, since it is the session that is asked about. What is opened again and again is the default
generator.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from rich.console import Console
from rich.table import Table

from engine.contracts.manifest import read_manifest
from engine.errors import FacestreamError
from engine.models.catalog import find_model
from engine.sessions.session import SessionSpec, open_session
from tests.bench.engine_speed import ENGINES
from tests.trt_build.engines.networks import generator_model
from trt_build.engines.graph import plain_graph
from trt_build.engines.int8 import int8_graph

CONSOLE = Console()
LOOKS = 20


def main() -> None:
    """Ask each session, print the table, and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crops", type=int, default=1_000_000)
    parser.add_argument("--reloads", type=int, default=1_000)
    parser.add_argument(
        "--minutes", type=float, default=float("inf"), help="for the crops of one session at most, and for its reloads"
    )
    parser.add_argument("--only", default="", help="sessions with this in their name, as `openvino bf16`")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found: dict[str, Any] = {}
    context = multiprocessing.get_context("spawn")
    table = Table(
        "session", "crops", "MB at first", "half-way", "at last", "reloads", "MB at first", "half-way", "at last", "minutes"
    )
    for target, precision in ENGINES:
        if options.only not in f"{target} {precision}":
            continue
        with context.Pool(1) as pool:  # a process of its own
            row = pool.apply(_ask, (target, precision, options.crops, options.reloads, 60 * options.minutes))
        found[f"{target} {precision}"] = row
        CONSOLE.print(f"{target} {precision}: {row}", soft_wrap=True)
        if "trouble" not in row:
            cells = [cell for what in ("crops", "reloads") for cell in _cells(*row[what])]
            table.add_row(f"{target} {precision}", *cells, f"{row['minutes']:.1f}")
        if options.json:
            options.json.write_text(json.dumps(found, indent=2) + "\n")
    CONSOLE.print(table)


def _cells(count: int, sizes: list[float]) -> list[str]:
    return [f"{count:,}", *(f"{sizes[at]:.1f}" for at in (0, len(sizes) // 2, -1))]


def _ask(target: str, precision: str, crops: int, reloads: int, seconds: float) -> dict[str, Any]:
    began = time.monotonic()
    try:
        with tempfile.TemporaryDirectory() as folder:
            small, large = _specs(target, precision, Path(folder))
            row: dict[str, Any] = {"crops": _crops(small, crops, seconds), "reloads": _reloads(large, reloads, seconds)}
    except FacestreamError as error:
        return {"trouble": str(error)}
    return row | {"minutes": (time.monotonic() - began) / 60}


def _specs(target: str, precision: str, folder: Path) -> tuple[SessionSpec, SessionSpec]:
    """Return a small network and the default generator, as this session opens them; what int8 is calibrated on is noise."""
    path = find_model("compact_fine_x4")
    assert path is not None
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


Looked = tuple[int, list[float]]
"""How many there were, and the resident memory in MB at each look."""


def _crops(spec: SessionSpec, count: int, seconds: float) -> Looked:
    rng = np.random.default_rng(0)
    usual = [rng.random((1, 1, high, wide), np.float32) for high in range(8, 16) for wide in range(8, 16)]
    sizes: list[float] = []
    end = time.monotonic() + seconds
    with open_session(spec) as session:
        name = session.inputs[0].name
        for at in range(count):
            if time.monotonic() > end:
                return at, [*sizes, _resident_mb()]
            if at % 500 == 499:
                high, wide = rng.integers(16, 145, 2)
                session.run({name: rng.random((1, 1, high, wide), np.float32)})
            else:
                session.run({name: usual[at % len(usual)]})
            if (at + 1) % max(1, count // LOOKS) == 0:
                sizes.append(_resident_mb())
    return count, sizes


def _reloads(spec: SessionSpec, count: int, seconds: float) -> Looked:
    picture = np.random.default_rng(0).random((1, 1, 16, 16), np.float32)
    sizes: list[float] = []
    end = time.monotonic() + seconds
    for at in range(count):
        if time.monotonic() > end:
            return at, [*sizes, _resident_mb()]
        with open_session(spec) as session:
            session.run({session.inputs[0].name: picture})
        if (at + 1) % max(1, count // LOOKS) == 0:
            sizes.append(_resident_mb())
    return count, sizes


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


if __name__ == "__main__":
    main()
