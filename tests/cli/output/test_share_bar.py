from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.progress import Progress

from engine.cli.output.share_bar import on_terminal


@pytest.mark.parametrize("is_terminal", [False, True])
def test_a_bar_writes_to_a_terminal_alone(is_terminal: bool) -> None:
    seen = io.StringIO()
    with on_terminal(Progress(console=Console(file=seen, force_terminal=is_terminal), transient=True)) as bar:
        bar.update(bar.add_task("work", total=1.0), completed=1.0)
    assert bool(seen.getvalue()) == is_terminal
