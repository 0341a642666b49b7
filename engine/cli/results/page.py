"""``facestream report``: makes the page of a run anew."""

from __future__ import annotations

import os
from pathlib import Path

from engine.archive.reader import read_run
from engine.archive.record import settings
from engine.cli.output.json_lines import write_lines
from engine.cli.output.outside_runs import check_outside_runs
from engine.cli.output.overwriting import check_new
from engine.cli.output.saying import say
from engine.contracts.gallery import GalleryPlace
from engine.desk.recurring import recurring_strangers
from engine.errors import UsageError
from engine.postgres.address import is_postgres
from engine.report.moment import Video
from engine.report.page import settings_of, write_report
from engine.report.portraits import Portraits


def write_page(
    directory: Path, out: Path | None, *, video: Video | None, photographs: Path | None, gallery: GalleryPlace,
    overwrite: bool, as_json: bool,
) -> None:  # fmt: skip
    """Write the page and say where it is; the one in the directory itself is always made anew.

    Raises:
        UsageError: an option cannot be carried out.
        GalleryError: the gallery cannot be read.
        PublishError: the directory holds no run, or the page cannot be written.
    """
    run = read_run(directory)
    if gallery != GalleryPlace() and not photographs:
        raise UsageError("--gallery and --gallery-key say who was enrolled with the photographs: add --photographs FOLDER")
    if out is not None and out.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"{out} does not end with .html, as a page does: give such a name, or add --pdf for a document")
    check_new([out], overwrite=overwrite)
    check_outside_runs(None if out is None or os.path.realpath(out) == os.path.realpath(directory / "report.html") else out)
    portraits = Portraits(_gallery_of(run, gallery), photographs) if photographs else None
    for sentence in portraits.unreadable if portraits else ():
        say(sentence, aside=True)
    tracks, chosen = settings_of(run)
    path = write_report(directory, tracks, video or chosen, out, recurring_strangers(directory), portraits)
    if as_json:
        write_lines([{"out": str(path)}])
    else:
        say(f"report: {path}")


def _gallery_of(run: dict[str, object], given: GalleryPlace) -> GalleryPlace:
    """Return the gallery that was given, else the one that a run compared with."""
    if given.where:
        return given
    verify = settings(run, "verify")
    named = str(verify.get("gallery") or "")
    if is_postgres(named):  # of an address the record keeps neither role nor tenant
        raise UsageError(f"the run compared with a gallery in a database, {named}: name it with --gallery")
    return GalleryPlace(named, given.key_file or str(verify.get("gallery_key_file") or ""))
