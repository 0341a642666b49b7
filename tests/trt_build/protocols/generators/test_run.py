"""The whole command on real faces, models and files, but few of each."""

import json
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("dlib", reason="landmarks of the sharp face are dlib's")
pytest.importorskip("jinja2", reason="the page is a Jinja2 template")
pytest.importorskip("matplotlib", reason="curves are drawn by matplotlib")

from engine.contracts.manifest import read_manifest
from tests.trt_build.protocols.generators.networks import repeating
from trt_build import cli
from trt_build.protocols.generators.run import ABOUT
from trt_build.systems.generator.smoke import smoke_faces


@pytest.fixture
def data(tmp_path):
    images = smoke_faces(4, 0).images
    with zipfile.ZipFile(tmp_path / "faces.zip", "w") as file:
        for index, image in enumerate(images):
            file.writestr(f"P{index // 2}/P{index // 2}_{index}.png", cv2.imencode(".png", image)[1].tobytes())
    return tmp_path / "faces.zip"


def run(*arguments):
    return cli.main(["evaluate", *map(str, arguments)])


def test_faces_from_the_command_line(tmp_path, data, capsys):
    model = repeating(tmp_path, "srgan_x4", 4)
    out = tmp_path / "out"
    code = run(
        model, "--protocol", "faces", "--data", data, "--out", out, "--rounds", 5, "--cache", tmp_path / "cache", "--record"
    )
    assert code == 0
    assert "srgan_x4" in capsys.readouterr().out
    found = json.loads((out / "results.json").read_text())
    assert found["data"]["faces"] == 4
    assert found["data"]["pairs of one person"] == 2
    assert {row["method"] for row in found["rows"]} == {"bicubic", "lanczos4", "srgan_x4", "srgan_x4 + bicubic"}
    assert "Only 4 pairs of strangers" in found["about"][-1]
    assert found["papers"][0]["measured"] == ["srgan_x4"]
    assert (out / "results.html").stat().st_size > 20_000
    assert len((out / "results.csv").read_text().splitlines()) == 1 + len(found["rows"])
    assert "cosine_16px_network" in read_manifest(model.with_suffix(".json")).figures


def test_general_without_models_is_the_interpolations_at_all_scales(tmp_path, capsys):
    picture = cv2.GaussianBlur(np.random.default_rng(0).random((48, 48, 3)), (0, 0), 2) * 255
    (tmp_path / "sets" / "SetX").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "sets" / "SetX" / "x.png"), picture)
    assert run("--protocol", "general", "--data", tmp_path / "sets", "--out", tmp_path / "out") == 0
    found = json.loads((tmp_path / "out" / "results.json").read_text())
    assert len(found["rows"]) == 9
    assert found["curves"] == []
    assert "bicubic (a=-0.5)" in capsys.readouterr().out


@pytest.mark.parametrize("protocol", ABOUT)
def test_a_page_of_results_says_how_it_was_measured_as_the_command_does(protocol):
    text = " ".join((Path(__file__).parents[4] / f"docs/results/{protocol}.md").read_text(encoding="utf-8").split())
    assert [sentence for sentence in ABOUT[protocol] if f"- {sentence}" not in text] == []


def test_wrong_input_is_one_sentence(tmp_path, data, capsys):
    for arguments, code, words in (
        (["--data", data, "nothing"], 2, "no generator"),
        (["--data", data, repeating(tmp_path, "colour", 4, channels=3)], 2, "3 channels"),
        (["--data", tmp_path / "none.zip"], 1, "do not exist"),
        (["--data", data, "--lpips-weights", tmp_path / "none.pth"], 2, "none.pth"),
        (["--data", data, "--against", "nobody"], 2, "gains can be over bicubic, lanczos4"),
        (["--data", data, "--against", "lanczos4", "--record"], 2, "without --against"),
        (["--data", data, "--second-embedder", tmp_path / "none.onnx"], 2, "none.onnx"),
    ):
        assert run("--protocol", "faces", "--cache", tmp_path / "cache", *arguments) == code
        error = capsys.readouterr().err
        assert words in error
        assert "Traceback" not in error
