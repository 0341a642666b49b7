"""``facestream enhance``: single pictures, as an exhibit in a case."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from engine.config import PublishConfig, SuperResolveConfig
from engine.decode.still import read_still
from engine.errors import FacestreamError, UsageError
from engine.models import find_model
from engine.publish.encode import encode_enhanced
from engine.runtime.colour import planes_from_bgr
from engine.source.picture_files import picture_files
from engine.super_resolve.enhancer import EnhancedFace, Enhancer
from engine.super_resolve.generator import open_generator

ZERO_SHOT = "zero-shot"


def enhance(
    *images: Annotated[Path, Parameter(help="Pictures, each cut to the face or thing of interest, or folders of them.")],
    out: Annotated[Path | None, Parameter(help="Folder of the results; beside each picture if not given.")] = None,
    generator: Annotated[str | None, Parameter(help="As `facestream models list` shows it, or a model file.")] = None,
    strength: Annotated[float, Parameter(help="0 (bicubic) to 1 (the generator).")] = 1.0,
    zero_shot: Annotated[
        bool, Parameter(help="Learn from the picture alone (ZSSR, x2); seconds to minutes each.", negative=())
    ] = False,
) -> int:
    """Enlarge single pictures.

    A result stands beside its picture as NAME-enhanced.png. It is not for identification: a decision must rest on the original.

    For example:

        facestream enhance face.png

        facestream enhance exhibit-7.png --zero-shot --out results

    Exit code: 0 all pictures were enlarged, 1 one was not, 2 the command line is wrong.
    """
    if not images:
        raise UsageError("no picture to enhance: give at least one image file")
    if not 0 <= strength <= 1:
        raise UsageError(f"--strength {strength:g} must be 0 to 1")
    if zero_shot and generator is not None:
        raise UsageError("--zero-shot learns a network of its own: remove --generator")
    pictures = picture_files(images)
    name = ZERO_SHOT if zero_shot else generator or SuperResolveConfig().generator
    console, complaints = Console(highlight=False), list[str]()
    written: set[Path] = set()
    table = Table(box=None, pad_edge=False)
    for column in ("picture", "result", "size", "agrees with the picture"):
        table.add_column(column, overflow="fold")
    # An exhibit does not depend on what engines were built on a machine, and one picture takes no time.
    chosen = SuperResolveConfig(generator=name, precision="float32", engines="none")
    with closing(Enhancer(open_generator(chosen, find_model, threads=0), strength, float("inf"))) as enhancer:
        for image in pictures:
            try:
                with console.status(f"{image.name}: {name}"):
                    original = planes_from_bgr(read_still(image).bgr, full_range=True)
                    (face,) = enhancer.enlarge([original])
                    result = _write(face, image, out, written)
            except FacestreamError as error:
                complaints.append(str(error))
                continue
            before, after = (f"{picture.shape[1]}x{picture.shape[0]}" for picture in (original.y, face.luma))
            table.add_row(Text(image.name), Text(str(result)), f"{before} to {after}", f"{face.lr_consistency_db:.1f} dB")
    if table.row_count:
        console.print(table)
    for complaint in complaints:
        console.print(Text(complaint), soft_wrap=True)
    return 1 if complaints else 0


def _write(face: EnhancedFace, image: Path, folder: Path | None, written: set[Path]) -> Path:
    path = (folder or image.parent) / f"{image.stem}-enhanced.png"
    if path.resolve() in written:
        raise UsageError(f"{path} is the result of another of these pictures: enhance {image} by itself, with another --out")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_enhanced(PublishConfig(codec="png"), face.bgr, face.model))
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}: choose another folder with --out") from error
    written.add(path.resolve())
    return path
