"""The command line. It is loaded on use, because each process that a run starts loads what the command ``facestream`` loads."""

from __future__ import annotations

from typing import NoReturn


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit; see ``engine.cli.app.main``."""
    from engine.cli.app import main as run

    run(arguments)
