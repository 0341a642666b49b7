"""The command line: errors are one sentence with the right exit code."""

from pathlib import Path

import cv2
import numpy as np
import pytest

import engine
from trt_build import cli

RECIPE = "name: a\ndata: {train: missing.zip, validation: missing.zip}\nbudget: {steps: 1}\n"


def run(capsys, *arguments):
    code = cli.main([str(argument) for argument in arguments])
    return code, capsys.readouterr().err.strip()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["train", "nothing"], 2, "known: compact"),
        (["train"], 2, "RECIPE"),
        (["train", "compact", "--fast"], 2, "--fast"),
        (["evaluate", "x.onnx"], 2, "protocol"),
        (["evaluate", "x.onnx", "--protocol", "taste"], 2, "faces"),
        (["evaluate", "x.onnx", "--protocol", "faces", "--data", "faces"], 2, "manifest"),
        (["evaluate", "x.onnx", "--protocol", "faces"], 2, "--data is missing: give it, or set FACESTREAM_DATA"),
        (["evaluate", "--protocol", "general"], 2, "holds data/general_sr/test.zip"),
        (["evaluate", "--protocol", "footage"], 2, "holds video/asl_h*.mkv"),
    ],
)
def test_wrong_use(capsys, tmp_path, monkeypatch, arguments, code, words):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FACESTREAM_DATA", raising=False)
    found, text = run(capsys, *arguments)
    assert found == code
    assert words.lower() in text.lower()
    assert "Traceback" not in text


@pytest.mark.parametrize("share", ["-0.1", "2", "nan"])
@pytest.mark.parametrize(
    "command",
    [
        "detector export a.pt --out out --share",
        "second-look export a.pt --out out --share",
        "export a.pt --out out --start-share",
    ],
)
def test_a_share_is_from_0_to_1(capsys, command, share):
    code, text = run(capsys, *command.split(), share)
    assert code == 2
    assert command.split()[-1] in text
    assert "use a number from 0 to 1" in text.lower()


@pytest.mark.parametrize("score", [[], ["--min-score", "0.4"], ["--sure-score", "0.6"]])
def test_a_blended_detector_needs_both_scores(capsys, score):
    pytest.importorskip("torch", reason="exporting needs torch")
    code, text = run(capsys, "detector", "export", "a.pt", "--out", "out", "--blend", "b.onnx", *score)
    assert code == 2
    assert "--blend needs --min-score and --sure-score" in text


def test_missing_data_and_unknown_key(capsys, tmp_path):
    pytest.importorskip("torch", reason="training needs torch")
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE)
    code, text = run(capsys, "train", path, "--out", tmp_path / "run")
    assert code == 1
    assert "missing.zip" in text
    path.write_text(RECIPE + "spead: 3\n")
    code, text = run(capsys, "train", path, "--out", tmp_path / "run")
    assert code == 2
    assert "spead" in text


@pytest.mark.parametrize(
    "command", [["train", "srcnn_x4"], ["redeg", "train"], ["embedder", "train", "low_resolution_embedder"]]
)
def test_without_the_folder_of_data_it_is_asked_for(capsys, tmp_path, monkeypatch, command):
    pytest.importorskip("torch", reason="training needs torch")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FACESTREAM_DATA", raising=False)
    code, text = run(capsys, *command, "--out", "run")
    assert code == 1
    assert "'$FACESTREAM_DATA/" in text
    assert text.endswith("Set FACESTREAM_DATA to the folder of the data.")


@pytest.mark.parametrize("system", ["detector", "second-look", "embedder", "redeg"])
def test_every_system_has_the_same_train(capsys, system):
    assert cli.main([system, "train", "--help"]) == 0
    text = " ".join(capsys.readouterr().out.replace("`", "").split())
    for words in ("RECIPE", "runs/NAME if not given", "Continue the run", "instead of the recipe's budget"):
        assert words in text


@pytest.mark.parametrize(
    "command",
    [
        ["train", "compact"],
        ["detector", "train", "grey_detector"],
        ["detector", "evaluate", "none.json", "none.mkv"],
        ["detector", "compare", "none.json"],
        ["embedder", "train", "low_resolution_embedder"],
        ["second-look", "train", "second_look"],
        ["redeg", "train"],
    ],
)
def test_missing_torch_says_what_to_install(capsys, monkeypatch, tmp_path, command):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.chdir(tmp_path)
    code, text = run(capsys, *command)
    assert code == 1
    assert "facestream[train]" in text


