"""One picture of ``facestream enhance``, from its file to its result files."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.cli.output.overwriting import write_result
from engine.cli.output.plain import plain
from engine.cli.pictures.enhance_faces import Faces
from engine.cli.pictures.enhance_results import Limits, Results
from engine.config import PublishConfig
from engine.contracts.frames import Planes, Uint8
from engine.decode.still import read_content, read_still
from engine.errors import FacestreamError, OutputError
from engine.marking import Credentials, enhanced_before, kind_of, sign_picture
from engine.pictures.colour import planes_from_bgr
from engine.publish.encode import encode_enhanced
from engine.super_resolve.enhancer import EnhancedFace, Enhancer


@dataclass(frozen=True, slots=True)
class Made:
    """One result."""

    picture: Path
    result: Path
    size: str
    """As ``40x30``, of what was enlarged."""
    result_size: str
    lr_consistency_db: float
    """See ``EnhancedFace``."""
    model: str
    remarks: tuple[str, ...]

    def cells(self) -> list[str]:
        """Return what a table says of it."""
        sizes = f"{self.size} to {self.result_size}"
        return [self.picture.name, str(self.result), sizes, f"{self.lr_consistency_db:.1f} dB"]

    def facts(self) -> dict[str, Any]:
        """Return what programs are told of it."""
        return {
            "picture": str(self.picture), "result": str(self.result), "size": self.size, "result_size": self.result_size,
            "lr_consistency_db": round(self.lr_consistency_db, 3), "model": self.model, "remarks": self.remarks,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Maker:
    """Enlarges pictures, one after the other."""

    enhancer: Enhancer
    finder: Faces | None
    """None: each picture is enlarged as a whole."""
    limits: Limits
    results: Results
    credentials: Credentials | None
    begin: Callable[[str], None]
    """Is told the name of each result before the work."""

    def make(self, image: Path, complain: Callable[[str], None]) -> Iterator[Made]:
        """Yield what was made of a picture, each result when it is written.

        Args:
            image: the picture.
            complain: is told of what was not made.

        Raises:
            OutputError: nothing can be written any more.
        """
        try:
            content = read_content(image)
            still = read_still(image, content)
            remarks = (*still.remarks, *_made_before(content, still.bgr))
            parts = self.finder.cut(image, still.bgr) if self.finder else [("", planes_from_bgr(still.bgr, full_range=True))]
            paths = [self.results.of(image, end) for end, _ in parts]
        except FacestreamError as error:
            complain(str(error))
            return
        del still, content  # of a large picture they are a third of what is needed
        _note(image, remarks)
        for path, (_, part) in zip(paths, parts, strict=True):
            try:
                yield self._one(image, path, part, remarks)
            except OutputError:
                raise
            except FacestreamError as error:
                complain(str(error))

    def _one(self, image: Path, path: Path, part: Planes, remarks: tuple[str, ...]) -> Made:
        worth = self.limits.check(image, part)
        _note(image, worth)
        self.begin(path.name)
        (face,) = self.enhancer.enlarge([part])
        before, after = (f"{one.shape[1]}x{one.shape[0]}" for one in (part.y, face.luma))
        write_result(path, self._file_of(face, image))
        return Made(image, path, before, after, face.lr_consistency_db, face.model, (*remarks, *worth))

    def _file_of(self, face: EnhancedFace, image: Path) -> bytes:
        """Return the PNG file, marked, and signed where there is a key."""
        file = encode_enhanced(PublishConfig(codec="png"), face.bgr, face.model, in_place=True)
        if self.credentials is None:
            return file
        original = read_content(image)
        source = original if kind_of(original) else None
        return sign_picture(file, self.credentials, model=face.model, original=source, title=image.name)


def _note(image: Path, sentences: Sequence[str]) -> None:
    for sentence in sentences:
        sys.stderr.write(f"facestream: note: {plain(str(image))}: {plain(sentence)}\n")


def _made_before(content: bytes, bgr: Uint8) -> list[str]:
    how = enhanced_before(content, bgr)
    return [f"{how}: go back to the original"] if how else []
