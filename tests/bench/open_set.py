"""Who is named rightly and who falsely, through the whole product: ``python -m tests.bench.open_set --folder runs/open_set``.

People of no training: some are enrolled with one sharp picture each, their other pictures and everybody else's are rendered as
faces of one size that move for two seconds (H.264, noise, blur), and ``facestream run`` says who they are. What was found is
kept by piece in the folder, so that a bench that was cut goes on; ``--json`` and ``--picture`` keep figures and curves.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import cv2
import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from engine.config import DetectConfig
from engine.config.verify import VerifyConfig
from engine.detect.catalog import open_detector
from engine.enrolment.enrol import enrol_pictures
from engine.models import find_model
from engine.verify.embedder import open_embedder
from engine.verify.gallery.sqlite.gallery import Gallery
from tests.assets import SHARED
from tests.bench.open_set_figures import CHANCE, MEAN, Outcome, agreement, measured, outcomes_of, rules, write_curves
from tests.bench.open_set_galleries import DEFAULT_RATE, Drawn, by_gallery
from trt_build.cli.progress import RunProgress
from trt_build.data.people.photographs import Photographs, choose, person_of, read_photographs
from trt_build.data.people.recording import NOBODY, Arrays, Recorder, joined, plan
from trt_build.protocols.open_set.calibration import ROUND, grounds_of

CONSOLE = Console()
OWN_TRACKS = 400
"""Of enrolled people at each size, at least."""
PROBES_A_PERSON = 8
"""Of an enrolled person at most: some have a hundred pictures."""


def main() -> None:
    """Render, run, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=Path, default=SHARED / "data/lfw_gray/val.zip", help="PERSON/PICTURE of no training")
    parser.add_argument("--grounds", type=Path, default=SHARED / "data/detector_negatives.zip", help="pictures without faces")
    parser.add_argument("--folder", type=Path, required=True, help="keeps what was found")
    parser.add_argument("--enrolled", type=int, default=200, help="people in the gallery")
    parser.add_argument("--strangers", type=int, default=3000, help="tracks of strangers, at each size")
    parser.add_argument("--sizes", type=float, nargs="+", default=[16, 24, 32, 48])
    parser.add_argument("--detector", default="grey")
    parser.add_argument("--generator", default="none", help="decisions rest on the originals: without one it is faster")
    parser.add_argument("--rounds", type=int, default=100, help="of rendering, at most: for a first look")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    with RunProgress(CONSOLE) as progress:
        photographs = read_photographs(options.faces, options.detector, progress.on_prepare)
        gallery = options.folder / "gallery.sqlite"
        people = _enrol(photographs, options, gallery)
        names = {at: [photographs.actors[one].name for one in several] for at, several in photographs.of_people().items()}
        tracks = _record(photographs, names, people, gallery, options, progress.on_prepare)
    with Gallery(gallery) as opened:
        outcomes = outcomes_of(tracks, people, opened)
        same, of = agreement(tracks, opened)
    _print(outcomes)
    CONSOLE.print(f"the product itself decided {same} of {of} tracks as computed here by its rule")
    nobodys = tracks["picture"] == NOBODY
    known = int((tracks["decision"][nobodys] == "known").sum())
    CONSOLE.print(f"{int(nobodys.sum())} tracks belong to no face that was painted: {known} of them were named")
    margin = rules()[CHANCE].thresholds.margin_cosine
    limits = {MEAN: replace(measured(), mean_rates=measured().rates), CHANCE: measured()}
    galleries = {name: by_gallery(tracks, photographs, one, margin) for name, one in limits.items()}
    for pictures in (1, 2, 3):
        which = f"pictures of each: {pictures}"
        galleries[which] = by_gallery(tracks, photographs, measured(), margin, pictures=pictures, least=4)
    for rate in (2 * DEFAULT_RATE, 4 * DEFAULT_RATE, 10 * DEFAULT_RATE):
        galleries[f"rate {rate:g}"] = by_gallery(tracks, photographs, measured(), margin, rate=rate)
    for name, rows in galleries.items():
        _print_galleries(name, rows)
    if options.json:
        kept = {
            "outcomes": [msgspec.to_builtins(one) for one in outcomes],
            "galleries": msgspec.to_builtins(galleries),
            "as the product": [same, of],
        }
        options.json.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    if options.picture:
        with Gallery(gallery) as opened:
            write_curves(tracks, people, opened, galleries, options.picture)


