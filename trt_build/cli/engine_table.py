"""The table of engines that `trt-build build`, `check` and `tune` print, and the sentences below it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Column, Table

from engine.contracts.engine_manifest import EngineManifest
from trt_build.recipes.data_folder import explained

CONSOLE = Console(markup=False)


@dataclass(frozen=True)
class Row:
    """One engine, for the table."""

    path: Path
    manifest: EngineManifest | None
    state: str
    trouble: str


def show(rows: Sequence[Row], as_json: bool) -> None:
    """Print a table and what is wrong, or JSON."""
    if as_json:
        found = [
            {"path": str(row.path), "state": row.state, "trouble": explained(row.trouble), "manifest": row.manifest}
            for row in rows
        ]
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n")
        return
    table = Table(Column("engine", overflow="fold"), "", "MB", "seconds", "gate", "faces")
    for row in rows:
        table.add_row(row.path.name, row.state, *(_cells(row.manifest) if row.manifest else ()))
    CONSOLE.print(table)
    for trouble in dict.fromkeys(row.trouble for row in rows if row.trouble):
        names = ", ".join(row.path.name for row in rows if row.trouble == trouble)
        CONSOLE.print(f"{names}: {explained(trouble)}", soft_wrap=True, markup=False)
    _say_untested([row.manifest for row in rows if row.manifest is not None and row.manifest.parity.verdict == "not run"])
    CONSOLE.print(f"in {rows[0].path.parent}", soft_wrap=True, markup=False)


def _say_untested(manifests: Sequence[EngineManifest]) -> None:
    """Print why engines were not compared with their models, and what compares them."""
    for reason in dict.fromkeys(one.parity.reason for one in manifests):
        CONSOLE.print(f"gate not run: {reason}", soft_wrap=True, markup=False)
    if names := " ".join(dict.fromkeys(one.name for one in manifests)):
        CONSOLE.print(
            f"`trt-build check {names}` compares them on a machine that has what is missing here; by itself a run takes "
            "only what has passed",
            soft_wrap=True,
            markup=False,
        )


def _cells(manifest: EngineManifest) -> tuple[str, str, str, str]:
    parity = manifest.parity
    figures = ", ".join(f"{name} {parity.figures[name]:.4g}" for name in parity.limits)
    gate = f"{parity.verdict}{f': {figures}' if figures else ''}"
    return f"{manifest.size_bytes / 1e6:.2f}", f"{manifest.seconds:.2f}", gate, parity.note or str(parity.faces or "")
