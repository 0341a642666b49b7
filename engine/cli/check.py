"""``facestream check``: is this configuration right, and what does it amount to?"""

from __future__ import annotations

from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from engine.config import Config, load_config


def check(config: Path, /, *, profile: str = "") -> None:
    """Check a configuration file and show what it amounts to.

    Parameters
    ----------
    config
        The YAML file.
    profile
        Use this profile instead of the one that the file names.
    """
    loaded = load_config(config, {"profile": profile} if profile else None)
    console = Console(highlight=False)
    console.print("ok", style="bold green")
    console.print(_table(loaded))
    console.print("Values in bold differ from the defaults.", style="dim")


def _table(config: Config) -> Table:
    """Return every key with its effective value, one line for each section."""
    table = Table("section", "values", show_header=False, box=None, pad_edge=False)
    table.add_row("profile", config.profile)
    for index, source in enumerate(config.sources):
        table.add_row(f"sources[{index}]", source.uri + (f" as {source.name}" if source.name else ""))
    defaults = Config()
    for name in Config.__struct_fields__:
        section = getattr(config, name)
        if not isinstance(section, msgspec.Struct):
            continue
        usual = getattr(defaults, name)
        words = [_word(key, getattr(section, key), getattr(usual, key)) for key in section.__struct_fields__]
        table.add_row(name, "  ".join(words))
    return table


def _word(key: str, value: object, usual: object) -> str:
    shown = ",".join(map(str, value)) if isinstance(value, tuple) else "auto" if value is None else str(value) or '""'
    shown = shown.lower() if isinstance(value, bool) else shown
    text = f"{key}={shown}".replace("[", r"\[")
    return text if value == usual else f"[bold]{text}[/bold]"
