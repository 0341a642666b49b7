"""``facestream models``: lists models, and downloads those that are missing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from rich.console import Console
from rich.markdown import Markdown
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table
from rich.text import Text

from engine.cli.output.json_lines import write_lines
from engine.cli.output.saying import say
from engine.cli.output.share_bar import on_terminal
from engine.cli.output.tables import Column, Rows
from engine.cli.setup.models_listed import in_words, listed, remote
from engine.contracts.manifest import Manifest, read_manifest
from engine.errors import UsageError
from engine.models import DOWNLOADABLE, find_model, models_dir
from engine.models.catalog import INSIGHTFACE_NOTE, downloadable, embedded_dir
from engine.models.download import installed_as, pull

models_app = App(name="models", help="List models, show or fetch one.", help_epilogue="")


@models_app.command(name="list")
def list_models(
    *, json: Annotated[bool, Parameter(negative=(), help="Print one object per line, with description and data.")] = False
) -> None:
    """List the installed models and those that can be fetched; * marks what a run uses by default.

    For example:

        facestream models list

        facestream models list --json | jq 'select(.kind == "generator")'
    """
    found = listed()
    if json:
        for one in found:
            write_lines([one])
        return
    console = Console(highlight=False)
    columns = [Column("model", "word"), Column("for"), Column("scale", "number"), Column("size", "number")]
    columns += [Column("licence"), Column("where")]
    rows = [
        (one.name + (" *" if one.is_default else ""), one.kind, one.scale, one.size, one.licence, one.where) for one in found
    ]
    console.print(Rows(columns, rows))
    for one in found:
        if one.problem:
            console.print(Text(one.problem, "red"), soft_wrap=True)
    say("* used unless another one is named")
    say(f"those that are not embedded are in {models_dir()}; `facestream models pull NAME` fetches one")
    say(f"{INSIGHTFACE_NOTE}.")
    say("All that is known of one, with what it was trained on and its figures: facestream models show NAME")


@models_app.command(name="show")
def show_model(name: str, /) -> None:
    """Show a model's licence, data, size, figures, and its card if it has one.

    For example:

        facestream models show compact_fine_x4

    Parameters
    ----------
    name
        As `facestream models list` shows it, or the path of a manifest.
    """
    console = Console(highlight=False)
    if (entry := downloadable(name)) is not None:
        one = remote(entry)
        how = f"; `facestream models pull {one.name}` fetches it" if one.where == "not fetched" else ""
        console.print(Text(f"{one.name}: {one.kind}, {one.licence}, {one.size}, {one.where}{how}"), soft_wrap=True)
        console.print(Text(one.description), soft_wrap=True)
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
def pull_model(name: str, /, *, accept_licence: bool = False, url: str = "") -> None:
    """Fetch a model and check it against its known SHA-256.

    For example:

        facestream models pull yunet --accept-licence

    Parameters
    ----------
    name
        As `facestream models list` shows it.
    accept_licence
        Without this the licence is shown and nothing is fetched.
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
    if not accept_licence:
        raise UsageError(f"{entry.name} is under the licence {entry.licence}: add --accept-licence to fetch it")
    columns = TextColumn(entry.name), BarColumn(), DownloadColumn(), TransferSpeedColumn()
    with on_terminal(Progress(*columns, console=console, transient=True)) as bar:
        task = bar.add_task(entry.name, total=entry.size_bytes)
        path = pull(entry, models_dir(), url or None, lambda held, total: bar.update(task, completed=held, total=total))
    console.print(f"installed {path}", soft_wrap=True, markup=False)


def _facts(manifest: Manifest, path: Path) -> Iterator[tuple[str, str]]:
    yield "name", manifest.name
    yield "kind", manifest.kind + (f", x{manifest.scale}" if manifest.scale > 1 else "")
    if manifest.description:
        yield "what", manifest.description
    file = path.with_name(manifest.file)
    yield "file", f"{file}, {in_words(file.stat().st_size)}" + (f", output {manifest.output}" if manifest.output else "")
    yield "SHA-256", manifest.sha256
    yield "licence", manifest.licence
    yield "data", manifest.training_data or "not stated"
    if manifest.source_url:
        yield "source", manifest.source_url
    if manifest.parameters:
        yield "parameters", f"{manifest.parameters:,}"
    yield "figures", "\n".join(f"{key} {value:g}" for key, value in manifest.figures.items()) or "none"
