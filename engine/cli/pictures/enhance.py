"""``facestream enhance``: single pictures, as an exhibit in a case."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.text import Text

from engine.archive.claim import check_writable
from engine.cli.output.json_lines import JsonOption, write_lines
from engine.cli.output.overwriting import OverwriteOption
from engine.cli.output.plain import plain
from engine.cli.output.tables import Column, Rows
from engine.cli.pictures.enhance_faces import Faces
from engine.cli.pictures.enhance_making import Made, Maker
from engine.cli.pictures.enhance_progress import TileBar
from engine.cli.pictures.enhance_results import END, Limits, Results
from engine.config import SuperResolveConfig
from engine.errors import UsageError
from engine.marking import Credentials, load_credentials
from engine.marking.metadata import UNTRAINED
from engine.models import find_model
from engine.source.picture_files import picture_files
from engine.source.pictures import PICTURE_EXTENSIONS
from engine.super_resolve.enhancer import Enhancer
from engine.super_resolve.generator import open_generator
from engine.super_resolve.tiles import TiledGenerator

ZERO_SHOT = "zero-shot"


def enhance(
    *images: Annotated[
        Path, Parameter(required=True, help="Pictures, each cropped to the face or thing of interest, or folders of them.")
    ],
    out: Annotated[
        Path | None, Parameter(help="Folder for the results, or a .png file for one; by default beside each picture.")
    ] = None,
    faces: Annotated[bool, Parameter(negative=(), help="Find the faces in each picture, and enlarge only these.")] = False,
    generator: Annotated[str | None, Parameter(help="As `facestream models list` shows it, or a model file.")] = None,
    strength: Annotated[float, Parameter(help="0 (bicubic) to 1 (the generator).")] = 1.0,
    zero_shot: Annotated[
        bool, Parameter(help="Learn from the picture alone (ZSSR, x2); seconds to minutes each.", negative=())
    ] = False,
    sign_key: Annotated[Path | None, Parameter(help="Sign the results (C2PA) with this private key, PEM.")] = None,
    certificate: Annotated[Path | None, Parameter(help="The key's certificate and those of its issuers, PEM.")] = None,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
) -> int:
    """Enlarge single pictures.

    A result is written beside its picture as NAME-enhanced.png, for a face as NAME-face-1-enhanced.png, the largest first. It
    is not for identification: a decision must rest on the original. Its colours are 8-bit sRGB; EXIF data are not copied.

    For example:

        facestream enhance face.png

        facestream enhance street.jpg --faces --out results

        facestream enhance exhibit-7.png --zero-shot --out results

    Exit code 1: a picture was not enlarged.
    """
    if not 0 <= strength <= 1:
        raise UsageError(f"--strength {strength:g} must be 0 to 1")
    if zero_shot and generator is not None:
        raise UsageError("--zero-shot learns a network of its own: remove --generator")
    if (sign_key is None) != (certificate is None):
        raise UsageError("--sign-key and --certificate belong together: give both")
    credentials = load_credentials(sign_key, certificate) if sign_key and certificate else None
    complaints = list[str]()
    is_file = out is not None and out.suffix.lower() in PICTURE_EXTENSIONS and not out.is_dir()
    if out is not None:
        check_writable(out.parent if is_file else out)
    pictures = _pictures(images, complaints)
    if is_file and (faces or len(pictures) > 1 or (out and out.suffix.lower() != ".png")):
        raise UsageError(f"--out {out} is one file: name a .png file for one picture without --faces, else a folder")
    results = Results(None if is_file else out, out if is_file else None, pictures, overwrite)
    todo = [picture for picture in pictures if faces or _is_free(results, picture, complaints)]
    made = list[Made]()
    with ExitStack() as opened:
        opened.callback(_tell, made, complaints, json)  # also of what was made before an interruption
        if todo:
            name = ZERO_SHOT if zero_shot else generator or SuperResolveConfig().generator
            maker = _maker(opened, name, strength, results, credentials, faces=faces)
            for image in todo:
                for one in maker.make(image, complaints.append):
                    made.append(one)
                    if json:
                        write_lines([one.facts()])
    return 1 if complaints else 0


def _maker(
    opened: ExitStack, name: str, strength: float, results: Results, credentials: Credentials | None, *, faces: bool
) -> Maker:
    """Open what makes the results; ``opened`` closes it."""
    bar = opened.enter_context(TileBar(Console(stderr=True)))
    # An exhibit does not depend on what engines were built on a machine, and one picture takes no time.
    chosen = SuperResolveConfig(generator=name, precision="float32", engines="none")
    network = open_generator(chosen, find_model, threads=0)
    learns = name == ZERO_SHOT
    enhancer = Enhancer(network if learns else TiledGenerator(network, bar.tile_done), strength, float("inf"))
    opened.enter_context(closing(enhancer))
    finder = opened.enter_context(closing(Faces())) if faces else None
    invents = network.name not in UNTRAINED and strength > 0
    limits = Limits(network.scale, invents=invents, learns=learns, whole=finder is None)
    return Maker(enhancer, finder, limits, results, credentials, bar.begin)


def _pictures(images: Sequence[Path], complaints: list[str]) -> list[Path]:
    """Return the pictures, each once; results of earlier calls are left out of folders."""
    found = picture_files(images, lambda _, sentence: complaints.append(sentence))
    wanted = [picture for picture in found if picture in images or not picture.stem.endswith(END)]
    return list({os.path.realpath(picture): picture for picture in reversed(wanted)}.values())[::-1]


def _is_free(results: Results, picture: Path, complaints: list[str]) -> bool:
    """Whether a picture's result can be written; it is said at once, and no model is loaded for it, where it cannot."""
    try:
        results.of(picture)
    except UsageError as error:
        complaints.append(str(error))
        return False
    return True


def _tell(made: Sequence[Made], complaints: Sequence[str], json: bool) -> None:
    console = Console(highlight=False, stderr=json)
    if made and not json:
        columns = [Column("picture"), Column("result"), Column("size", "word"), Column("agrees with the picture", "number")]
        console.print(Rows(columns, [[*map(plain, one.cells())] for one in made]))
    for complaint in complaints:
        console.print(Text(plain(complaint)), soft_wrap=True)
