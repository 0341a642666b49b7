"""How commands print a sentence; separate from ``plain``, so that ``--help`` does not load it."""

from __future__ import annotations

from rich.console import Console

from engine.cli.output.plain import plain


def say(sentence: str, *, aside: bool = False) -> None:
    """Print a sentence, ``plain`` and in one line.

    Args:
        sentence: for people.
        aside: on standard error, where standard output is for a program.
    """
    say_on(Console(stderr=aside), sentence)


def say_on(console: Console, sentence: str) -> None:
    """Print a sentence likewise, on a console that is there."""
    console.print(plain(sentence), highlight=False, markup=False, emoji=False, soft_wrap=True)
