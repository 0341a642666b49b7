"""How many items one run of a model takes."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace


class Profile(Struct, frozen=True):
    """Batches of one model, as its manifest gives them, or as they pay where a session computes it."""

    smallest: int = 1
    """Fewer are filled up."""
    best: int = 1
    """So many together cost least for each: it is not worth waiting for more."""
    largest: int = 32
    """More are split."""
    most_pixels: int = 0
    """Height times width of all pictures of one run; 0: any. So fewer large pictures than small ones share a run."""

    step_px: int = 1
    """Heights and widths are best multiples of it: each new size costs its runtime more than the padding does."""

    def at(self, height_px: int, width_px: int) -> Profile:
        """Return the profile for pictures of one size."""
        if not self.most_pixels:
            return self
        largest = min(self.largest, max(self.smallest, self.most_pixels // (height_px * width_px)))
        return Profile(self.smallest, min(self.best, largest), largest, step_px=self.step_px)

    def on(self, device: str) -> Profile:
        """Return what pays on a device.

        On a CPU a batch of 8 costs as much as 8 runs (measured -7 to +7 %): the smallest is best. Anywhere else it is what is
        called best, and the largest where nothing is.
        """
        best = self.smallest if device == "cpu" else self.best if self.best > self.smallest else self.largest
        return replace(self, best=best)


ONE = Profile(1, 1, 1)
"""Of what computes one item at a time."""
