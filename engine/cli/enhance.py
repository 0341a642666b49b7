"""``facestream enhance``: single pictures, as an exhibit in a case."""

from __future__ import annotations

import sys
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.text import Text

from engine.archive.claim import check_writable
from engine.cli.enhance_faces import Faces
from engine.cli.enhance_progress import TileBar
from engine.cli.json_lines import JsonOption, write_lines
from engine.cli.overwriting import OTHER_FOLDER, OverwriteOption, check_new, write_result
from engine.cli.plain import plain
from engine.cli.tables import Column, Rows
from engine.config import PublishConfig, SuperResolveConfig
from engine.contracts.frames import Planes
from engine.decode.still import read_content, read_still
from engine.errors import FacestreamError, UsageError
from engine.marking import Credentials, kind_of, load_credentials, sign_picture
from engine.models import find_model
from engine.pictures.colour import planes_from_bgr
from engine.publish.encode import encode_enhanced
from engine.source.picture_files import picture_files
from engine.source.pictures import PICTURE_EXTENSIONS
from engine.super_resolve.enhancer import EnhancedFace, Enhancer
from engine.super_resolve.generator import open_generator
from engine.super_resolve.tiles import TiledGenerator

ZERO_SHOT = "zero-shot"
_END = "-enhanced"
_LARGE_PX = 1_000_000
"""More is rather a photograph with faces in it than a picture of one face."""
_MOST_RESULT_PX = 200_000_000
"""Of a result: 1.3 GB while it is written. A photograph of 3840x2160 has 133 million at four times its size."""


def enhance(
    *images: Annotated[
        Path, Parameter(required=True, help="Pictures, each cut to the face or thing of interest, or folders of them.")
    ],
    out: Annotated[
        Path | None, Parameter(help="Folder of the results, or a .png file for one; beside each picture if not given.")
    ] = None,
    faces: Annotated[bool, Parameter(negative=(), help="Find the faces in each picture, and enlarge these alone.")] = False,
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

    A result stands beside its picture as NAME-enhanced.png, of a face as NAME-face-1-enhanced.png, the largest first. It is
    not for identification: a decision must rest on the original.

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
    is_file = out is not None and out.suffix.lower() in PICTURE_EXTENSIONS and not out.is_dir()
    if out is not None:
        check_writable(out.parent if is_file else out)
    complaints = list[str]()
    found = picture_files(images, lambda _, sentence: complaints.append(sentence))
    pictures = [picture for picture in found if picture in images or not picture.stem.endswith(_END)]
    if is_file and (faces or len(pictures) > 1 or (out and out.suffix.lower() != ".png")):
        raise UsageError(f"--out {out} is one file: name a .png file for one picture without --faces, else a folder")
    results = _Results(None if is_file else out, overwrite, out if is_file else None)
    todo = [picture for picture in pictures if faces or _is_free(results, picture, complaints)]
    console = Console(highlight=False, stderr=json)
    columns = [Column("picture"), Column("result"), Column("size", "word"), Column("agrees with the picture", "number")]
    rows: list[list[str]] = []
    # An exhibit does not depend on what engines were built on a machine, and one picture takes no time.
    name = ZERO_SHOT if zero_shot else generator or SuperResolveConfig().generator
    chosen = SuperResolveConfig(generator=name, precision="float32", engines="none")
    with ExitStack() as opened:
        if todo:
            bar = opened.enter_context(TileBar(Console(stderr=True)))
            network = open_generator(chosen, find_model, threads=0)
            enhancer = Enhancer(network if zero_shot else TiledGenerator(network, bar.tile_done), strength, float("inf"))
            opened.enter_context(closing(enhancer))
            finder = opened.enter_context(closing(Faces())) if faces else None
        for image in todo:
            try:
                original = planes_from_bgr(read_still(image).bgr, full_range=True)
                parts = [("", original)] if finder is None else finder.cut(image, original)
                for end, part in parts:
                    path = results.of(image, end)
                    _check_size(image, part, network.scale, zero_shot=zero_shot, asks_for_faces=faces)
                    bar.begin(path.name)
                    (face,) = enhancer.enlarge([part])
                    write_result(path, _file_of(face, image, credentials))
                    before, after = (f"{one.shape[1]}x{one.shape[0]}" for one in (part.y, face.luma))
                    if json:
                        write_lines([_facts(image, path, face, before, after)])
                        continue
                    names = plain(image.name), plain(str(path))
                    rows.append([*names, f"{before} to {after}", f"{face.lr_consistency_db:.1f} dB"])
            except FacestreamError as error:
                complaints.append(str(error))
    if rows:
        console.print(Rows(columns, rows))
    for complaint in complaints:
        console.print(Text(plain(complaint)), soft_wrap=True)
    return 1 if complaints else 0


class _Results:
    """Where each result goes."""

    def __init__(self, folder: Path | None, overwrite: bool, file: Path | None = None) -> None:
        self._folder, self._overwrite, self._file = folder, overwrite, file
        self._taken: dict[Path, Path] = {}

    def of(self, image: Path, end: str = "") -> Path:
        """Return the path of a picture's result.

        Raises:
            UsageError: it is that of another picture, or is there already and may not be replaced.
        """
        path = self._file or (self._folder or image.parent) / f"{image.stem}{end}{_END}.png"
        if self._taken.setdefault(path.resolve(), image) != image:
            raise UsageError(
                f"{path} is the result of another of these pictures: enhance {image} by itself, with another --out"
            )
        check_new([path], overwrite=self._overwrite, instead=OTHER_FOLDER)
        return path


def _is_free(results: _Results, picture: Path, complaints: list[str]) -> bool:
    """Whether a picture's result can be written; it is said at once, and no model is loaded for it, where it cannot."""
    try:
        results.of(picture)
    except UsageError as error:
        complaints.append(str(error))
        return False
    return True


def _check_size(image: Path, part: Planes, scale: int, *, zero_shot: bool, asks_for_faces: bool) -> None:
    pixels, size = part.y.size, f"{part.width_px}x{part.height_px}"
    advice = "cut it to what matters" + ("" if asks_for_faces else ", or add --faces to enlarge the faces in it")
    if zero_shot and pixels > _LARGE_PX:
        raise UsageError(f"{image} has {size} pixels, and --zero-shot learns from at most a million: {advice}")
    if pixels * scale**2 > _MOST_RESULT_PX:
        raise UsageError(
            f"{image} has {size} pixels, and its result would have {pixels * scale**2 / 1e6:,.0f} million, more than "
            f"{_MOST_RESULT_PX / 1e6:.0f}: {advice}"
        )
    if pixels > _LARGE_PX and not asks_for_faces:
        sys.stderr.write(
            f"facestream: note: {plain(str(image))} is {size}, enlarged as a whole; --faces takes its faces alone\n"
        )


def _facts(image: Path, path: Path, face: EnhancedFace, before: str, after: str) -> dict[str, object]:
    return {
        "picture": str(image), "result": str(path), "size": before, "result_size": after,
        "lr_consistency_db": round(face.lr_consistency_db, 3), "model": face.model,
    }  # fmt: skip


def _file_of(face: EnhancedFace, image: Path, credentials: Credentials | None) -> bytes:
    """Return the PNG file, marked, and signed where there is a key."""
    file = encode_enhanced(PublishConfig(codec="png"), face.bgr, face.model)
    if credentials is None:
        return file
    original = read_content(image)
    return sign_picture(file, credentials, model=face.model, original=original if kind_of(original) else None, title=image.name)
