"""``facestream licences``: what is installed, and under which licences."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter
from rich.console import Console

from engine.cli.output.json_lines import write_lines
from engine.cli.output.overwriting import check_new
from engine.cli.output.plain import plain
from engine.cli.output.saying import say
from engine.cli.output.tables import Column, Rows
from engine.errors import FacestreamError
from engine.licences import Component, bill_of_materials, components
from engine.licences.spdx import asks
from engine.whole_file import write_whole
from engine.words.numbers import count

_DOUBTFUL = ("no commerce", "unknown")


def licences(
    *,
    extra: Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative="")] = (),
    sbom: Path | None = None,
    overwrite: Annotated[bool, Parameter(negative=())] = False,
    strict: bool = False,
    json: bool = False,
) -> int:
    """List what is installed with facestream, with the licences, and write a bill of materials.

    "Asks for" says what a licence requires if you pass the program on: little (a notice),
    its own source (LGPL, MPL), the whole source (GPL), no commerce (commercial use is
    forbidden or not granted). It rests on what the packages say about themselves, and is
    not legal advice.

    For example:

        facestream licences

        facestream licences --sbom facestream.cdx.json --strict

        facestream licences --extra openvino --json

    Parameters
    ----------
    extra
        Also what these extras of facestream need.
    sbom
        Write a CycloneDX 1.6 document into this file.
    overwrite
        Replace an existing ``--sbom``.
    strict
        Exit code 1 if a licence is unknown or forbids commercial use.
    json
        Print one line of JSON for each package and model, and nothing else.
    """
    check_new([sbom], overwrite=overwrite)
    found = components(extra)
    if sbom is not None:
        try:
            write_whole(sbom, msgspec.json.format(msgspec.json.encode(bill_of_materials(found)), indent=2) + b"\n")
        except OSError as error:
            raise FacestreamError(f"cannot write {sbom}: {error.strerror}") from error
    doubtful = [one for one in found if one.asks in _DOUBTFUL]
    if json:
        for one in found:
            write_lines([one])
    else:
        Console().print(_table(found))
        for one in found:
            if one.note:
                say(f"{one.name}: {one.note}")
        say(_sentence(found, doubtful))
        if sbom is not None:
            say(f"wrote {sbom}")
    return int(strict and bool(doubtful))


def _sentence(found: list[Component], doubtful: list[Component]) -> str:
    packages = sum(one.kind == "package" for one in found)
    said = f"{count(packages, 'package')} and {count(len(found) - packages, 'model')}"
    if not doubtful:
        return f"{said}; none forbids commercial use, and all state their licence"
    return f"{said}; look at {', '.join(f'{one.name} ({one.asks})' for one in doubtful)}"


def _table(found: list[Component]) -> Rows:
    columns = [Column("name", "word"), Column("version", "word"), Column("licence"), Column("inside, where it asks for more")]
    return Rows([*columns, Column("asks for")], map(_row, found))


def _row(one: Component) -> list[str]:
    inside = sorted(
        {plain(f"{library.name} {library.licence}") for library in one.bundles if asks(library.licence) != "little"}
    )
    return [*map(plain, (one.name, one.version, one.licence)), "\n".join(inside), one.asks]
