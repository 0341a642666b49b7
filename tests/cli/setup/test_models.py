"""``facestream models``."""

from __future__ import annotations

import json
import shutil

import pytest

from engine.cli.setup.models_listed import default_models
from engine.config import SuperResolveConfig
from engine.contracts.manifest import read_manifest
from engine.models import DOWNLOADABLE, embedded_manifests, find_model
from tests.assets import shared
from tests.cli.command import complains, here
from tests.super_resolve.networks import describe


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FACESTREAM_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("COLUMNS", "300")
    return tmp_path / "models"


def test_the_list_shows_what_is_here_and_what_can_be_fetched(capsys):
    shown = here(capsys, "models", "list")
    assert (shown.code, shown.err) == (0, "")
    for path in embedded_manifests():
        manifest = read_manifest(path)
        assert manifest.name in shown.out
        assert manifest.licence in shown.out
    for entry in DOWNLOADABLE:
        line = next(line for line in shown.out.splitlines() if entry.name in line.split())
        assert "not fetched" in line
        assert entry.licence in line
    assert "insightface-cli model.download" in shown.out


def test_the_list_is_a_table_without_figures_that_marks_the_defaults(capsys, monkeypatch):
    """It was 14 blocks with 90 lines of figures, and did not say which of them a run uses."""
    monkeypatch.setenv("COLUMNS", "100")
    out = here(capsys, "models", "list").out
    assert len(out.splitlines()) < 30
    assert "psnr" not in out
    assert {line.split()[1] for line in out.splitlines() if " * " in line} == {
        SuperResolveConfig().generator, "compact_track_x4", "grey", "second_look", "dlib",
    }  # fmt: skip


def test_the_list_for_programs_says_what_each_is(capsys):
    lines = [json.loads(line) for line in here(capsys, "models", "list", "--json").out.splitlines()]
    assert {path.stem for path in embedded_manifests()} < {line["name"] for line in lines}
    (grey,) = [line for line in lines if line["name"] == "grey"]
    assert (grey["kind"], grey["is_default"], grey["where"]) == ("detector", True, "embedded")
    assert grey["data"]


def test_the_defaults_are_those_of_a_run():
    for kind, name in default_models().items():
        found = find_model(name)
        assert found is not None
        assert kind.replace(" ", "_").removesuffix("_picture") == read_manifest(found).kind


def test_a_broken_manifest_and_a_spoilt_file_are_shown_as_such(capsys, folder):
    folder.mkdir()
    (folder / "mine.json").write_text("{}")
    (folder / DOWNLOADABLE[0].file).write_bytes(b"spoilt")
    shown = here(capsys, "models", "list")
    assert "mine" in shown.out
    assert "is not a model manifest" in shown.out
    assert "corrupt; pull it again" in shown.out


def test_a_manifest_for_one_output_names_it(capsys, folder):
    folder.mkdir()
    (folder / "two.onnx").write_bytes(b"not read")
    describe(folder / "two.onnx", output="enhanced_x4")
    assert "two.onnx, 0 kB, output enhanced_x4" in here(capsys, "models", "show", "two").out


def test_a_fetched_model_is_shown_where_it_is_and_not_fetched_again(capsys, folder):
    folder.mkdir()
    shutil.copy(shared("models/face_detection_yunet_2023mar.onnx"), folder)
    out = here(capsys, "models", "list").out
    line = next(line for line in out.splitlines() if "yunet" in line.split())
    assert "yunet *" in line  # from now on it is the default
    assert " fetched " in line
    assert f"in {folder}" in out
    assert "is already at" in here(capsys, "models", "pull", "yunet").out


@pytest.mark.parametrize("path", embedded_manifests(), ids=lambda path: path.stem)
def test_all_that_is_known_of_a_model_is_shown_with_its_card(capsys, path):
    manifest = read_manifest(path)
    shown = here(capsys, "models", "show", manifest.name)
    assert (shown.code, shown.err) == (0, "")
    for fact in (manifest.sha256, manifest.licence, manifest.training_data, f"{manifest.parameters:,}", *manifest.figures):
        assert fact in shown.out
    card = path.with_name(manifest.file).with_suffix(".md").read_text(encoding="utf-8")
    for heading in (line.lstrip("# ") for line in card.splitlines() if line.startswith("## ")):
        assert heading in shown.out


def test_a_model_that_can_be_fetched_is_shown_with_how(capsys):
    assert "facestream models pull yunet" in here(capsys, "models", "show", "yunet").out


def test_a_model_without_a_manifest_is_one_sentence(capsys):
    complains(here(capsys, "models", "show", "nix"), 2, "there is no manifest of a model 'nix' here")


def test_nothing_is_fetched_without_a_yes_to_the_licence(capsys, folder):
    outcome = here(capsys, "models", "pull", "yunet")
    complains(outcome, 2, "under the licence MIT: add --accept-licence")
    assert "licence: MIT" in outcome.out
    assert not folder.exists()


def test_an_unknown_model_is_one_sentence(capsys):
    complains(
        here(capsys, "models", "pull", "nix", "--accept-licence"), 2, "there is no model 'nix' to fetch: use one of yunet"
    )


def test_no_network_is_one_sentence_and_1(capsys):
    outcome = here(capsys, "models", "pull", "yunet", "--accept-licence", "--url", "http://127.0.0.1:9/yunet")
    complains(outcome, 1, "cannot fetch yunet from http://127.0.0.1:9/yunet", "check the network")


def test_another_scheme_is_refused(capsys):
    complains(here(capsys, "models", "pull", "yunet", "--accept-licence", "--url", "file:///x"), 2, "give an http or https URL")
