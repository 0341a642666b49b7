"""What ``search``, ``compare`` and ``people`` have in common."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from engine.config import DetectConfig
from engine.config.verify import VerifyConfig
from engine.decode.still import Still, read_content, read_still
from engine.desk.likeness import Worth
from engine.desk.photograph import Photographed
from engine.desk.stored import Result
from engine.detect.catalog import open_detector
from engine.detect.second_look import open_second_look
from engine.enrolment.portrait import Portrait, find_people
from engine.errors import EnrolmentRefused, UsageError
from engine.marking import enhanced_before
from engine.models import find_model
from engine.pictures.face_jpeg import face_jpeg
from engine.results.digits import rounded
from engine.verify.copies import both_ways
from engine.verify.embedder import Embedder, open_embedder
from engine.words.numbers import count

Results = Annotated[Path, Parameter(required=True, help="Output directories of runs.")]
PageOption = Annotated[Path | None, Parameter(help="Also write a self-contained page (.html) with pictures.")]
FaceOption = Annotated[int | None, Parameter(help="If a photograph shows several people: which one; 1 is the largest face.")]


@contextmanager
def photographs(paths: Iterable[Path], embedder: str, detector: str = "auto") -> Iterator[Any]:
    """Open photographs, and then what finds people in them: yields ``read(path, face) -> Photographed`` and the embedder.

    Raises:
        PictureError: one of them cannot be read.
    """
    stills, enhanced = dict[Path, Still](), dict[Path, str]()
    for path in paths:  # before models are loaded for it
        content = read_content(path)
        stills[path] = still = read_still(path, content)
        enhanced[path] = enhanced_before(content, still.bgr)
    with ExitStack() as opened:
        model = open_embedder(VerifyConfig(embedder=embedder), find_model)
        if model is None:
            raise UsageError("--embedder none makes no vectors: choose another one")
        opened.callback(model.close)
        finder = open_detector(DetectConfig(detector=detector), find_model)
        opened.callback(finder.close)
        second_look = open_second_look(DetectConfig(), find_model)
        if second_look is not None:
            opened.callback(second_look.close)

        def read(path: Path, face: int | None) -> Photographed:
            still = stills[path]
            try:
                found = find_people(path, still.bgr, finder, second_look)
            except EnrolmentRefused as error:
                raise EnrolmentRefused("; ".join([str(error), *still.remarks])) from error
            are_several = len(stills) > 1
            portrait, remarks = _chosen(path, found, face, of_several=are_several)
            remarks += [f"{sentence}." for sentence in still.remarks]
            if how := enhanced[path]:
                remarks.append(f"{how}: what it resembles may be made up, use the original.")
            if are_several:
                vector, mirrored = both_ways(portrait.bgr, portrait.landmarks, model)
            else:  # with nothing that it might be a mirrored copy of
                [vector], mirrored = model.embed([portrait.bgr], [portrait.landmarks]), None
            small = face_jpeg(portrait.bgr, portrait.box)
            return Photographed(path.name, vector, portrait.quality, small, remarks, mirrored)

        yield read, model


def embedder_of(results: list[Result], embedder: str | None) -> str:
    """Return which embedder the photograph needs: what was given, else that of the results."""
    return embedder or results[0].embedder


def check_embedder(model: Embedder, result: Result) -> None:
    """Refuse vectors of two embedders.

    Raises:
        UsageError: the photograph's would be of another one than the result's.
    """
    if model.sha256 != result.embedder_sha256:
        raise UsageError(
            f"{result.run.directory} holds vectors of the embedder {result.embedder} ({result.embedder_sha256[:8]}), and the "
            f"photograph's would be of {model.name} ({model.sha256[:8]}): they cannot be compared; give --embedder with the "
            "file of the first"
        )


def check_one_embedder(results: Sequence[Result]) -> None:
    """Refuse tracks whose vectors are of two embedders.

    Raises:
        UsageError: they cannot be compared.
    """
    of_each = {one.embedder_sha256: f"{one.embedder} ({one.embedder_sha256[:8]}) of {one.run.directory}" for one in results}
    if len(of_each) > 1:
        raise UsageError(f"vectors of two embedders cannot be compared: {', and '.join(of_each.values())}")


def refuse_for_tracks(face: int | None, embedder: str | None) -> None:
    """Refuse options that only a photograph needs.

    Raises:
        UsageError: one of them was given.
    """
    for option, given in (("--face", face), ("--embedder", embedder)):
        if given is not None:
            raise UsageError(f"{option} is for a photograph, and only tracks of results are compared: leave it out")


def tell_programs(said: Any) -> None:
    """Print one object, its numbers with the digits that mean something."""
    sys.stdout.write(msgspec.json.encode(rounded(msgspec.to_builtins(said, enc_hook=str))).decode() + "\n")


def worth_facts(worth: Worth | None) -> dict[str, Any]:
    """Return what a comparison says, for programs; each None where nothing is calibrated for it."""
    said = ("log10_lr", "bounds", "bucket", "calibration")
    log10_lr, bounds, bucket, calibration = (getattr(worth, name, None) for name in said)
    return {"log10_lr": log10_lr, "log10_lr_bounds": bounds, "bucket": bucket, "calibration": calibration}


def _chosen(path: Path, found: list[Portrait], face: int | None, *, of_several: bool) -> tuple[Portrait, list[str]]:
    if face is not None and len(found) == 1 and of_several and face > 0:
        face = None  # it is for those photographs that show several
    if face is not None and not 1 <= face <= len(found):
        which = "leave --face out" if len(found) == 1 else f"give --face 1 to {len(found)}"
        raise UsageError(f"{path} shows {count(len(found), 'face')}: {which}")
    portrait = found[(face or 1) - 1]
    remarks = []
    if len(found) > 1 and face is None:
        sizes = ", ".join(f"{one.quality.size_px:.0f}" for one in found)
        faces = count(len(found), "face")
        remarks.append(f"the photograph shows {faces} ({sizes} px): the largest was taken, --face says which else.")
    if portrait.turned_degrees:
        remarks.append(f"the photograph was turned by {portrait.turned_degrees}°.")
    return portrait, remarks
