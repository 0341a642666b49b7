"""What a wheel and a source distribution hold, as hatchling chooses it; no network."""

import importlib
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.patience import PATIENCE_SECONDS

pytest.importorskip("hatchling", reason="needs the build backend")

from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

import engine.client
from engine.contracts.manifest import read_manifest

ROOT = Path(__file__).parents[1]
MODELS = ROOT / "engine" / "models"
FACESTREAM = "engine/_facestream.py"
"""What ``import facestream`` imports, where it is installed."""
LARGEST_MODELS_BYTES = 16_000_000
TEXT = (".py", ".md", ".yaml", ".json", ".toml", ".txt")
PRIVATE = re.compile(r"\.\./shared|/home/|/root/|(?<![\w.])runs/[a-z0-9]")
"""Paths of whoever developed it. `runs/NAME`, where commands put a run, is the user's own."""


def included(builder):
    """The files that a builder takes, by their path in what it builds; to compress 16 MB would take seconds."""
    return {file.distribution_path: Path(file.path).read_bytes() for file in builder(str(ROOT)).recurse_included_files()}


@pytest.fixture(scope="module")
def wheel():
    return included(WheelBuilder)


@pytest.fixture(scope="module")
def sdist():
    return included(SdistBuilder)


def test_the_wheel_holds_the_packages_and_nothing_else(wheel):
    assert {name.split("/")[0] for name in wheel} == {"engine", "trt_build", "facestream"}
    sources = {str(path.relative_to(ROOT)) for package in ("engine", "trt_build") for path in (ROOT / package).rglob("*.py")}
    assert {name for name in wheel if name.endswith(".py")} == sources - {FACESTREAM} | {"facestream/__init__.py"}
    own = {name for name in wheel if not name.startswith("engine/configs/")}
    assert {Path(name).suffix for name in own} <= {
        ".py", ".typed", ".html", ".css", ".js", ".svg", ".onnx", ".json", ".npz", ".md", ".jpg",
    }  # fmt: skip
    assert {f"{package}/py.typed" for package in ("engine", "trt_build", "facestream")} <= wheel.keys()


def test_the_wheel_holds_every_example_and_recipe(wheel):
    inside = {name.removeprefix("engine/") for name in wheel if name.startswith("engine/configs/")}
    assert inside == {str(path.relative_to(ROOT)) for path in (ROOT / "configs").rglob("*.*")}


def test_facestream_is_the_client(wheel, tmp_path):
    (tmp_path / "facestream").mkdir()
    (tmp_path / "facestream" / "__init__.py").write_bytes(wheel["facestream/__init__.py"])
    program = "import engine.client, facestream; print(facestream.load_run is engine.client.load_run, *facestream.__all__)"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert done.stdout.split() == ["True", *engine.client.__all__, "__version__"], done.stderr


def test_the_client_loads_where_there_is_no_linux():
    """As much of Windows as can be had here: it lacks these modules."""
    program = "import sys; sys.modules |= dict.fromkeys(('fcntl', 'termios', 'resource', 'pwd', 'grp')); import engine.client"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, timeout=PATIENCE_SECONDS, check=True)


def test_the_models_are_those_that_the_live_side_opens(wheel):
    models = {name: data for name, data in wheel.items() if name.startswith("engine/models/")}
    assert sum(map(len, models.values())) <= LARGEST_MODELS_BYTES
    described = {read_manifest(path).file for path in MODELS.glob("*.json")} | {
        "dlib_small.npz",
        "dlib_open_set.npz",
        "dlib_face_weights.npz",
        "dlib_likelihood.npz",
    }
    assert {Path(name).name for name in models if name.endswith((".onnx", ".npz"))} == described


def test_every_model_has_its_card(wheel):
    files = [name for name in wheel if name.startswith("engine/models/") and name.endswith((".onnx", ".npz"))]
    assert len(files) > 10
    for name in files:
        card = wheel[str(Path(name).with_suffix(".md"))].decode()
        for link in re.findall(r"\]\((\w+\.md)\)", card):
            assert f"engine/models/{link}" in wheel, f"{name}'s card names {link}"


def test_the_commands_and_the_entry_points_are_there(wheel):
    core = WheelBuilder(str(ROOT)).metadata.core
    places = [*core.scripts.values(), *(place for group in core.entry_points.values() for place in group.values())]
    assert len(places) == 3
    for place in places:
        module, name = place.split(":")
        assert {f"{module.replace('.', '/')}.py", f"{module.replace('.', '/')}/__init__.py"} & wheel.keys()
        assert hasattr(importlib.import_module(module), name)


def test_the_source_distribution_can_be_built_tested_and_trained_from(sdist):
    chosen = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"]["sdist"]
    assert {"engine", "trt_build", "configs", "tests", "docs", "deploy", "README.md", "LICENSE", "Makefile"} <= set(
        chosen["include"]
    )
    own = {name.split("/")[0] for name in sdist} - {"pyproject.toml", "PKG-INFO", ".gitignore"}
    assert own == set(chosen["include"]), "what is named is there, and nothing else is"
    assert {f"configs/train/{path.name}" for path in (ROOT / "configs" / "train").glob("*.yaml")} <= sdist.keys()
    assert not {name for name in sdist if name.endswith((".safetensors", ".pt", ".pyc", ".partial"))}


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_nothing_names_a_developers_paths(request, kind):
    files = request.getfixturevalue(kind)
    own = ("tests/", "docs/", "configs/", "engine/configs/", "PKG-INFO")  # commands of a working copy may name its runs
    found = []
    for name, data in files.items():
        if name.endswith(TEXT) and not (kind == "sdist" and name == "tests/test_distribution.py"):
            text = data.decode()
            hits = PRIVATE.findall(text) if not name.startswith(own) else re.findall(r"\.\./shared", text)
            found += [f"{name}: {hit}" for hit in hits]
    assert found == []
