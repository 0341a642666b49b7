"""One picture of both simulations."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from tests.bench.fleet.archive import Cluster
from tests.bench.fleet.archive import Made as ArchiveMade
from tests.bench.fleet.cameras import Made as FleetMade
from tests.bench.fleet.cameras import Site


def plot(out: Path, site: Site, fleet: FleetMade, cluster: Cluster, archive: ArchiveMade) -> None:
    """Write a PNG."""
    figure, ((dark, use), (busy, done)) = plt.subplots(2, 2, figsize=(12, 7.5), dpi=110, layout="constrained")
    _dark(dark, fleet)
    hours, mean, most = (np.array(part) for part in zip(*fleet.use, strict=True))
    first = hours < 48
    use.plot(hours[first], 100 * most[first], color="#c0504d", lw=0.7, label="fullest node")
    use.plot(hours[first], 100 * mean[first], color="#1f4e79", lw=1.4, label="mean")
    use.axhline(100, color="0.3", lw=0.8, ls="--")
    use.set(title=f"Cores in use, of those usable ({site.nodes} nodes)", xlabel="hour", ylabel="%", ylim=0)
    use.legend(frameon=False)
    at, workers, share = zip(*archive.timeline, strict=True)
    total = cluster.nodes * cluster.cores
    busy.plot(at, workers, color="#1f4e79", lw=1.2)
    busy.axhline(total, color="0.3", lw=0.8, ls="--")
    busy.set(title=f"Archive of {cluster.hours:g} hours: busy workers of {total}", xlabel="hour", ylim=0)
    done.plot(at, [100 * one for one in share], color="#1f4e79", lw=1.4)
    done.set(title="Archive: tasks done", xlabel="hour", ylabel="%", ylim=(0, 102))
    for axes in (dark, use, busy, done):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(out)
    plt.close(figure)


def _dark(axes: plt.Axes, fleet: FleetMade) -> None:
    """Draw how long cameras were without a picture, by cause."""
    for cause, seconds in sorted(fleet.dark.items()):
        ordered = np.sort(np.maximum(seconds, 0.05))
        axes.step(ordered, np.linspace(100 / len(ordered), 100, len(ordered)), where="post", label=f"{cause} ({len(ordered)})")
    axes.axvline(10, color="0.3", lw=0.8, ls="--")
    axes.set(title="Without a picture for at most", xlabel="seconds", ylabel="% of the cameras", xscale="log", ylim=(0, 102))
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=3, frameon=False, fontsize=8)
