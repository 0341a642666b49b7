"""Progress of ``facestream archive submit``: a bar, a line now and then, or JSON lines for programs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from engine.cli.output.json_lines import write_lines
from engine.cli.output.plain import plain
from engine.cli.output.saying import say
from engine.cli.output.share_bar import on_terminal
from engine.cli.run.archive_words import one_line
from engine.jobs.standing import Bad, Standing

_LINE_SECONDS = 30.0


@contextmanager
def archive_view(*, json: bool, quiet: bool) -> Iterator[Callable[[Standing], None]]:
    """Show a job while it goes on; yields what takes how it stands.

    Args:
        json: one object a line on standard output, and nothing else.
        quiet: show what fails, and nothing else.
    """
    if json:
        yield lambda standing: write_lines([standing])
        return
    console = Console(stderr=True)
    told = _Told()
    if quiet or not console.is_terminal:
        due = [0.0]

        def show(standing: Standing) -> None:
            told.tell(standing)
            if not quiet and time.monotonic() >= due[0] and standing.phase in ("working", "finishing"):
                due[0] = time.monotonic() + _LINE_SECONDS
                say(one_line(standing), aside=True)

        yield show
        return
    columns = BarColumn(bar_width=24), TextColumn("{task.description}", markup=False)
    with on_terminal(Progress(*columns, console=console, transient=True, refresh_per_second=4)) as bar:
        task = bar.add_task("getting ready", total=None)

        def draw(standing: Standing) -> None:
            told.tell(standing)
            total = standing.video_seconds or None
            bar.update(task, description=one_line(standing), total=total, completed=standing.video_seconds_done)

        yield draw


class _Told:
    """Says once of each recording that it is not whole."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def tell(self, standing: Standing) -> None:
        for bad in standing.bad:
            if bad.recording not in self._known:
                self._known.add(bad.recording)
                say(f"facestream: {bad_words(bad)}", aside=True)


def bad_words(bad: Bad) -> str:
    """Return what is wrong with a recording, in one line."""
    state = "was set aside" if bad.state == "set_aside" else "failed"
    return plain(f"{bad.recording} {state}: {bad.reason}")
