"""Generators on a GPU by torch: crops/s (32 px to 128 px), and the share of the matrix peak that is measured in the same run.

    make bench-gpu                                                     # on a machine with a GPU
    python -m tests.bench.gpu --minutes 9 --json rows.jsonl
    python -m tests.bench.gpu --device cpu --batches 2 --networks compact_fine_x4    # it works; its figures mean nothing

Every measurement is printed, and written, as it comes: a run that is cut off loses none. What is quick comes first; what torch
compiles takes up to minutes for each network and comes last, and what is not begun after ``--minutes`` is left out and named.

Weights are random: only the speed is measured. ``graphed`` replays one CUDA graph, so that the host costs nothing. ``fp8`` are
products of E4M3 numbers with bfloat16 between them (``fp8_convolutions``), and its share is that of such a product.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from rich.console import Console
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from tests.bench.fp8_convolutions import in_fp8, product
from tests.bench.rows import Row, Rows
from trt_build.networks.generators.catalog import build_generator

CONSOLE = Console(width=110)
SIDE_PX = 32
NETWORKS: dict[str, tuple[str, dict[str, object]]] = {
    "compact_fine_x4": ("compact", {"width": 48, "blocks": 8}),
    "SRResNet-16": ("srgan", {"blocks": 16, "width": 64}),
    "RRDBNet-6": ("rrdb", {"blocks": 6, "width": 64, "growth": 32}),
    "RRDBNet-23": ("rrdb", {"blocks": 23, "width": 64, "growth": 32}),
}
TYPES = {"fp16": torch.float16, "bf16": torch.bfloat16, "fp8": torch.bfloat16}
"""What pictures have between the convolutions."""
WAYS = ("eager", "graphed", "compiled")
PEAK_SIDE = {"cuda": 8192, "cpu": 128}
FP8_FROM = (8, 9)
"""The first compute capability that has it."""
Run = Callable[[], object]


@dataclass(frozen=True)
class Point:
    """What is measured once."""

    network: str
    type: str
    batch: int
    way: str


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and say at the end what there was no time for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda", choices=PEAK_SIDE)
    parser.add_argument("--batches", default="8,32,128,512")
    parser.add_argument("--networks", default=",".join(NETWORKS))
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--types", default=",".join(TYPES))
    parser.add_argument("--seconds", type=float, default=0.3, help="of one measurement; the better of two counts")
    parser.add_argument("--minutes", type=float, default=6.0, help="after which nothing more is begun")
    parser.add_argument("--json", type=Path, help="a line for the device, then one for each measurement")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    if options.device == "cuda" and not torch.cuda.is_available():
        parser.error("torch finds no CUDA GPU here: run it on a machine that has one, or give --device cpu")
    kinds, ways = options.types.split(","), options.ways.split(",")
    if options.device == "cpu":
        ways = [way for way in ways if way != "graphed"]
    elif "fp8" in kinds and torch.cuda.get_device_capability() < FP8_FROM:
        CONSOLE.print("fp8 is left out: this GPU has none, which those from compute capability 8.9 on have")
        kinds.remove("fp8")
    bench = Bench(options.device, options.seconds)
    rows = Rows(options.json)
    peaks = {kind: bench.peak(kind) for kind in kinds}
    rows.write({"device": bench.name, "torch": torch.__version__, "peaks_flops_per_s": peaks})
    measured = ", ".join(f"{kind} {peak / 1e12:.1f} TFLOP/s" for kind, peak in peaks.items())
    CONSOLE.print(f"{bench.name}, torch {torch.__version__}: measured matrix peak {measured}")
    points = plan(options.networks.split(","), kinds, [int(batch) for batch in options.batches.split(",")], ways)
    done = 0
    for point, row in measure_all(points, bench.measure, lambda: time.monotonic() - began > 60 * options.minutes):
        if "flops_per_s" in row:
            row["share_of_peak"] = row["flops_per_s"] / peaks[point.type]
        rows.write({**asdict(point), **row})
        CONSOLE.print(_said(point, row), soft_wrap=True, markup=False)
        done += 1
    if left := points[done:]:
        names = ", ".join(dict.fromkeys(f"{point.network} {point.type} {point.way}" for point in left))
        CONSOLE.print(f"no time for {len(left)} of {len(points)}: {names}", soft_wrap=True)


def plan(networks: Sequence[str], kinds: Sequence[str], batches: Sequence[int], ways: Sequence[str]) -> list[Point]:
    """Return what is to be measured, in this order."""
    slow = [way for way in ways if way == "compiled"]
    quick = [way for way in ways if way != "compiled"]
    return [
        Point(network, kind, batch, way)
        for some in (quick, slow)
        for network in networks
        for kind in kinds
        for batch in batches
        for way in some
    ]


def measure_all(
    points: Sequence[Point], measure: Callable[[Point], Row], is_over: Callable[[], bool]
) -> Iterator[tuple[Point, Row]]:
    """Yield what was found of each point, as it is found; what fails costs its own row."""
    for point in points:
        if is_over():
            return
        try:
            yield point, measure(point)
        except Exception as error:  # no memory for so large a batch, or nothing that can be compiled
            yield point, {"failed": (str(error).strip() or type(error).__name__).splitlines()[0][:200]}


class Bench:
    """One device; the network that was measured last stays built."""

    def __init__(self, device: str, seconds: float) -> None:
        self._device, self._seconds = device, seconds
        self.name = torch.cuda.get_device_name() if device == "cuda" else "CPU"
        self._built: tuple[str, str] | None = None
        self._model: nn.Module = nn.Identity()
        self._compiled: Callable[..., object] = self._model
        self._flops = 0

    def peak(self, kind: str) -> float:
        """Return the FLOP/s of a large matrix product."""
        side = PEAK_SIDE[self._device]
        if kind == "fp8":
            one, other, scale = product(side, self._device)
            return 2.0 * side**3 * self._rate(lambda: torch._scaled_mm(one, other, scale, scale, out_dtype=TYPES[kind]))
        left, right = (torch.rand(side, side, device=self._device, dtype=TYPES[kind]) for _ in range(2))
        return 2.0 * side**3 * self._rate(lambda: left @ right)

    def measure(self, point: Point) -> Row:
        """Return the rates of a point, and how long it took to get ready."""
        began = time.monotonic()
        shape = (point.batch, 1, SIDE_PX, SIDE_PX)
        crops = torch.rand(shape, device=self._device, dtype=TYPES[point.type]).to(memory_format=torch.channels_last)
        with torch.inference_mode():
            if self._built != (point.network, point.type):
                self._build(point, crops[:1])
            run = self._way(point.way, crops)
            run()
            ready = time.monotonic() - began
            rate = point.batch * self._rate(run)
        return {"crops_per_s": rate, "flops_per_s": rate * self._flops, "seconds_before": ready}

    def _build(self, point: Point, crop: torch.Tensor) -> None:
        name, options = NETWORKS[point.network]
        torch._dynamo.reset()
        self._built = None
        model = build_generator(name, options).eval().to(self._device, TYPES[point.type], memory_format=torch.channels_last)
        with FlopCounterMode(display=False) as counter:
            model(crop)
        if point.type == "fp8":
            in_fp8(model)
        self._flops, self._model = counter.get_total_flops(), model
        self._compiled, self._built = torch.compile(model), (point.network, point.type)

    def _way(self, way: str, crops: torch.Tensor) -> Run:
        if way == "compiled":
            if len(crops) > 1:
                torch._dynamo.mark_dynamic(crops, 0)  # compiled once, not for each batch
            return lambda: self._compiled(crops)
        if way == "eager":
            return lambda: self._model(crops)
        for _ in range(3):
            self._model(crops)
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._model(crops)
        return graph.replay

    def _rate(self, run: Run) -> float:
        """Return the runs a second of the better of two measurements, after runs that do not count."""
        wait = torch.cuda.synchronize if self._device == "cuda" else (lambda: None)
        for _ in range(3):
            run()
        wait()
        best = 0.0
        for _ in range(2):
            count, began = 0, time.perf_counter()
            while (spent := time.perf_counter() - began) < self._seconds:
                for _ in range(4):
                    run()
                wait()
                count += 4
            best = max(best, count / spent)
        return best


def _said(point: Point, row: Row) -> str:
    what = f"{point.network:16} {point.type} batch {point.batch:4} {point.way:9}"
    if "failed" in row:
        return f"{what} failed: {row['failed']}"
    return f"{what} {row['crops_per_s']:12,.0f} crops/s {row['share_of_peak']:6.1%} of peak"


if __name__ == "__main__":
    main()
