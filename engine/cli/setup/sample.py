"""``facestream sample``: a short clip with known ground truth."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from engine.archive.claim import check_writable
from engine.cli.output.overwriting import check_new
from engine.cli.output.saying import say_on
from engine.cli.output.share_bar import on_terminal
from engine.errors import UsageError
from engine.sample.clip import files_of_sample, render_sample
from engine.words.numbers import count


def sample(
    out: Path = Path("sample.mp4"),
    /,
    *,
    seconds: float = 20.0,
    seed: int = 0,
    size: str = "1280x720",
    bitrate: int = 900_000,
    overwrite: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """Render a short surveillance-like clip with known ground truth.

    Six people with faces of 20 to 80 px walk, cross, leave and return. Beside the clip it writes NAME.truth.json (who is
    where in every frame) and NAME-enrol/PERSON.png, a picture for the gallery of each person who is not seen from the side.

    For example:

        facestream sample sample.mp4 --seconds 20

    Parameters
    ----------
    out
        The video to write: .mp4, .mkv, .avi or .ts.
    seconds
        Length.
    seed
        Seed for all that is random; the same seed gives the same clip.
    size
        WIDTHxHEIGHT in pixels.
    bitrate
        Bits per second of the encoder.
    overwrite
        Replace existing files.
    """
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", size)
    if not match:
        raise UsageError(f"--size {size!r} must be WIDTHxHEIGHT, such as 1280x720")
    if out.suffix.lower() not in (".mp4", ".mkv", ".avi", ".ts"):
        raise UsageError(f"{out} needs the ending .mp4, .mkv, .avi or .ts, which says what to write")
    check_new(files_of_sample(out), overwrite=overwrite)
    check_writable(out.parent)
    console = Console(highlight=False)
    columns = TextColumn("rendering"), BarColumn(), MofNCompleteColumn(), TextColumn("frames"), TimeRemainingColumn()
    with on_terminal(Progress(*columns, console=console, transient=True)) as bar:
        task = bar.add_task("rendering", total=None)
        clip = render_sample(
            out,
            seconds,
            seed,
            (int(match[1]), int(match[2])),
            bitrate,
            lambda done, total: bar.update(task, completed=done, total=total),
        )
    say_on(console, f"{clip.video}: {count(clip.frames, 'frame')}, {clip.codec}")
    say_on(console, f"{clip.truth}: who is where")
    say_on(console, f"{next(iter(clip.enrolment.values())).parent}/: one picture each of {', '.join(sorted(clip.enrolment))}")
