"""Generators on a GPU by torch: crops/s (32 px to 128 px), and the share of the matrix peak that is measured in the same run.

    make bench-gpu                                        # on a machine with a GPU
    python -m tests.bench.gpu --device cpu --batches 2 --types bf16    # shows that the script works; its figures mean nothing

Weights are random: only the speed is measured. ``graphed`` replays one CUDA graph, so that the host costs nothing.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from trt_build.networks.generators.catalog import build_generator

CONSOLE = Console()
SIDE_PX = 32
NETWORKS: dict[str, tuple[str, dict[str, object]]] = {
    "compact_fine_x4": ("compact", {"width": 48, "blocks": 8}),
    "SRResNet-16": ("srgan", {"blocks": 16, "width": 64}),
    "RRDBNet-6": ("rrdb", {"blocks": 6, "width": 64, "growth": 32}),
    "RRDBNet-23": ("rrdb", {"blocks": 23, "width": 64, "growth": 32}),
}
TYPES = {"fp16": torch.float16, "bf16": torch.bfloat16}
WAYS = ("eager", "compiled", "graphed")
PEAK_SIDE = {"cuda": 8192, "cpu": 512}
Run = Callable[[], object]


def main() -> None:
    """Measure, print the table, keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--batches", default="8,32,128,512")
    parser.add_argument("--networks", default=",".join(NETWORKS))
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--types", default=",".join(TYPES))
    parser.add_argument("--seconds", type=float, default=0.5, help="of one measurement")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        parser.error("torch finds no CUDA GPU here: run it on a machine that has one, or give --device cpu")
    name = torch.cuda.get_device_name() if options.device == "cuda" else "CPU"
    peaks = {kind: _peak(TYPES[kind], options.device, options.seconds) for kind in options.types.split(",")}
    CONSOLE.print(
        f"{name}: measured matrix peak " + ", ".join(f"{kind} {peak / 1e12:.1f} TFLOP/s" for kind, peak in peaks.items())
    )
    table, rows = Table("network", "type", "batch", "way", "crops/s", "share of peak"), []
    for network in options.networks.split(","):
        for kind in peaks:
            for batch in map(int, options.batches.split(",")):
                for way in options.ways.split(","):
                    row = _measure(network, kind, batch, way, options.device, options.seconds)
                    row["share_of_peak"] = row["flops_per_s"] / peaks[kind]
                    rows.append({"network": network, "type": kind, "batch": batch, "way": way, **row})
                    table.add_row(network, kind, str(batch), way, f"{row['crops_per_s']:,.0f}", f"{row['share_of_peak']:.0%}")
    CONSOLE.print(table)
    if options.json:
        options.json.write_text(json.dumps({"device": name, "peaks": peaks, "rows": rows}, indent=2) + "\n")


def _measure(network: str, kind: str, batch: int, way: str, device: str, seconds: float) -> dict[str, float]:
    generator, options = NETWORKS[network]
    model = build_generator(generator, options).eval().to(device, TYPES[kind], memory_format=torch.channels_last)
    crops = torch.rand(batch, 1, SIDE_PX, SIDE_PX, device=device, dtype=TYPES[kind]).to(memory_format=torch.channels_last)
    with torch.inference_mode():
        with FlopCounterMode(display=False) as counter:
            model(crops[:1])
        rate = batch * _runs_per_second(_way(model, crops, way, device), device, seconds)
    return {"crops_per_s": rate, "flops_per_s": rate * counter.get_total_flops()}


def _way(model: nn.Module, crops: torch.Tensor, way: str, device: str) -> Run:
    if way == "compiled":
        compiled = torch.compile(model)
        return lambda: compiled(crops)
    if way == "graphed" and device == "cuda":
        for _ in range(3):
            model(crops)
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            model(crops)
        return graph.replay
    return lambda: model(crops)


def _peak(kind: torch.dtype, device: str, seconds: float) -> float:
    """Return the FLOP/s of a large matrix product."""
    side = PEAK_SIDE[device]
    one, other = (torch.rand(side, side, device=device, dtype=kind) for _ in range(2))
    return 2.0 * side**3 * _runs_per_second(lambda: one @ other, device, seconds)


def _runs_per_second(run: Run, device: str, seconds: float) -> float:
    """Return the rate of the better of two measurements, after runs that do not count."""
    wait = torch.cuda.synchronize if device == "cuda" else (lambda: None)
    for _ in range(3):
        run()
    wait()
    best = 0.0
    for _ in range(2):
        count, began = 0, time.perf_counter()
        while (spent := time.perf_counter() - began) < seconds:
            for _ in range(4):
                run()
            wait()
            count += 4
        best = max(best, count / spent)
    return best


if __name__ == "__main__":
    main()
