"""The figures as tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.table import Table

from tests.bench.fleet.archive import Cluster
from tests.bench.fleet.archive import Made as ArchiveMade
from tests.bench.fleet.cameras import DAY, Site
from tests.bench.fleet.cameras import Made as FleetMade
from tests.bench.fleet.check import Check
from tests.bench.fleet.load import HELD_SHARE, Load, base_of
from tests.bench.fleet.measured import Kind, Measured


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title, box=None, title_justify="left")
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="right" if place else "left")
    return table


def _ms(seconds: Sequence[float]) -> list[str]:
    return [f"{1000 * value:.2f}" for value in (np.mean(seconds), *np.percentile(seconds, [50, 95]))]


def measured_table(measured: Measured) -> Table:
    """What an item costs one core."""
    title = f"CPU of one item, {measured.processor}, load average {measured.load:.1f}"
    table = _table(title, "", "items", "mean ms", "p50", "p95", "cores of a camera: nobody, by day; cameras of a core")
    for place, kind in enumerate(measured.kinds):
        day = float(Load(measured, np.array([place]), Site.quiet, Site.night, 0).weights[0])
        cores = f"{base_of(kind, measured):.3f}, {day:.3f}; {HELD_SHARE / day:.2f}"
        table.add_row(f"decode {kind.name}", str(len(kind.decode_seconds)), *_ms(kind.decode_seconds), cores)
        table.add_row(f"detect {kind.name}", str(len(kind.detect_seconds)), *_ms(kind.detect_seconds), "")
    table.add_row("a face", str(len(measured.face_seconds)), *_ms(measured.face_seconds), "")
    table.add_row("a track's end", str(len(measured.track_seconds)), *_ms(measured.track_seconds), "")
    table.add_row("first picture of a camera", str(len(measured.connect_seconds)), *_ms(measured.connect_seconds), "")
    return table


def scenes_table(measured: Measured) -> Table:
    """What real footage holds."""
    table = _table(
        "faces a second that are enhanced, real footage", "looked at as", "clips", "with faces", "p50", "p95", "most"
    )
    for look, scenes in measured.scenes.items():
        rates = [scene.faces / scene.seconds for scene in scenes]
        found = sum(rate > 0 for rate in rates)
        figures = (f"{value:.2f}" for value in (*np.percentile(rates, [50, 95]), max(rates)))
        table.add_row(look, str(len(rates)), str(found), *figures)
    return table


def camera_table(site: Site, load: Load, made: FleetMade, placing: Sequence[float]) -> Table:
    """What befell the cameras."""
    able = site.nodes * site.cores * HELD_SHARE
    table = _table(
        f"{site.cameras} cameras on {site.nodes} nodes of {site.cores} cores, {site.days:g} days; "
        f"{load.weights.mean():.3f} cores a camera by day, {HELD_SHARE:.0%} of a core usable",
        "cameras without a picture, because", "events", "cameras", "p50 s",
        "p95 s", "worst s", "hours in all",
    )  # fmt: skip
    for cause, seconds in sorted(made.dark.items()):
        figures = (f"{value:.1f}" for value in (*np.percentile(seconds, [50, 95]), max(seconds)))
        table.add_row(cause, str(made.events.get(cause, "")), str(len(seconds)), *figures, f"{sum(seconds) / 3600:.2f}")
    lost = sum(map(sum, made.dark.values()))
    mean, most = (np.array([use[place] for use in made.use]) for place in (1, 2))
    table.add_row("all", "", "", "", "", "", f"{lost / 3600:.2f}, {lost / (site.cameras * site.days * DAY):.6%} of all video")
    table.add_row(f"usable cores {able:.0f}: used, mean {mean.mean():.0%}, fullest node p99 {np.percentile(most, 99):.0%}")
    table.add_row(
        f"node-minutes over it {made.overloaded_minutes} of {made.node_minutes}; faces given up {made.faces_given_up:.3%}, "
        f"looks {made.looks_given_up:.4%}"
    )
    table.add_row(
        f"database away {made.events['database away']} times; {made.moves} moves, {len(placing)} placements, "
        f"{1000 * np.mean(placing):.0f} ms each here, {1000 * max(placing):.0f} at most"
    )
    return table


def archive_table(cluster: Cluster, kind: Kind, made: ArchiveMade) -> Table:
    """What came of the archive."""
    table = _table(
        f"{cluster.hours:g} hours of {kind.name} in {made.recordings} recordings, "
        f"{cluster.nodes} nodes of {cluster.cores} cores, segments of {cluster.segment_seconds:g} s",
        "tasks", "makespan h", "used", "useful core h", "wasted core h", "done again",
        "workers died", "nodes died", "set aside",
    )  # fmt: skip
    table.add_row(
        str(made.tasks), f"{made.makespan_hours:.2f}", f"{made.utilisation:.1%}", f"{made.useful_core_hours:.0f}",
        f"{made.wasted_core_hours:.1f} ({made.wasted_core_hours / max(1e-9, made.useful_core_hours):.2%})", str(made.repeated),
        str(made.worker_deaths), str(made.node_deaths), str(made.set_aside),
    )  # fmt: skip
    return table


def check_table(made: Check) -> Table:
    """The simulation against the processes."""
    alone = ", ".join(f"{turn.makespan_seconds:.1f}" for turn in made.alone)
    table = _table(
        f"{made.recordings} recordings; one process {alone} s, {made.share:.0%} of its core; contention beside "
        f"{made.contention.beside:.3f}, sharing {made.contention.sharing:.3f}",
        "processes", "foretold s (5 to 95 %)", "real s", "share of the cores that they got", "error", "faster than one",
    )  # fmt: skip
    for one in made.compared:
        table.add_row(
            str(one.processes), f"{one.predicted_seconds:.1f} ({one.low_seconds:.1f} to {one.high_seconds:.1f})",
            ", ".join(f"{turn.makespan_seconds:.1f}" for turn in one.turns), ", ".join(f"{turn.got:.0%}" for turn in one.turns),
            f"{one.error:+.1%}", f"{made.speedup(one.processes):.2f} times",
        )  # fmt: skip
    return table
