"""A thousand cameras on thirty nodes, and an archive on a cluster, simulated.

Run: python -m tests.bench.fleet_simulation --out DIR

What drives it is measured first on one core (``measured.json``; one that is there is read, and its processor named). Then the
product's own placement and schedule are run over simulated weeks; ``--check`` compares the simulation of two and four processes
with the processes themselves.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import msgspec
from rich.console import Console

from engine.sessions.processor import processor_here
from tests.bench.fleet.archive import Archive, Cluster
from tests.bench.fleet.cameras import Fleet, Site
from tests.bench.fleet.check import check
from tests.bench.fleet.load import Load
from tests.bench.fleet.measured import Measured, footage, load_or_measure
from tests.bench.fleet.placed import kinds_of
from tests.bench.fleet.plot import plot
from tests.bench.fleet.tables import archive_table, camera_table, check_table, measured_table, scenes_table

_ARCHIVE_KIND = 1
"""1280x720, H.264."""
_TOO_LONG = "fossa_video"
"""Seventy faces in each picture: alone it takes as long as half of all others."""


def main() -> None:
    """Measure, simulate, print tables and write a plot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of measured.json, check.json and fleet.png")
    parser.add_argument("--seed", type=int, default=17)
    parser.add_argument("--days", type=float, default=Site.days)
    parser.add_argument("--hours", type=float, default=Cluster.hours, help="of the archive")
    parser.add_argument("--check", type=int, default=0, metavar="ROUNDS", help="run processes, too, so many turns of each")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    console = Console(highlight=False, width=150)
    try:
        measured = load_or_measure(options.out / "measured.json")
    except (msgspec.DecodeError, OSError) as error:
        parser.error(f"{options.out / 'measured.json'} cannot be read ({error}): remove it, and it is measured anew")
    console.print(measured_table(measured), scenes_table(measured))
    if measured.processor != processor_here():
        console.print(f"measured on {measured.processor}, not here")
    if options.check:
        _check(options.check, options.seed, options.out, console)
    _simulate(measured, options, console)


def _check(rounds: int, seed: int, out: Path, console: Console) -> None:
    with tempfile.TemporaryDirectory() as folder:
        clips = footage(Path(folder))
        calibration = [clip for clip in clips if clip.stem in ("asl_book", "asl_eat", "face-demographics-walking-and-pause")]
        listed = [clip for clip in clips if clip not in calibration and clip.stem != _TOO_LONG]
        made = check(listed, calibration, rounds, seed)
    (out / "check.json").write_bytes(msgspec.json.format(msgspec.json.encode(made)))
    console.print(check_table(made))


def _simulate(measured: Measured, options: argparse.Namespace, console: Console) -> None:
    site = Site(days=options.days)
    kinds = kinds_of(site.cameras, options.seed)
    load = Load(measured, kinds, site.quiet, site.night, options.seed)
    simulated = Fleet(measured, site, load, options.seed)
    fleet = simulated.run()
    console.print(camera_table(site, load, fleet, simulated.placer.seconds))
    cluster = Cluster(hours=options.hours)
    archive = Archive(measured, measured.kinds[_ARCHIVE_KIND], cluster, options.seed).run()
    console.print(archive_table(cluster, measured.kinds[_ARCHIVE_KIND], archive))
    plot(options.out / "fleet.png", site, fleet, cluster, archive)


if __name__ == "__main__":
    main()
