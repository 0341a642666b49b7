"""What became of enrolled people and of strangers, by both rules: counts, intervals, curves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
from scipy.stats import beta

from engine.config.verify import VerifyConfig
from engine.contracts.findings import Candidate, Decision
from engine.models import find_model
from engine.models.catalog import embedded_dir
from engine.verify.embedder import open_embedder
from engine.verify.evidence import Fusion
from engine.verify.gallery.snapshot import Snapshot
from engine.verify.gallery.sqlite.gallery import Gallery
from engine.verify.naming import ByChance, Rule
from engine.verify.open_set import OpenSet, read_open_set
from engine.verify.rules import rule_of
from tests.bench.open_set_galleries import Drawn
from trt_build.data.people.photographs import person_of
from trt_build.data.people.recording import NOBODY, Arrays
from trt_build.protocols.open_set.fit import sizes_of

COSINE, MEAN, CHANCE = "cosine 0.935", "mean 0.001", "chance 0.001"
_MIN_FACES = VerifyConfig().min_faces


class Outcome(msgspec.Struct, frozen=True):
    """Tracks of one size by one rule."""

    size_px: float
    rule: str
    right: int
    wrong: int
    """Enrolled people under somebody else's name."""
    undecided: int
    unknown: int
    """Enrolled people, called unknown."""
    stranger_named: int
    stranger_unknown: int
    strangers: int

    @property
    def enrolled(self) -> int:
        """Tracks of people in the gallery."""
        return self.right + self.wrong + self.undecided + self.unknown

    def cells(self) -> list[str]:
        """Return a row of the table."""
        low, high = interval(self.stranger_named, self.strangers)
        own = [f"{100 * count / max(self.enrolled, 1):.2f}" for count in (self.right, self.wrong, self.undecided, self.unknown)]
        share = 100 * self.stranger_named / max(self.strangers, 1)
        named = f"{self.stranger_named} = {share:.2f} [{100 * low:.2f}, {100 * high:.2f}]"
        unknown = f"{100 * self.stranger_unknown / max(self.strangers, 1):.1f}"
        return [f"{self.size_px:g} px", self.rule, str(self.enrolled), *own, str(self.strangers), named, unknown]


@dataclass(frozen=True)
class Judged:
    """One track by one rule."""

    decision: Decision
    best: Candidate | None
    second: Candidate | None


def interval(count: int, of: int) -> tuple[float, float]:
    """Return the 95 % interval of a share after Clopper and Pearson."""
    low = float(beta.ppf(0.025, count, of - count + 1)) if count else 0.0
    return low, float(beta.ppf(0.975, count + 1, of - count)) if count < of else 1.0


def rules() -> dict[str, Rule]:
    """Return one cosine for all, limits that hold in the mean over galleries alone, and the default."""
    embedder = open_embedder(VerifyConfig(), find_model)
    assert embedder is not None
    embedder.close()
    by_cosine, by_chance = (
        rule_of(embedder, VerifyConfig(known_cosine=embedder.known_cosine)),
        rule_of(embedder, VerifyConfig()),
    )
    in_mean = ByChance(replace(measured(), mean_rates=measured().rates), by_chance.thresholds, VerifyConfig().false_name_rate)
    return {COSINE: by_cosine, MEAN: in_mean, CHANCE: by_chance}


def measured() -> OpenSet:
    """Return the limits of the default embedder."""
    return read_open_set(embedded_dir() / f"{VerifyConfig().embedder}_open_set.npz")


def judge(tracks: Arrays, rule: Rule, people: Snapshot) -> list[Judged]:
    """Decide each track as the product does."""
    sizes = sizes_of(tracks)
    count = np.bincount(tracks["face_track"], minlength=len(sizes))
    large = np.bincount(tracks["face_track"], tracks["face_size_px"] >= rule.thresholds.min_size_px, len(sizes))
    judged = []
    for at, vector in enumerate(tracks["vector"]):
        seen = int(count[at])
        faces = Fusion(vector, None, seen, seen, 0, int(large[at]), float(sizes[at]), persons=1, shown=seen)
        candidates, decision, _ = rule.compare(faces, people, 2, _MIN_FACES)
        judged.append(Judged(decision, candidates[0], candidates[1] if len(candidates) > 1 else None))
    return judged


def outcomes_of(tracks: Arrays, enrolled: dict[str, str], gallery: Gallery) -> list[Outcome]:
    """Count by size and rule."""
    people = snapshot_of(gallery)
    result = []
    for name, rule in rules().items():
        judged = judge(tracks, rule, people)
        for size in sorted(set(tracks["place_px"].tolist())):
            result.append(_count(size, name, judged, tracks, enrolled))
    return sorted(result, key=lambda one: one.size_px)


def agreement(tracks: Arrays, gallery: Gallery) -> tuple[int, int]:
    """Return how many tracks the product itself decided as ``judge`` does by default, and of how many."""
    judged = judge(tracks, rules()[CHANCE], snapshot_of(gallery))
    same = [
        one.decision == said and (one.decision != "known" or (one.best is not None and one.best.identity == name))
        for one, said, name in zip(judged, tracks["decision"].tolist(), tracks["identity"].tolist(), strict=True)
    ]
    return sum(same), len(same)


