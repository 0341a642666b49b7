"""The error for a command line that cannot be parsed: what is wrong, what to write instead, and where the help is."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Literal, get_args, get_origin

from cyclopts import (
    Argument,
    CoercionError,
    CycloptsError,
    MissingArgumentError,
    RepeatArgumentError,
    UnknownCommandError,
    UnknownOptionError,
    UnusedCliTokensError,
)

_NUMBERS: dict[object, str] = {int: "a whole number", float: "a number"}


def misuse(error: CycloptsError, program: str) -> str:
    """Return one sentence.

    Args:
        error: of the parser.
        program: whose command line it is.
    """
    known = [word for word in (error.command_chain or ()) if not word.startswith("-")]
    return f"{_said(error)}; see {' '.join([program, *known, '--help'])}"


def _said(error: CycloptsError) -> str:
    match error:
        case UnusedCliTokensError(unused_tokens=[_, *_] as words):
            return f"{' '.join(words)}: more than this command takes"
        case UnknownCommandError(unused_tokens=[word, *_]):
            # Its own text would import every command to look for synonyms.
            names = sorted(name for name in error.app or () if not name.startswith("-"))
            return f"there is no command {word!r}" + (_meant(word, names) or f": use one of {', '.join(names)}")
        case UnknownOptionError(token=token):
            word = (token.keyword or token.value).partition("=")[0]
            if word == "-":
                return "standard input is not read: give the path of a file"
            names = [name for one in error.argument_collection if one.parse for name in one.names if name.startswith("-")]
            if word in names:
                return f"behind -- nothing is an option: put {word} before it"
            return f"there is no option {word}{_meant(word, names)}{_of_a_file(token.value or word)}"
        case RepeatArgumentError(token=token):
            return f"{token.keyword or token.value} is given more than once: give it once"
        case MissingArgumentError(argument=argument, keyword=keyword) if argument is not None:
            what = " ".join(_meaning(error, argument).split()).rstrip(".")
            lacking = f"{keyword} has no value" if keyword else f"{_label(argument)} is missing"
            behind = (word for option, word in pairwise(error.root_input_tokens or ()) if option == keyword)
            return (f"{lacking}: {_small(what)}" if what else lacking) + _of_a_file(*behind)
        case CoercionError(msg=None, argument=argument, token=token) if argument is not None and token is not None:
            wanted = _wanted(error.target_type, token.value)
            if wanted:
                return f"{token.keyword or _label(argument)} {token.value}: {wanted}"
    return " ".join(str(error).split()).rstrip(".")


def _of_a_file(*words: str) -> str:
    """Return what to write instead of a word that was taken for an option and is the name of a file."""
    files = (word for word in words if word.startswith("-") and Path(word).exists())
    return next((f"; for the file of that name write ./{word}" for word in files), "")


def _wanted(kind: object, given: str) -> str:
    """Return what a value must be; empty where only the parser knows."""
    if get_origin(kind) is Literal:
        choices = [str(choice) for choice in get_args(kind)]
        return f"use {_one_of(choices)}{_meant(given, choices)}"
    return f"give {_NUMBERS[kind]}" if kind in _NUMBERS else ""


def _one_of(words: Sequence[str]) -> str:
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _meant(word: str, names: Iterable[str]) -> str:
    bare = {name.lstrip("-"): name for name in names}  # dashes would make all options alike
    near = difflib.get_close_matches(word.lstrip("-"), list(bare), n=1)
    return f", did you mean {bare[near[0]]}?" if near else ""


def _label(argument: Argument) -> str:
    """Return what the page of help calls an argument, or an option."""
    return argument.name if argument.index is None else argument.name.lstrip("-").upper()


def _meaning(error: CycloptsError, argument: Argument) -> str:
    """Return what the page of help says of it: where it is declared, or in the command's docstring, which a parse skips."""
    if argument.parameter.help or error.app is None:
        return argument.parameter.help or ""
    described = error.app.assemble_argument_collection(parse_docstring=True)
    return next((one.parameter.help or "" for one in described if one.name == argument.name), "")


def _small(sentence: str) -> str:
    """Return a sentence as it goes on behind a colon: its first word small, where that is no name."""
    first, *_ = [*sentence.split(), ""]
    return sentence if first[1:] != first[1:].lower() else sentence[:1].lower() + sentence[1:]
