"""``facestream doctor``: what works on this machine and what is missing."""

from __future__ import annotations

import sys
import time

import msgspec
from rich.console import Console

from engine.cli.doctor_checks import Finding, findings
from engine.config import DetectConfig
from engine.contracts.count_words import count
from engine.errors import FacestreamError
from engine.models import find_model

MARKS = {
    "ok": "[green]ok[/green]      ",
    "optional": "[yellow]optional[/yellow]",
    "poor": "[bold yellow]poor[/bold yellow]    ",
    "broken": "[bold red]broken[/bold red]  ",
}
_ON_PHOTOGRAPH, _FEWEST = 6, 4
"""Faces on the photograph of the test, and how many must be found for the main job to be of use."""


def doctor(*, json: bool = False) -> int:
    """Say what works on this machine and what is missing.

    The last line is a test: the default detector looks at one photograph. The exit code is 0 when the main job can run, else 1.

    Parameters
    ----------
    json
        One JSON object instead of sentences.
    """
    console = Console(highlight=False)
    found = []
    for finding in findings():
        found.append(finding)
        _tell(console, finding, json)
    found.append(self_test())
    _tell(console, found[-1], json)
    works = all(finding.state != "broken" for finding in found)
    if json:
        sys.stdout.write(msgspec.json.encode({"works": works, "findings": found}).decode() + "\n")
    else:
        is_poor = any(finding.state == "poor" for finding in found)
        verdict = "can run, and gives less than it should: see what is poor above." if is_poor else "can run."
        console.print(f"\nThe main job {verdict if works else 'cannot run: see what is broken above.'}", style="bold")
    return 0 if works else 1


def self_test() -> Finding:
    """Find faces on a photograph of six people that comes with a dependency."""
    try:
        from insightface.data import get_image

        from engine.detect.catalog import open_detector
        from engine.runtime.colour import planes_from_bgr

        picture = planes_from_bgr(get_image("t1"))
        detector = open_detector(DetectConfig(), find_model)
        try:
            start = time.perf_counter()
            (faces,) = detector.detect([picture])
            spent_ms = (time.perf_counter() - start) * 1000
        finally:
            detector.close()
    except (FacestreamError, ImportError, OSError) as error:
        return Finding("test", "broken", f"the detector could not look at a picture: {error}")
    seen = count(len(faces), "face")
    what = f"{detector.name} found {seen} on a photograph of {_ON_PHOTOGRAPH} people in {spent_ms:.0f} ms"
    if len(faces) == _ON_PHOTOGRAPH:
        return Finding("test", "ok", what)
    return Finding("test", "poor" if len(faces) >= _FEWEST else "broken", f"{what}, and all of them are large and sharp")


def _tell(console: Console, finding: Finding, json: bool) -> None:
    if not json:
        console.print(f"{MARKS[finding.state]} {finding.subject:12}", end="")
        console.print(finding.sentence, markup=False, soft_wrap=True)
