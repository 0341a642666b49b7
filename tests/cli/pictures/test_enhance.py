"""``facestream enhance``: single pictures."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage import data

from engine.cli.pictures import enhance, enhance_results
from engine.super_resolve.interpolation import Interpolation
from tests.cli.command import complains, here


def test_a_picture_is_enlarged_beside_itself_and_says_what_it_is(capsys, face):
    shown = here(capsys, "enhance", face)
    assert (shown.code, shown.err) == (0, "")
    assert "40x40 to 160x160" in shown.out
    with Image.open(face.with_name("face-enhanced.png")) as result:
        assert result.size == (160, 160)
        assert result.text["Comment"] == "AI-enhanced by facestream compact_fine_x4; not for identification"
        enlarged = np.asarray(result.convert("RGB"))[:, :, ::-1]
    original = cv2.imread(str(face))
    back = cv2.resize(enlarged, (40, 40), interpolation=cv2.INTER_AREA)
    assert cv2.PSNR(back, original) > 30


def test_for_a_program_each_result_is_an_object(capsys, face, monkeypatch):
    monkeypatch.setattr(enhance, "open_generator", lambda *_, **__: Interpolation("bicubic"))
    shown = here(capsys, "enhance", face, face.with_name("none.png"), "--json")
    told = json.loads(shown.out)
    assert (told["result"], told["size"], told["result_size"]) == (str(face.with_name("face-enhanced.png")), "40x40", "160x160")
    assert (shown.code, "none.png" in shown.err) == (1, True)


def test_engines_that_were_built_change_no_exhibit(capsys, face, monkeypatch):
    """What was made of a picture used to depend on whether `trt-build tune` had run on the machine."""
    asked = []
    monkeypatch.setattr(enhance, "open_generator", lambda config, *_, **__: asked.append(config) or Interpolation("bicubic"))
    assert here(capsys, "enhance", face).code == 0
    assert [(config.precision, config.engines) for config in asked] == [("float32", "none")]


def test_strength_nothing_is_bicubic_and_another_folder_is_made(capsys, face, tmp_path):
    assert here(capsys, "enhance", face, "--strength", 0, "--out", tmp_path / "a" / "b").code == 0
    result = cv2.imread(str(tmp_path / "a" / "b" / "face-enhanced.png"))
    expected = cv2.resize(cv2.imread(str(face)), (160, 160), interpolation=cv2.INTER_CUBIC)
    assert cv2.PSNR(result, expected) > 28  # chroma is halved on the way


def test_a_bad_picture_does_not_stop_the_others(capsys, face, tmp_path):
    (tmp_path / "text.png").write_text("no picture")
    shown = here(capsys, "enhance", tmp_path / "none.png", tmp_path / "text.png", face)
    assert shown.code == 1
    assert "No such file" in shown.out
    assert "is not a picture" in shown.out
    assert face.with_name("face-enhanced.png").exists()


def test_a_result_does_not_take_the_place_of_another(capsys, face, tmp_path):
    (tmp_path / "b").mkdir()
    twin = tmp_path / "b" / "face.png"
    cv2.imwrite(str(twin), 255 - cv2.imread(str(face)))
    shown = here(capsys, "enhance", face, twin, "--out", tmp_path / "r")
    assert shown.code == 1
    assert "would also be the result of another of these pictures" in " ".join(shown.out.split())
    kept = cv2.resize(cv2.imread(str(tmp_path / "r" / "face-enhanced.png")), (40, 40), interpolation=cv2.INTER_AREA)
    assert cv2.PSNR(kept, cv2.imread(str(face))) > 30


def test_a_result_that_cannot_be_written_is_one_sentence(capsys, face):
    complains(here(capsys, "enhance", face, "--out", face / "below a file"), 2, "is not a directory: choose another one")


def test_a_result_that_is_there_is_replaced_only_when_asked_for(capsys, face):
    result = face.with_name("face-enhanced.png")
    result.write_bytes(b"a day's work")
    shown = here(capsys, "enhance", face)
    assert shown.code == 1
    assert "is there already" in " ".join(shown.out.split())
    assert result.read_bytes() == b"a day's work"
    assert here(capsys, "enhance", face, "--overwrite").code == 0
    assert here(capsys, "enhance", face.parent, "--overwrite").code == 0
    assert not face.with_name("face-enhanced-enhanced.png").exists()  # a result is not a picture of the folder


def test_nothing_is_loaded_for_pictures_that_are_not_there(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(enhance, "open_generator", lambda *_, **__: pytest.fail("a model was loaded"))
    for missing in (tmp_path / "none.png", tmp_path / "none*.png", tmp_path):
        assert here(capsys, "enhance", missing).code == 2


def test_the_faces_of_a_photograph_are_found_and_enlarged_alone(capsys, tmp_path):
    photo = tmp_path / "photo.png"
    cv2.imwrite(str(photo), data.astronaut()[:, :, ::-1])
    shown = here(capsys, "enhance", photo, "--faces")
    assert (shown.code, shown.err) == (0, "")
    with Image.open(tmp_path / "photo-face-1-enhanced.png") as result:
        assert 200 < result.width < 1200
    cv2.imwrite(str(photo), np.full((64, 64, 3), 90, np.uint8))
    shown = here(capsys, "enhance", photo, "--faces", "--overwrite")
    assert shown.code == 1
    assert "shows no face" in " ".join(shown.out.split())


def test_a_photograph_whose_result_would_be_too_large_says_what_to_do(capsys, face, monkeypatch):
    monkeypatch.setattr(enhance_results, "MOST_RESULT_PX", 1000)
    shown = here(capsys, "enhance", face)
    assert shown.code == 1
    assert "add --faces" in " ".join(shown.out.split())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "IMAGES is missing"),
        (("x.png", "--strength", "2"), "--strength 2 must be 0 to 1"),
        (("x.png", "--zero-shot", "--generator", "compact_x4"), "remove --generator"),
    ],
)
def test_wrong_use_is_one_sentence(capsys, arguments, says):
    complains(here(capsys, "enhance", *arguments), 2, says)


def test_zero_shot_learns_from_the_picture_alone(capsys, face, monkeypatch):
    pytest.importorskip("torch", reason="zero-shot learning needs torch")
    from dataclasses import replace

    from trt_build.systems.zero_shot import generator

    monkeypatch.setattr(generator, "SURVEILLANCE", replace(generator.SURVEILLANCE, width=4, steps=3))
    shown = here(capsys, "enhance", face, "--zero-shot")
    assert (shown.code, shown.err) == (0, "")
    assert "40x40 to 80x80" in shown.out
    with Image.open(face.with_name("face-enhanced.png")) as result:
        assert "zero-shot" in result.text["Comment"]


def test_a_name_of_a_picture_is_a_file_and_not_a_folder(capsys, face, tmp_path, monkeypatch):
    """`--out e.png` used to make a folder e.png."""
    monkeypatch.setattr(enhance, "open_generator", lambda *_, **__: Interpolation("bicubic"))
    out = tmp_path / "new" / "e.png"
    assert here(capsys, "enhance", face, "--out", out).code == 0
    assert out.is_file()
    assert "is there already" in " ".join(here(capsys, "enhance", face, "--out", out).out.split())
    twin = tmp_path / "twin.png"
    twin.write_bytes(face.read_bytes())
    for wrong in ((face, twin, "--out", out), (face, "--faces", "--out", out), (face, "--out", tmp_path / "e.jpg")):
        complains(here(capsys, "enhance", *wrong), 2, "is one file: name a .png file for one picture")
    assert here(capsys, "enhance", face, twin, "--out", tmp_path / "v1.2").code == 0