def _enrol(photographs: Photographs, options: argparse.Namespace, path: Path) -> dict[str, str]:
    """Enrol so many people with the first of their pictures, best first, that enrolment takes; return it by their names."""
    several = [person for person, pictures in photographs.of_people().items() if len(pictures) > 1]
    chosen = sorted(np.random.default_rng(3).permutation(several)[: options.enrolled].tolist())
    kept = path.with_suffix(".json")
    if kept.exists():
        return dict(json.loads(kept.read_text(encoding="utf-8")))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    enrolled: dict[str, str] = {}
    detector, embedder = (
        open_detector(DetectConfig(detector=options.detector), find_model),
        open_embedder(VerifyConfig(), find_model),
    )
    with Gallery(path) as gallery:
        for person in chosen:
            for at in photographs.of_people()[person][:3]:
                actor = photographs.actors[at]
                picture = path.with_name("enrolment.png")
                cv2.imwrite(str(picture), cv2.copyMakeBorder(actor.luma, *[48] * 4, cv2.BORDER_REPLICATE))
                (result,) = enrol_pictures(person, [picture], detector, embedder, gallery, force=True)
                if result.outcome == "enrolled":
                    enrolled[person] = actor.name
                    break
    kept.write_text(json.dumps(enrolled), encoding="utf-8")
    return enrolled


def _record(photographs, names, people, gallery, options, done) -> Arrays:
    """Render and run, size by size in turns."""
    settings = {
        "detect": {"detector": options.detector},
        "super_resolve": {"generator": options.generator},
        "verify": {"gallery": str(gallery)},
        "publish": {"parts": ["embedding"]},
    }
    actors = {actor.name: actor for actor in photographs.actors}
    recorder = Recorder(actors, options.folder / "tracks", settings, grounds_of(options.grounds))
    probes = [name for person, own in people.items() for name in [one for one in names[person] if one != own][:PROBES_A_PERSON]]
    strangers = [name for person, several in names.items() if person not in people for name in several[:PROBES_A_PERSON]]
    parts: list[Arrays] = []
    count = {size: [0, 0] for size in options.sizes}  # tracks of strangers, and of enrolled people
    for turn in range(options.rounds):
        for size in options.sizes:
            wants_probes = count[size][1] < OWN_TRACKS
            if count[size][0] >= options.strangers and not wants_probes:
                continue
            rng = np.random.default_rng((turn, int(size)))
            shown = choose(strangers, ROUND, rng) + (choose(probes, len(probes), rng) if wants_probes else [])
            rng.shuffle(shown)
            part = recorder.record(plan(shown, size, 1_000_000 * (turn + 1) + 10_000 * int(size)), lambda *_: None)
            for name in part["picture"].tolist():
                if name != NOBODY:
                    count[size][person_of(name) in people] += 1
            done(f"strangers at {size:g} px", min(count[size][0], options.strangers), options.strangers)
            parts.append(part)
        if all(found >= options.strangers for found, _ in count.values()):
            break
    return joined(parts)


def _print(outcomes: list[Outcome]) -> None:
    table = Table(box=None, title="of 100 tracks; 95 % intervals of the false names, Clopper-Pearson")
    for heading in (
        "size",
        "rule",
        "enrolled",
        "right",
        "other's name",
        "undecided",
        "unknown",
        "strangers",
        "named",
        "unknown",
    ):
        table.add_column(heading, justify="left" if heading == "rule" else "right")
    for one in outcomes:
        table.add_row(*one.cells())
    CONSOLE.print(table)


def _print_galleries(name: str, rows: list[Drawn]) -> None:
    table = Table(box=None, title=f"{name}, in galleries drawn anew: of 100 tracks, and in how many of 100 galleries it holds")
    sizes = list(rows[0].right)
    for heading in (
        "people",
        *(f"right {size}" for size in sizes),
        "other's name",
        "strangers",
        *(f"holds {size}" for size in sizes),
    ):
        table.add_column(heading, justify="right")
    for one in rows:
        shares = [f"{100 * share:.1f}" for share in one.right.values()], [f"{100 * share:.0f}" for share in one.held.values()]
        table.add_row(str(one.people), *shares[0], f"{100 * one.wrong:.3f}", f"{100 * one.named:.3f}", *shares[1])
    CONSOLE.print(table)


if __name__ == "__main__":
    main()
