"""What all sections of the configuration are made of."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Device = Literal["cpu", "cuda:0", "cuda:1", "cuda:2", "cuda:3", "cuda:4", "cuda:5", "cuda:6", "cuda:7"]
Positive = Annotated[int, msgspec.Meta(ge=1)]


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of all sections: a key that is not declared is an error."""