@pytest.mark.parametrize(
    ("recipe", "code", "words"),
    [
        ("data: {train: cut.zip, validation: cut.zip}", 1, "'cut.zip' cannot be read"),
        ("data: {train: small, validation: small}", 1, "'small' have 20 px, and the recipe asks for truth of 128 px"),
        ("data: {train: small, kind: photographs}", 1, "one in 10 is kept apart for validation"),
        ("data: {train: small, validation: small, kind: photographs}", 1, "No photograph is 128 px high and wide"),
        ("data: {train: small, validation: small}\nloss: {pixel: l3}", 2, "unknown value 'l3'"),
        ("data: {train: small, validation: small, scale: 2}", 2, "gives x4, and data.scale is 2"),
        ("data: {train: small, validation: small}\ngenerator: {name: none}", 2, "no generator 'none'"),
    ],
)
def test_what_cannot_be_trained_is_one_sentence(capsys, tmp_path, monkeypatch, recipe, code, words):
    pytest.importorskip("torch", reason="training needs torch")
    monkeypatch.chdir(tmp_path)
    Path("cut.zip").write_bytes(b"PK\x03\x04 and no end")
    Path("small").mkdir()
    cv2.imwrite("small/a.png", np.zeros((20, 20), np.uint8))
    Path("recipe.yaml").write_text(f"name: a\nbudget: {{steps: 1}}\n{recipe}\n")
    found, text = run(capsys, "train", "recipe.yaml", "--out", "run")
    assert (found, text.startswith("error: "), "\n" in text) == (code, True, False)
    assert words in text


def test_faces_of_one_person_cannot_be_evaluated(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("faces/Ada").mkdir(parents=True)
    for number in range(2):
        cv2.imwrite(f"faces/Ada/{number}.png", np.zeros((128, 128), np.uint8))
    found, text = run(capsys, "evaluate", "compact_fine_x4", "--protocol", "faces", "--data", "faces")
    assert (found, text.startswith("error: "), "\n" in text) == (1, True, False)
    assert "'faces' are of one person" in text


def test_export_of_nothing(capsys, tmp_path):
    pytest.importorskip("torch", reason="exporting needs torch")
    code, text = run(capsys, "export", tmp_path / "none.pt", "--out", tmp_path)
    assert code == 1
    assert "no checkpoint" in text


def test_smoke_then_resume_rules(capsys, tmp_path, monkeypatch):
    pytest.importorskip("torch", reason="training needs torch")
    from trt_build.recipes.timed import BudgetSpec
    from trt_build.systems.generator import run as training
    from trt_build.systems.generator.smoke import smoke_recipe

    def brief(recipe):
        import msgspec

        options = {"width": 8, "blocks": 1}
        generator = msgspec.structs.replace(recipe.generator, options=options)
        budget = BudgetSpec(steps=2)
        return msgspec.structs.replace(smoke_recipe(recipe), generator=generator, budget=budget)

    monkeypatch.setattr(training, "smoke_recipe", brief)
    assert cli.main(["train", "compact", "--smoke", "--out", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "2 steps" in out
    code, text = run(capsys, "train", "compact", "--smoke", "--out", tmp_path)
    assert code == 2
    assert "--resume" in text
    assert cli.main(["train", "compact", "--smoke", "--resume", "--out", str(tmp_path)]) == 0


def pages(command, words=()):
    """Yield the words of each page of help."""
    yield words
    for name in command:
        if not name.startswith("-"):
            yield from pages(command[name], (*words, name))


def test_every_page_of_help_fits_on_two_screens_and_the_version_is_said(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    for words in pages(cli.app):
        assert cli.main([*words, "--help"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines[0].startswith("Usage: trt-build"), words
        assert len(lines) <= 48, words
        assert max(map(len, lines)) <= 80, words
    for words in ([], ["build"], ["embedder", "train"]):
        assert cli.main([*words, "--version"]) == 0
        assert capsys.readouterr().out == f"{engine.__version__}\n"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["train", "compact"], "Stopped. Training goes on with --resume, from the last checkpoint.\n"),
        (["redeg", "train", "redeg_networks"], "Stopped. Training goes on with --resume, from the last checkpoint.\n"),
        (["tune"], "Stopped. Engines that were finished stay, nothing else is left.\n"),
        (["evaluate", "srcnn_x4"], "Stopped.\n"),
        (["likelihood", "fit"], "Stopped.\n"),
        (["export", "best.pt"], "Stopped.\n"),
    ],
)
def test_who_interrupts_is_told_what_stays(capsys, monkeypatch, command, said):
    def interrupted(*given, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "app", interrupted)
    assert cli.main(command) == 130
    assert capsys.readouterr().err == said
