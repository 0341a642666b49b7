"""Where the results of ``facestream enhance`` go, and what they are worth."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from engine.archive.claim import check_writable
from engine.cli.output.outside_runs import check_outside_runs
from engine.cli.output.overwriting import OTHER_FOLDER, check_new
from engine.contracts.frames import Planes
from engine.errors import UsageError

END = "-enhanced"
"""What the names of results end with, before the dot."""
_LARGE_PX = 1_000_000
"""More is rather a photograph with faces in it than a picture of one face."""
MOST_RESULT_PX = 200_000_000
"""Of a result: 1.3 GB while it is written. A photograph of 3840x2160 has 133 million at four times its size."""
_LEARNED_FROM_PX = 12
"""Shorter side of the smallest pictures of faces that the shipped generators learned from (``engine/models``)."""
_TELLING_PX = 24
"""Of faces in pictures of 24, 16 and 12 px, enlarged, the nearest sharp one is another person's in 0.3, 23 and 62 of 100."""


class Results:
    """Where each result goes.

    Args:
        folder: of all results; None: beside each picture.
        file: of the only one; None: each is called like its picture.
        pictures: that are enlarged: none of them is replaced.
        overwrite: other files may be replaced.
    """

    def __init__(self, folder: Path | None, file: Path | None, pictures: Collection[Path], overwrite: bool) -> None:
        self._folder, self._file, self._overwrite = folder, file, overwrite
        self._pictures = {os.path.realpath(picture) for picture in pictures}
        self._taken: dict[str, Path] = {}
        self._writable = set[Path]()

    def of(self, image: Path, end: str = "") -> Path:
        """Return the path of a picture's result.

        Raises:
            UsageError: it is that of another picture, or a picture itself, or lies in the directory of a run, or is there
                already and may not be replaced, or cannot be written.
        """
        path = self._file or (self._folder or image.parent) / f"{image.stem}{end}{END}.png"
        real = os.path.realpath(path)
        if self._taken.setdefault(real, image) != image:
            raise UsageError(
                f"{path} would also be the result of another of these pictures: enhance {image} by itself, with another --out"
            )
        if real in self._pictures:
            raise UsageError(f"{path} is one of the pictures, which are never replaced: {OTHER_FOLDER}")
        check_outside_runs(path)
        check_new([path], overwrite=self._overwrite, instead=OTHER_FOLDER)
        if path.parent not in self._writable:
            check_writable(path.parent)
            self._writable.add(path.parent)
        return path


@dataclass(frozen=True, slots=True)
class Limits:
    """What can be enlarged."""

    scale: int
    invents: bool
    """The generator was trained, on faces."""
    learns: bool
    """It learns from the picture."""
    whole: bool
    """All of a picture is enlarged, not the faces that were found in it."""

    def check(self, image: Path, part: Planes) -> list[str]:
        """Return sentences on what a result is worth, without a full stop; usually none.

        Args:
            image: for sentences.
            part: what is to be enlarged of it.

        Raises:
            UsageError: it is too large, or so small that the result would be nothing but invented.
        """
        pixels, size, least = part.y.size, f"{part.width_px}x{part.height_px}", min(part.y.shape)
        advice = "cut it to what matters" + (", or add --faces to enlarge the faces in it" if self.whole else "")
        if self.learns and pixels > _LARGE_PX:
            raise UsageError(f"{image} has {size} pixels, and --zero-shot learns from at most a million: {advice}")
        if pixels * self.scale**2 > MOST_RESULT_PX:
            raise UsageError(
                f"{image} has {size} pixels, and its result would have {pixels * self.scale**2 / 1e6:,.0f} million, more than "
                f"{MOST_RESULT_PX / 1e6:.0f}: {advice}"
            )
        if self.invents and least < _LEARNED_FROM_PX:
            raise UsageError(
                f"{image}: {size} pixels are too few: below {_LEARNED_FROM_PX} hardly anything of a face is left, and a "
                "network would invent the rest; --generator bicubic enlarges it without"
            )
        if self.invents and least < _TELLING_PX:
            return [f"{size} pixels are so few that a face in them, once enlarged, often looks like somebody else's"]
        if self.whole and pixels > _LARGE_PX:
            return [f"it is {size}, enlarged as a whole; --faces takes its faces alone"]
        return []
