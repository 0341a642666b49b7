"""How the pages of commands look: one line for what fits into one, so that each page fits on two screens of 24 lines."""

from __future__ import annotations

import io
import re
import textwrap
from inspect import Parameter
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from rich.console import Console, ConsoleOptions

if TYPE_CHECKING:
    from cyclopts import App
    from cyclopts.help import HelpEntry, HelpPanel

SELDOM = "Seldom used"
"""The heading of the options that stand on a page of their own."""
MORE = "--help-more"
_INDENT, _GAP, _WIDEST_LABEL = 2, 2, 24
_WIDEST_CHOICES = 48
"""Longer ones are broken between two, not within one."""
_ARGS = re.compile(r"\[ARGS(?:\.\.\.)?\]")
_COMMAND = re.compile("[a-z][a-z-]*")


class Compact:
    """A ``help_formatter`` for cyclopts: labels on the left, what they mean on the right, no frames.

    Args:
        more: show the options under the heading ``SELDOM``, and no others.
    """

    def __init__(self, more: bool = False) -> None:
        self._more = more
        self.app: App | None = None
        """Whose pages they are; None: what need not be given is called ``[ARGS]`` in the first line."""

    def render_description(self, console: Console, options: ConsoleOptions, description: Any) -> None:
        """Print what the command does, without what follows of it on the page of what is seldom used."""
        if self._more or not (text := _rendered(description, console).strip("\n")):
            return
        blocks: list[list[str]] = []
        for block in text.split("\n\n"):
            lines = [line.rstrip() for line in block.splitlines() if line.strip()]
            if not lines:
                continue
            if any(line.startswith((" ", "- ")) for line in lines):  # as commands in examples, which follow each other
                broken = [part for line in lines for part in _broken(line, console.width)]
                if blocks and blocks[-1][0].startswith(" ") and lines[0].startswith(" "):
                    blocks[-1] += broken
                else:
                    blocks.append(broken)
            else:
                blocks.append(textwrap.wrap(" ".join(lines), console.width, break_on_hyphens=False))
        console.print(
            "\n\n".join("\n".join(block) for block in blocks), markup=False, highlight=False, soft_wrap=True, end="\n\n"
        )

    def render_usage(self, console: Console, options: ConsoleOptions, usage: Any) -> None:
        """Print the first line."""
        words = _text(usage, console).removeprefix("Usage: ")
        if self.app is not None and _ARGS.search(words):
            words = _ARGS.sub(_optional(self.app, words), words)
        console.print(f"Usage: {words}", markup=False, highlight=False, end="\n\n")

    def __call__(self, console: Console, options: ConsoleOptions, panel: HelpPanel) -> None:
        """Print what belongs under one heading."""
        title = _text(panel.title, console)
        if not panel.entries or (self._more and title != SELDOM):
            return
        if title == SELDOM and not self._more:
            console.print(f"{MORE} shows {len(panel.entries)} options that are seldom used.", markup=False, highlight=False)
            return
        rows = [_row(entry, console) for entry in panel.entries]
        width = max((len(label) for label, _ in rows if len(label) <= _WIDEST_LABEL), default=0)
        room = max(console.width - _INDENT - width - _GAP, 20)
        lines = [f"{title}:"]
        for label, meaning in rows:
            first, *others = textwrap.wrap(meaning, room, break_on_hyphens=False) or [""]
            if len(label) > width:
                lines.append(" " * _INDENT + label)
                label = ""
            lines.append(f"{'':{_INDENT}}{label:{width}}{'':{_GAP}}{first}".rstrip())
            lines += [" " * (_INDENT + width + _GAP) + line for line in others]
        console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)


def _optional(app: App, words: str) -> str:
    """Return the arguments that need not be given to the command that ``words`` begin with, as ``[RESULTS...]``."""
    for word in takewhile(_COMMAND.fullmatch, words.split()[1:]):
        app = app[word]
    labels = []
    for one in app.assemble_argument_collection():
        if one.index is not None and one.show and not one.required:
            several = "..." if one.field_info.kind is Parameter.VAR_POSITIONAL else ""
            labels.append(f"[{one.name.lstrip('-').upper()}{several}]")
    return " ".join(labels)


def _row(entry: HelpEntry, console: Console) -> tuple[str, str]:
    """Return the label of an argument, option or command, and what it means."""
    label = entry.positional_label or ", ".join([*entry.positive_shorts, *entry.positive_names])
    words = [_text(entry.description, console)]
    value = "" if entry.positional_label else entry.metavar or ""
    if entry.choices:
        choices = "|".join(entry.choices)
        if entry.positional_label or len(f"{label} {choices}") > _WIDEST_LABEL:
            words.append(f"[{' | '.join(entry.choices) if len(choices) > _WIDEST_CHOICES else choices}]")
        else:
            value = choices + value.removeprefix("CHOICE")
    if entry.default and entry.default != "False" and not entry.default.startswith(("(", '"')):
        words.append(f"[{entry.default}]")
    if entry.required and not entry.positional_label:
        words.append("(required)")
    return " ".join(filter(None, [label, value])), " ".join(filter(None, words))


def _text(given: Any, console: Console) -> str:
    """Return one line of plain text of what cyclopts would render."""
    return " ".join(_rendered(given, console).split())


def _broken(line: str, width: int) -> list[str]:
    indent = line[: len(line) - len(line.lstrip())]
    return textwrap.wrap(line, width, subsequent_indent=indent + "    ", break_long_words=False, break_on_hyphens=False)


def _rendered(given: Any, console: Console) -> str:
    """Return the lines that cyclopts would render, as they were written."""
    if given is None or isinstance(given, str):
        return (given or "").replace("``", "")
    plain = Console(file=io.StringIO(), width=10_000, no_color=True, highlight=False, markup=False)
    with plain.capture() as capture:
        plain.print(given, end="")
    return capture.get().replace("``", "")
