"""What a subscriber takes from the other side at most: it may be another program than the one that was meant."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import ConfigError


@dataclass(frozen=True)
class Limits:
    """Bounds on one message."""

    message_bytes: int = 64 << 20
    """All frames of a message together."""
    picture_px: int = 50_000_000
    """Width times height of a picture that ``image`` decodes."""

    def __post_init__(self) -> None:
        for name, value in (("max_message_bytes", self.message_bytes), ("max_picture_px", self.picture_px)):
            if not isinstance(value, int) or not 1 <= value < 2**63:
                raise ConfigError(f"{name} is {value}: use a whole number above 0, of 63 bits at most")


DEFAULT_LIMITS = Limits()
