"""``facestream doctor``: what works on this machine and what is missing."""

from __future__ import annotations

import time

from rich.console import Console

from engine.cli.gallery.option import USERS_OWN, GalleryOption
from engine.cli.output.json_lines import write_lines
from engine.cli.setup.doctor_checks import Finding, findings
from engine.config import DetectConfig
from engine.errors import FacestreamError
from engine.models import find_model
from engine.words.numbers import count

MARKS = {
    "ok": "[green]ok[/green]      ",
    "optional": "[yellow]optional[/yellow]",
    "broken": "[bold red]broken[/bold red]  ",
}


def doctor(*, gallery: GalleryOption = USERS_OWN, json: bool = False) -> int:
    """Say what works on this machine and what is missing.

    The last line is a test: the default detector looks at one photograph. Exit code 1: the main job cannot run.

    For example:

        facestream doctor

    Parameters
    ----------
    json
        Print one JSON object instead of sentences.
    """
    console = Console(highlight=False)
    found = []
    for finding in findings(gallery):
        found.append(finding)
        _tell(console, finding, json)
    found.append(self_test())
    _tell(console, found[-1], json)
    works = all(finding.state != "broken" for finding in found)
    if json:
        write_lines([{"works": works, "findings": found}])
    else:
        console.print(
            "\nThe main job can run." if works else "\nThe main job cannot run: see what is broken above.", style="bold"
        )
    return 0 if works else 1


def self_test() -> Finding:
    """Find the face on a photograph that comes along."""
    try:
        from engine.detect.catalog import open_detector
        from engine.pictures.colour import planes_from_bgr
        from engine.sample.known_face import known_face

        picture = planes_from_bgr(known_face())
        detector = open_detector(DetectConfig(), find_model)
        try:
            start = time.perf_counter()
            (faces,) = detector.detect([picture])
            spent_ms = (time.perf_counter() - start) * 1000
        finally:
            detector.close()
    except (FacestreamError, ImportError, OSError) as error:
        return Finding("test", "broken", f"the detector could not look at a picture: {error}")
    found = "the face" if len(faces) == 1 else count(len(faces), "face")
    what = f"{detector.name} found {found} on a photograph of one person in {spent_ms:.0f} ms"
    return Finding("test", "ok" if len(faces) == 1 else "broken", what)


def _tell(console: Console, finding: Finding, json: bool) -> None:
    if not json:
        console.print(f"{MARKS[finding.state]} {finding.subject:12}", end="")
        console.print(finding.sentence, markup=False, soft_wrap=True)
