"""How a camera behind TLS is known to be itself: not at all, unless FFmpeg's options say so."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import NamedTuple

_VERIFY, _AUTHORITIES = ("tls_verify", "verify"), ("ca_file", "cafile")
_OTHERS = ("cert_file", "cert", "key_file", "key", "verifyhost")
_NO = {"", "0", "false", "no", "off"}
_NEAR = 0.8


class Verification(NamedTuple):
    """What the options say of a camera's certificate."""

    wanted: bool | None
    """None: nothing."""
    authorities: str
    """The file of those whose signatures count; empty: they are the system's."""


def verification_of(options: Mapping[str, str]) -> Verification:
    """Return what is said of verification; who names authorities wants them to count."""
    authorities = next((options[name] for name in _AUTHORITIES if name in options), "")
    said = next((options[name] for name in _VERIFY if name in options), None)
    return Verification(said.lower() not in _NO if said is not None else True if authorities else None, authorities)


def misspelt(options: Mapping[str, str]) -> tuple[str, str] | None:
    """Return an option that seems to be meant for TLS, and how that is spelt, None where there is none: FFmpeg ignores what it
    does not know, and would verify nothing."""
    known = (*_VERIFY, *_AUTHORITIES, *_OTHERS)
    for name in options:
        near = difflib.get_close_matches(name.lower().replace("-", "_"), known, n=1, cutoff=_NEAR)
        if near and name not in known:
            return name, near[0]
    return None
