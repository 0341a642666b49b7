"""Who makes a request, and what they may do."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import get_args

from engine.control.verbs import ROLE_OF, Role, Verb
from engine.service.refusal import Refusal

ALL_ROLES: tuple[Role, ...] = get_args(Role)


@dataclass(frozen=True)
class Caller:
    """Somebody known."""

    name: str
    """As ``local:1000``, ``key:NAME`` or ``web:NAME``."""
    roles: frozenset[Role] = frozenset(ALL_ROLES)

    def check(self, verb: Verb) -> None:
        """Check that this one may ask for a verb.

        Raises:
            Refusal: it has not the role.
        """
        role = ROLE_OF[type(verb)]
        if role not in self.roles:
            raise Refusal("forbidden", f"{self.name} may not do this: it needs the role {role}")


def this_user() -> Caller:
    """Return this machine's own user, whom the modes of the files let in."""
    return Caller(f"local:{os.getuid()}")
