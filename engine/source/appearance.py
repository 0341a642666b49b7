"""How the pictures of a source are made to look as they should."""

from __future__ import annotations

import re

from engine.config import SourceConfig
from engine.contracts.recording import ASPECT, Appearance
from engine.errors import ConfigError


def appearance_of(source: SourceConfig) -> Appearance:
    """Return what the user asks for.

    Raises:
        ConfigError: ``aspect`` is not the shape of a picture.
    """
    if source.aspect and not re.fullmatch(ASPECT, source.aspect):
        raise ConfigError(
            f"aspect: {source.aspect!r} is not a picture's width to height: give two numbers, such as 4:3 or 16:9"
        )
    return Appearance(source.rotate, source.deinterlace, source.aspect)