def snapshot_of(gallery: Gallery) -> Snapshot:
    """Return the gallery for the default embedder."""
    embedder = open_embedder(VerifyConfig(), find_model)
    assert embedder is not None
    embedder.close()
    return gallery.snapshot(embedder.sha256)


def _count(size: float, rule: str, judged: Sequence[Judged], tracks: Arrays, enrolled: dict[str, str]) -> Outcome:
    counts = dict.fromkeys(("right", "wrong", "undecided", "unknown", "stranger_named", "stranger_unknown", "strangers"), 0)
    for at in np.flatnonzero(tracks["place_px"] == size).tolist():
        picture, one = str(tracks["picture"][at]), judged[at]
        who = person_of(picture) if picture != NOBODY else NOBODY
        if who not in enrolled:
            counts["strangers"] += 1
            counts["stranger_named"] += one.decision == "known"
            counts["stranger_unknown"] += one.decision == "unknown"
        elif one.decision == "known" and one.best is not None:
            counts["right" if one.best.identity == who else "wrong"] += 1
        else:
            counts["unknown" if one.decision == "unknown" else "undecided"] += 1
    return Outcome(size, rule, **counts)


def write_curves(
    tracks: Arrays, enrolled: dict[str, str], gallery: Gallery, galleries: dict[str, list[Drawn]], path: Path
) -> None:
    """Draw for each size right names against false names, with all rules and where they work, and both by people enrolled."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    people = snapshot_of(gallery)
    judged = {name: judge(tracks, rule, people) for name, rule in rules().items()}
    sizes = sorted(set(tracks["place_px"].tolist()))
    figure, axes = pyplot.subplots(2, len(sizes), figsize=(3.2 * len(sizes), 6.8), sharey=True, squeeze=False)
    for axis, size in zip(axes[0], sizes, strict=True):
        for name, (colour, scored) in _LOOKS.items():
            some = judged[name]
            if name != MEAN:  # the same score as by chance
                false, right = _curve(some, tracks, enrolled, size, scored)
                axis.step(false, right, where="post", color=colour, label=f"score: {name.split()[0]}", linewidth=1.6)
            one = _count(size, name, some, tracks, enrolled)
            at = max(one.stranger_named / max(one.strangers, 1), 2e-4), one.right / max(one.enrolled, 1)
            axis.plot(*at, "o", color=colour, markersize=7, markeredgecolor="white", label=name)
        axis.axvline(1e-3, color="#888", linewidth=0.8, linestyle=":")
        axis.set(xscale="log", xlim=(1.8e-4, 0.2), ylim=(0, 1), title=f"{size:g} px", xlabel="strangers with a name")
        axis.grid(alpha=0.25)
    for axis, size in zip(axes[1], sizes, strict=True):
        for name in (MEAN, CHANCE):
            people_enrolled = [one.people for one in galleries[name]]
            right, held = ([getattr(one, what)[f"{size:g} px"] for one in galleries[name]] for what in ("right", "held"))
            axis.plot(people_enrolled, right, "o-", color=_LOOKS[name][0], label=f"right names: {name}")
            axis.plot(people_enrolled, held, "--", color=_LOOKS[name][0], linewidth=1, label="galleries that keep 1 in 1,000")
        axis.axhline(0.95, color="#888", linewidth=0.8, linestyle=":")
        axis.set(xscale="log", title=f"{size:g} px", xlabel="people enrolled")
        axis.grid(alpha=0.25)
    for row, place in zip(axes, ("upper left", (0.02, 0.42)), strict=True):
        row[0].set_ylabel("enrolled people with their name")
        row[0].legend(fontsize=7, loc=place)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _by_cosine(one: Judged) -> float:
    if one.best is None:
        return -1.0
    ahead = one.second is None or one.best.cosine_original - one.second.cosine_original >= 0.01
    return one.best.cosine_original if ahead else -1.0


def _by_chance(one: Judged) -> float:
    chance = one.best.false_name_chance if one.best else None
    return -1.0 if chance is None else -float(np.log(max(chance, 1e-300)))


_LOOKS = {COSINE: ("#b4483c", _by_cosine), MEAN: ("#7f9f3f", _by_chance), CHANCE: ("#17703c", _by_chance)}
"""Colour and score of each rule."""


def _curve(
    judged: Sequence[Judged], tracks: Arrays, enrolled: dict[str, str], size: float, scored: Callable[[Judged], float]
) -> tuple[list[float], list[float]]:
    """Return the shares of strangers with a name and of enrolled people with theirs, from the strictest threshold on."""
    rows = []
    for at in np.flatnonzero(tracks["place_px"] == size).tolist():
        picture, one = str(tracks["picture"][at]), judged[at]
        who = person_of(picture) if picture != NOBODY else NOBODY
        own = who in enrolled
        rows.append((scored(one), own, own and one.best is not None and one.best.identity == who))
    rows.sort(key=lambda row: -row[0])
    owned = max(sum(row[1] for row in rows), 1)
    others = max(sum(not row[1] for row in rows), 1)
    false = np.cumsum([not row[1] for row in rows]) / others
    right = np.cumsum([row[2] for row in rows]) / owned
    return np.maximum(false, 2e-4).tolist(), right.tolist()
