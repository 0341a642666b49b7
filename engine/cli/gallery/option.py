"""The options ``--gallery`` and, for an encrypted one, ``--gallery-key``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter

from engine.contracts.gallery import GalleryPlace


@Parameter(name="*")
@dataclass(frozen=True)
class GalleryOption(GalleryPlace):
    """The two options of a command."""

    where: Annotated[
        str, Parameter(name="--gallery", help="Gallery file, or postgresql://USER@HOST/NAME; the user's own by default.")
    ] = ""
    key_file: Annotated[str, Parameter(name="--gallery-key", help="File with the key of an encrypted gallery.")] = ""


USERS_OWN = GalleryOption()
