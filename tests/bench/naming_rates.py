"""What the exhibit says of names: ``python -m tests.bench.naming_rates --folder runs/names --json names.json``.

``--folder`` and ``--json`` are those of the bench of names, ``tests.bench.open_set``. What is written ships.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from engine.config.verify import VerifyConfig
from engine.report.pdf import error_rates
from engine.report.pdf.error_rates import NamingRate, NamingRates
from tests.bench.open_set_figures import CHANCE, Outcome, interval
from tests.bench.open_set_galleries import DRAWS, Drawn
from trt_build.data.people.photographs import person_of
from trt_build.data.people.recording import NOBODY, Arrays, read_tracks


class Figures(msgspec.Struct, frozen=True):
    """What the bench of names wrote."""

    outcomes: list[Outcome]
    galleries: dict[str, list[Drawn]]


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="of the bench of names")
    parser.add_argument("--json", type=Path, required=True, help="what it wrote")
    parser.add_argument("--out", type=Path, default=Path(error_rates.__file__).with_name("naming_rates.json"))
    options = parser.parse_args()
    figures = msgspec.json.decode(options.json.read_bytes(), type=Figures)
    enrolled = msgspec.json.decode((options.folder / "gallery.json").read_bytes(), type=dict[str, str])
    rates = rates_of(figures, read_tracks(options.folder / "tracks"), len(enrolled))
    options.out.write_bytes(msgspec.json.format(msgspec.json.encode(rates), indent=2) + b"\n")


def rates_of(figures: Figures, tracks: Arrays, enrolled: int) -> NamingRates:
    """Return what the page of a track says of the default rule.

    Args:
        figures: of the bench.
        tracks: see ``Recorder.record``.
        enrolled: people in the gallery of the outcomes.
    """
    outcomes = [one for one in figures.outcomes if one.rule == CHANCE]
    drawn = next(one for one in figures.galleries[CHANCE] if one.people == enrolled)
    strangers, named = sum(one.strangers for one in outcomes), sum(one.stranger_named for one in outcomes)
    return NamingRates(
        measured_on="docs/results/names.md",
        false_name_rate=VerifyConfig().false_name_rate,
        people_enrolled=enrolled,
        people=len({person_of(name) for name in tracks["picture"].tolist() if name != NOBODY}),
        enrolled_tracks=sum(one.enrolled for one in outcomes),
        others_names=sum(one.wrong for one in outcomes),
        stranger_tracks=strangers,
        strangers_named=named,
        high_per_1000=round(1000 * interval(named, strangers)[1], 2),
        galleries=DRAWS,
        strangers_named_per_1000=round(1000 * drawn.named, 2),
        sizes=[NamingRate(round(one.size_px), round(100 * one.right / one.enrolled, 1)) for one in outcomes],
    )


if __name__ == "__main__":
    main()
