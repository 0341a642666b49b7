"""Words of the command line with two English spellings: both are accepted, one is shown."""

from __future__ import annotations

from collections.abc import Sequence

_COMMANDS = {"enroll": "enrol", "licenses": "licences"}
_OPTIONS = {"--accept-license": "--accept-licence"}
_OF_ROLES = ("--roles", "--control")


def spelt_as_here(arguments: Sequence[str]) -> list[str]:
    """Return the arguments of ``facestream`` with its own words as its help has them; names and paths stay as they are."""
    found = list(arguments)
    for place in _commands(found):
        found[place] = _COMMANDS.get(found[place], found[place])
    is_role = False
    for place, word in enumerate(found):
        found[place] = _COMMANDS.get(word, word) if is_role else _OPTIONS.get(word, word)
        is_role = word in _OF_ROLES or (is_role and not word.startswith("-"))
    return found


def _commands(arguments: Sequence[str]) -> range:
    """Return where the names of commands are: one, or of a service up to three."""
    return range(min(len(arguments), 3 if arguments[:2] == ["ctl", "people"] else 1))
