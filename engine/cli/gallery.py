"""``facestream enroll`` and ``facestream gallery``: who may be recognised."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from engine.config import DetectConfig, VerifyConfig
from engine.detect.catalog import open_detector
from engine.errors import FacestreamError, UsageError
from engine.models import find_model
from engine.pipeline.enrol import EnrolResult, enrol_pictures
from engine.verify.embedder import open_embedder
from engine.verify.gallery import Gallery, Identity, unrecorded

GalleryOption = Annotated[Path | None, Parameter(help="Gallery file; the user's own by default.")]

gallery_app = App(name="gallery", help="List, remove or export enrolled people.", help_epilogue="", help_format="plaintext")


def enroll(
    name: Annotated[str, Parameter(help="Who is on the pictures.")],
    /,
    *images: Annotated[Path, Parameter(help="Pictures that show this person and nobody else.")],
    gallery: GalleryOption = None,
    detector: Annotated[str, Parameter(help="auto, grey, yunet, dlib-hog, scrfd:PACK, or a model file.")] = "auto",
    embedder: Annotated[str, Parameter(help="dlib, insightface:PACK, or an ONNX file; the same as for run.")] = "dlib",
) -> int:
    """Add pictures of a person to the gallery.

    A picture is refused where it shows nobody, several people, or a face that is too small, too blurred or turned too far;
    the others are still enrolled. The pictures themselves are not kept, only a vector of each.

    For example:

        facestream enroll "Ada Lovelace" ada-1.jpg ada-2.jpg

        facestream enroll visitor-7 photo.png --gallery entrance.sqlite

    Exit code: 0 all pictures are in the gallery, 1 one was refused, 2 the command line is wrong.
    """
    if not images:
        raise UsageError(f"no picture to enrol for {name}: give at least one image file")
    model = open_embedder(VerifyConfig(embedder=embedder), find_model)
    if model is None:
        raise UsageError("the embedder none makes no vectors: choose another to enrol with")
    with (
        closing(model),
        closing(open_detector(DetectConfig(detector=detector), find_model)) as finder,
        Gallery(gallery) as opened,
    ):
        results = enrol_pictures(name, images, finder, model, opened)
        Console().print(_enrolment_table(name.strip(), results, opened.path))
    return 1 if any(result.outcome == "refused" for result in results) else 0


@gallery_app.command(name="list")
def list_people(*, gallery: GalleryOption = None) -> int:
    """Show who is enrolled.

    For example:

        facestream gallery list

        facestream gallery list --gallery entrance.sqlite
    """
    with Gallery(gallery, read_only=True) as opened:
        people = opened.list()
        console = Console()
        if people:
            console.print(_people_table(people))
        console.print(f"{_count(len(people), 'person', 'people')} in {opened.path}", highlight=False, soft_wrap=True)
        if sentence := unrecorded(people):
            console.print(sentence, highlight=False, markup=False, soft_wrap=True)
    return 0


@gallery_app.command
def remove(name: Annotated[str, Parameter(help="As `gallery list` shows it.")], /, *, gallery: GalleryOption = None) -> int:
    """Take a person out; a running engine no longer knows them from its next face on.

    For example:

        facestream gallery remove "Ada Lovelace"
    """
    with Gallery(gallery, read_only=True) as known:
        names = [person.name for person in known.list()]
    if name not in names:
        raise FacestreamError(f"nobody in the gallery is called {name!r}: see `facestream gallery list`")
    with Gallery(gallery) as opened:
        removed = opened.remove(name)
    Console().print(f"removed {name} ({_count(removed, 'picture', 'pictures')})", highlight=False, markup=False)
    return 0


@gallery_app.command
def export(
    path: Annotated[Path, Parameter(help="File to write, .jsonl or .csv.")],
    /,
    *,
    embeddings: Annotated[bool, Parameter(negative=(), help="Also the vectors, which are biometric data.")] = False,
    gallery: GalleryOption = None,
) -> int:
    """Write one line for each enrolled picture.

    For example:

        facestream gallery export people.csv

        facestream gallery export people.jsonl --embeddings
    """
    with Gallery(gallery, read_only=True) as opened:
        rows = opened.export(path, embeddings)
    Console().print(f"wrote {_count(rows, 'picture', 'pictures')} to {path}", highlight=False, markup=False, soft_wrap=True)
    return 0


def _enrolment_table(name: str, results: Sequence[EnrolResult], gallery: Path) -> Table:
    table = Table(title=Text(f"{name} in {gallery}"), title_justify="left")
    for column in ("picture", "outcome", "face px", "sharpness", "frontal", "quality"):
        table.add_column(column, justify="left" if column in ("picture", "outcome") else "right")
    table.add_column("reason", overflow="fold")
    for result in results:
        quality = result.quality
        figures = (
            [f"{quality.size_px:.0f}", f"{quality.sharpness:.2f}", f"{quality.frontal:.2f}", f"{quality.score:.2f}"]
            if quality
            else [""] * 4
        )
        colour = {"enrolled": "green", "duplicate": "yellow", "refused": "red"}[result.outcome]
        table.add_row(Text(result.path.name), Text(result.outcome, colour), *figures, Text(result.reason))
    return table


def _people_table(people: Sequence[Identity]) -> Table:
    table = Table()
    for column in ("name", "pictures", "best quality", "embedder", "last enrolled (UTC)"):
        table.add_column(column, justify="right" if column in ("pictures", "best quality") else "left")
    for person in people:
        table.add_row(
            Text(person.name),
            str(person.pictures),
            f"{person.best_quality:.2f}",
            Text(", ".join(person.embedders)),
            person.last_enrolled_at[:16].replace("T", " "),
        )
    return table


def _count(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"
