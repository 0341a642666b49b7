"""How fast the engines of a generator are on this CPU, one thread, beside ONNX Runtime float32: ratios of one interleaved run.

    python -m tests.bench.engine_speed --json FILE

Engines are built first, by `trt-build build`, where they are not yet in ``--engines``; one whose package is absent is left out.
Other processes take the cores now and then: each engine has a turn in every round, and its best turn counts. Below the table
stands the bound: what the network's convolutions would take at this core's matrix peak, in float32 and in int8.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from engine.contracts.engine_manifest import MASK
from engine.contracts.manifest import read_manifest
from engine.errors import FacestreamError
from engine.models.catalog import engines_dir, find_model
from engine.sessions.built_engines import BuiltEngine
from engine.sessions.ncnn_session import NcnnSession
from engine.sessions.openvino_session import OpenVinoSession, computes_in_bfloat16
from engine.sessions.session import Session, SessionSpec, open_session
from tests.bench.matrix_peak import matrix_peak, operations
from trt_build.engines.build import Engine, Workshop, build
from trt_build.engines.targets import Order, profile_on, target_of

CONSOLE = Console()
SIDES_PX = (32, 56, 96)
REFERENCE = "onnxruntime fp32"
ENGINES = (
    ("onnxruntime", "fp32"),
    ("onnxruntime", "int8"),
    ("openvino", "fp32"),
    ("openvino", "bf16"),
    ("openvino", "int8"),
    ("ncnn", "fp32"),
)
TURN_SECONDS = 0.15
PEAKS = ("float32", "int8")


def main() -> None:
    """Measure, print the table, and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="compact_fine_x4")
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--faces", type=int, default=200, help="of the gate, for engines that are built")
    parser.add_argument("--engines", type=Path, default=engines_dir())
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with ExitStack() as held:
        sessions, gates = {}, {}
        for engine, order in _engines(options.model, options.engines, options.faces):
            name = f"{order.target.name} {order.precision}"
            session = open_session(BuiltEngine(engine.path, engine.manifest).spec(SessionSpec(engine.path)))
            sessions[name], gates[name] = held.enter_context(session), engine.manifest.parity.verdict
        bare = {name: own_loop(session) for name, session in sessions.items()}
        seconds = {side: _race(sessions, bare, side, options.rounds) for side in SIDES_PX}
    _print(options.model, seconds, gates)
    peaks = {kind: matrix_peak(kind) for kind in PEAKS}
    _print_bound(options.model, seconds, peaks)
    if options.json:
        kept = {"model": options.model, "seconds": seconds, "gate": gates, "operations_per_second": peaks}
        options.json.write_text(json.dumps(kept, indent=2) + "\n")


def _engines(model: str, folder: Path, faces: int) -> list[tuple[Engine, Order]]:
    path = find_model(model)
    assert path is not None, model
    described = read_manifest(path)
    shop = Workshop(folder, CONSOLE.print, lambda what, done, total: None, count=faces)
    found = []
    for target, precision in ENGINES:
        try:
            if precision == "bf16" and not computes_in_bfloat16():
                CONSOLE.print("openvino bf16: this CPU has no bfloat16")
                continue
            spec = target_of(target, precision, described.kind)
            order = Order(path, described, spec, precision, profile_on(spec, path, described))
            found.append((build(order, shop), order))
        except FacestreamError as error:
            CONSOLE.print(f"{target} {precision} is left out: {error}", soft_wrap=True)
    return found


Tensors = dict[str, np.ndarray]
Run = Callable[[Tensors], object]


def own_loop(session: Session) -> Run:
    """Return what a user of the library itself would call for each picture, with the model and settings of the session."""
    if isinstance(session, NcnnSession):
        return lambda tensors: _bare_ncnn(session, tensors["luma"])
    if isinstance(session, OpenVinoSession):
        request = session._requests.compiled.create_infer_request()
        return lambda tensors: request.infer(tensors, share_inputs=True)[0]
    inner = session._session
    return lambda tensors: inner.run(None, tensors)


def _bare_ncnn(session: NcnnSession, picture: np.ndarray) -> np.ndarray:
    with session._net.create_extractor() as extractor:
        extractor.input("in0", session._ncnn.Mat(picture[0]))
        return np.array(extractor.extract("out0")[1])


def _tensors(session: Session, side: int) -> Tensors:
    """Return one picture, for an engine that takes a mask with all of it inside."""
    picture, mask = np.random.default_rng(0).random((1, 1, side, side), np.float32), np.ones((1, 1, side, side), np.uint8)
    return {spec.name: mask if spec.name == MASK else picture for spec in session.inputs}


def _race(sessions: dict[str, Session], bare: dict[str, Run], side: int, rounds: int) -> dict[str, dict[str, float]]:
    """Return the seconds of one run of one picture, by engine: the best of its turns, and that of the library alone."""
    entries = {name: _tensors(session, side) for name, session in sessions.items()}
    runs: dict[str, dict[str, Run]] = {
        name: {"session": session.run, "library": bare[name]} for name, session in sessions.items()
    }
    best = {name: dict.fromkeys(ways, float("inf")) for name, ways in runs.items()}
    for _ in range(rounds):
        for name, ways in runs.items():
            for run in ways.values():
                run(entries[name])
            until = time.perf_counter() + 2 * TURN_SECONDS
            while time.perf_counter() < until:
                for way, run in ways.items():  # in turn, so that what else the machine does falls on both
                    began = time.perf_counter()
                    run(entries[name])
                    best[name][way] = min(best[name][way], time.perf_counter() - began)
    return best


def _print(model: str, seconds: dict[int, dict[str, dict[str, float]]], gates: dict[str, str]) -> None:
    title = f"{model}: times as fast as {REFERENCE}, one thread (and the session's speed over that of its library's own loop)"
    table = Table("engine", *(f"{side} px" for side in seconds), "gate", title=title)
    for name, gate in gates.items():
        cells = [
            f"{row[REFERENCE]['session'] / row[name]['session']:.2f} ({row[name]['library'] / row[name]['session']:.2f})"
            for row in seconds.values()
        ]
        table.add_row(name, *cells, gate)
    CONSOLE.print(table)


def _print_bound(model: str, seconds: dict[int, dict[str, dict[str, float]]], peaks: dict[str, float]) -> None:
    """Say how fast any engine could be that computes each convolution directly, and how much of that each one reaches."""
    path = find_model(model)
    assert path is not None, model
    asked = {side: operations(path.parent / read_manifest(path).file, side) for side in seconds}
    for kind, peak in peaks.items():
        bounds = [f"{row[REFERENCE]['session'] * peak / asked[side]:.2f} at {side} px" for side, row in seconds.items()]
        CONSOLE.print(f"{kind}: {peak / 1e9:.0f} G operations/s at most; the bound is {', '.join(bounds)} times {REFERENCE}")
    for name, kind in ((name, "int8" if "int8" in name else "float32") for name in next(iter(seconds.values()))):
        shares = [f"{asked[side] / row[name]['session'] / peaks[kind]:.2f}" for side, row in seconds.items()]
        CONSOLE.print(f"{name}: {', '.join(shares)} of the {kind} peak")


if __name__ == "__main__":
    main()
