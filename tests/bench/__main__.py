"""Runs all of it and prints the tables; ``--json FILE`` keeps the figures."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from engine.config import Config
from engine.models import find_model
from engine.pipeline.run import RunResult, run_pipeline
from tests.bench.equality import compare_outputs
from tests.bench.material import Material, find_material
from tests.bench.plain_loop import PlainResult, run_plain_loop
from tests.bench.publishing import compare_publishing
from tests.bench.stages import StageCosts, measure_stages

CONSOLE = Console()


def main() -> None:
    """Compare, clip by clip; every pair of figures comes from turns taken in this run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="turns of each arrangement; medians are shown")
    parser.add_argument("--engines", default="auto", help="super_resolve.engines; several, as `none,auto`, take turns")
    parser.add_argument("--clip", default="", help="only clips whose names begin so; and no publisher")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    figures: dict[str, object] = {"cores": os.cpu_count()}
    with tempfile.TemporaryDirectory() as folder:
        for material in find_material(Path(folder)):
            if material.clip.name.startswith(options.clip):
                figures[material.clip.name] = _compare(material, Path(folder), options.rounds, options.engines.split(","))
    if not options.clip:
        figures["publisher, messages/s"] = publishing = compare_publishing()
        CONSOLE.print({name: round(value, 2) for name, value in publishing.items()})
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def _compare(material: Material, folder: Path, rounds: int, engines: list[str]) -> dict[str, object]:
    manifest = find_model("compact_fine_x4")
    assert manifest is not None
    publish = {"endpoint": "tcp://127.0.0.1:*"}
    live = {name: material.config(publish=publish, super_resolve={"engines": name}) for name in engines}
    plain: list[PlainResult] = []
    ours: dict[str, list[RunResult]] = {name: [] for name in engines}
    costs: dict[str, list[StageCosts]] = {name: [] for name in engines}
    for _ in range(rounds):
        plain.append(run_plain_loop(material, manifest.with_suffix(".onnx")))
        for name, config in live.items():
            ours[name].append(run_pipeline(config))
            costs[name].append(measure_stages(config))
    cores = os.cpu_count() or 1
    plain_rate = statistics.median(material.frames / result.seconds for result in plain)
    table = Table(title=f"{material.clip.name}: {material.frames} frames, {cores} cores")
    for heading in ("", "frames/s", "ratio"):
        table.add_column(heading, justify="right" if heading else "left")
    table.add_row("plain loop", f"{plain_rate:.1f}", "1.00")
    rows = {}
    for number, (name, config) in enumerate(live.items()):
        directory = folder / f"{material.clip.stem}-{number}"
        recorded = run_pipeline(_recorded(config, directory))
        cost = min(costs[name], key=lambda cost: cost.total)
        _print_stages(f"{material.clip.name}, engines {name}", material, cost)
        rate = statistics.median(material.frames / result.seconds for result in ours[name])
        bound = material.frames / (cost.total / cores)
        ratio = statistics.median(a.seconds / b.seconds for a, b in zip(plain, ours[name], strict=True))
        table.add_row(f"facestream, engines {name}", f"{rate:.1f}", f"{ratio:.2f} of the plain loop")
        table.add_row("  bound: its stages over the cores", f"{bound:.1f}", f"facestream reaches {rate / bound:.2f} of it")
        rows[name] = {
            "runtime": _runtime(directory),
            "faces": recorded.counters.get("faces", 0),
            "fps": rate,
            "ratio_to_plain": ratio,
            "share_of_bound": rate / bound,
            "stage_ms_per_frame": {stage: 1000 * seconds / material.frames for stage, seconds in cost.seconds.items()},
            "equality": compare_outputs(plain[0], directory),
        }
        CONSOLE.print(f"engines {name}: {rows[name]['runtime']}; {rows[name]['equality']}", soft_wrap=True)
    CONSOLE.print(table)
    return {"frames": material.frames, "plain_fps": plain_rate, "engines": rows}


def _runtime(directory: Path) -> str:
    """Return what computed the generator of a run."""
    workers = json.loads((directory / "run.json").read_text(encoding="utf-8"))["workers"].values()
    return next(worker["generator_runtime"] for worker in workers if "generator_runtime" in worker)


def _recorded(config: Config, directory: Path) -> Config:
    return msgspec.structs.replace(
        config, output=msgspec.structs.replace(config.output, directory=str(directory), report=False)
    )


def _print_stages(title: str, material: Material, cost: StageCosts) -> None:
    table = Table(title=f"{title}: CPU cost of the stages alone, one thread")
    for heading in ("stage", "items", "ms/item", "ms/frame", "share"):
        table.add_column(heading, justify="left" if heading == "stage" else "right")
    for stage, seconds in cost.seconds.items():
        items = cost.items[stage]
        table.add_row(
            stage, str(items), f"{1000 * seconds / max(items, 1):.3f}", f"{1000 * seconds / material.frames:.3f}",
            f"{seconds / cost.total:.0%}",
        )  # fmt: skip
    CONSOLE.print(table)


if __name__ == "__main__":
    main()
