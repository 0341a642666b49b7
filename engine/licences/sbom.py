"""The bill of materials: CycloneDX 1.6 as JSON."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from engine import __version__
from engine.licences.bundled import Library
from engine.licences.installed import ROOT, Component
from engine.licences.spdx import UNKNOWN


def bill_of_materials(found: Sequence[Component]) -> dict[str, Any]:
    """Return a CycloneDX 1.6 document.

    Args:
        found: of ``components``.
    """
    packages = {one.name: one for one in found if one.kind == "package"}
    root = packages.get(ROOT)
    models = [_ref(one) for one in found if one.kind == "model"]
    needs = [
        {
            "ref": _ref(one),
            "dependsOn": sorted({*(_ref(packages[name]) for name in one.needs), *(models if one.name == ROOT else ())}),
        }
        for one in packages.values()
    ]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid4()}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
            "tools": {"components": [{"type": "application", "name": ROOT, "version": __version__}]},
            **({"component": _component(root)} if root else {}),
        },
        "components": [_component(one) for one in found if one is not root],
        "dependencies": needs,
    }


def _ref(one: Component) -> str:
    return f"pkg:pypi/{one.name}@{one.version}" if one.kind == "package" else f"model:{one.name}@{one.version}"


def _component(one: Component) -> dict[str, Any]:
    told: dict[str, Any] = {
        "type": "machine-learning-model" if one.kind == "model" else "application" if one.name == ROOT else "library",
        "bom-ref": _ref(one),
        "name": one.name,
        "version": one.version,
    }
    if one.kind == "package":
        told["purl"] = _ref(one)
    if one.note:
        told["description"] = one.note
    if licences := _licences(one.licence):
        told["licenses"] = licences
    if one.sha256:
        told["hashes"] = [{"alg": "SHA-256", "content": one.sha256}]
    if one.homepage:
        told["externalReferences"] = [{"type": "website", "url": one.homepage}]
    if one.bundles:
        told["components"] = [_library(one, library) for library in one.bundles]
    return told


def _library(of: Component, library: Library) -> dict[str, Any]:
    told = {"type": "library", "bom-ref": f"{_ref(of)}#{library.name}", "name": library.name}
    licences = _licences(library.licence)
    return told | ({"licenses": licences} if licences else {})


def _licences(expression: str) -> list[dict[str, Any]]:
    return [] if expression == UNKNOWN else [{"expression": expression}]
