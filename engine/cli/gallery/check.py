"""``facestream gallery check``: are the enrolled pictures consistent with each other?"""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

from cyclopts import Parameter

from engine.cli.gallery.option import USERS_OWN, GalleryOption
from engine.cli.gallery.pictures import say_list
from engine.cli.output.json_lines import JsonOption, write_lines
from engine.config.verify import VerifyConfig
from engine.enrolment.consistency import inconsistent
from engine.errors import UsageError
from engine.models import find_model
from engine.verify.embedder import open_embedder
from engine.verify.gallery.opening import open_gallery


def check(
    *,
    gallery: GalleryOption = USERS_OWN,
    embedder: Annotated[str, Parameter(help="Whose vectors to check: dlib, insightface:PACK, or an ONNX file.")] = "dlib",
    json: JsonOption = False,
) -> int:
    """Show the enrolled pictures that would be set apart today: like somebody else, or unlike the person's other pictures.

    Nothing is changed. Blur and blocks in a picture itself are not checked again, as pictures are not kept.

    For example:

        facestream gallery check

    Exit code 1: there are such pictures.
    """
    model = open_embedder(VerifyConfig(embedder=embedder), find_model)
    if model is None:
        raise UsageError("--embedder none makes no vectors: choose the one that people were enrolled with")
    with closing(model), open_gallery(gallery, read_only=True) as opened:
        found, where = inconsistent(opened, model), opened.where
    if json:
        write_lines(found)
    else:
        say_list(found, f"in question in {where}", "it")
    return int(bool(found))
