"""The counters of a decoder."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from engine.contracts.counts import StreamCount, named

DropCause = Literal["decode_late", "corrupt", "no_key_frame"]
_OF_CAMERA: tuple[StreamCount, ...] = ("frames", "packets", "bytes", "corrupt_packets", "corrupt_frames", "reconnects")
_CAUSES: tuple[DropCause, ...] = ("decode_late", "corrupt", "no_key_frame")


class Counted:
    """Totals since the decoder was created. Not thread-safe.

    Args:
        counts: the counters of the stream.
        causes: the causes for which it drops something.
    """

    def __init__(self, counts: Iterable[StreamCount], causes: Iterable[DropCause] = ()) -> None:
        self.counts: dict[StreamCount, int] = dict.fromkeys(counts, 0)
        self.drops: dict[DropCause, int] = dict.fromkeys(causes, 0)
        self.decode_ns = 0
        """Nanoseconds in the decoder of a camera."""

    def named(self) -> dict[str, int]:
        """Return counts and drops by name, as in a ``stream`` message."""
        return named(self.counts, self.drops)

    def copy(self) -> Counted:
        """Return an independent copy."""
        other = Counted(())
        other.counts, other.drops, other.decode_ns = self.counts.copy(), self.drops.copy(), self.decode_ns
        return other


def of_camera() -> Counted:
    """Return the counters of a camera's decoder; for their meaning see ``LiveDecoder``."""
    return Counted(_OF_CAMERA, _CAUSES)
