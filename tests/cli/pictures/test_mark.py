"""``facestream mark``: which marks a picture has, and a signature under it."""

from __future__ import annotations

import json

import cv2
import pytest

from tests.cli.command import complains, here
from tests.marking.test_imperceptible import as_jpeg, enhanced, scaled


@pytest.fixture
def results(capsys, tmp_path):
    """A folder with an enlarged picture."""
    cv2.imwrite(str(tmp_path / "face.png"), enhanced(30))
    assert here(capsys, "enhance", tmp_path / "face.png", "--out", tmp_path / "r").code == 0
    return tmp_path / "r"


def test_what_was_enhanced_is_known_also_where_its_file_says_nothing_any_more(capsys, results):
    shown = here(capsys, "mark", "verify", results)
    assert (shown.code, shown.err) == (0, "")
    assert "face-enhanced.png: 2 of 3 marks" in shown.out
    assert "found: compositeWithTrainedAlgorithmicMedia, by facestream compact_fine_x4" in shown.out
    picture = cv2.imread(str(results / "face-enhanced.png"))
    cv2.imwrite(str(results / "passed-on.jpg"), as_jpeg(scaled(picture, 0.75), 75))
    shown = here(capsys, "mark", "verify", results / "passed-on.jpg", "--json")
    assert shown.code == 0
    found = json.loads(shown.out)
    assert (found["marks"], found["xmp"], found["c2pa"], found["pixels"]["found"]) == (1, None, None, True)


def test_a_picture_without_a_mark_ends_with_1_and_what_that_proves(capsys, results):
    cv2.imwrite(str(results / "a.jpg"), enhanced(90))
    (results / "b.png").write_text("no picture")
    (results / "faces" / "door").mkdir(parents=True)
    (results / "a.jpg").rename(results / "faces" / "door" / "a.jpg")
    shown = here(capsys, "mark", "verify", results, results / "none.png")
    assert shown.code == 1
    assert "a.jpg: 0 of 3 marks" in shown.out
    assert "2 of 3 marks" in shown.out, "the others are looked at"
    assert "looked at 3 pictures" in shown.out
    assert "b.png is not a picture" in shown.out
    assert "none.png cannot be read" in shown.out
    assert "proves nothing" in shown.out


def test_a_picture_is_signed_and_verified(capsys, results):
    pytest.importorskip("c2pa")
    from tests.marking.certificates import made

    files = made(results.parent)
    keys = ("--key", files.key, "--certificate", files.certificate)
    source = results / "face-enhanced.png"
    shown = here(capsys, "mark", "sign", source, *keys, "--original", results.parent / "face.png")
    assert (shown.code, shown.err) == (0, "")
    signed = results / "face-enhanced-signed.png"
    shown = here(capsys, "mark", "verify", signed)
    assert (shown.code, "3 of 3 marks" in shown.out) == (0, True)
    assert "signed by Laboratory, Examiner, whose certificate nobody vouches for" in shown.out
    shown = here(capsys, "mark", "verify", signed, "--trust", files.root)
    assert "whom the trust list vouches for" in shown.out
    content = signed.read_bytes()
    again = here(capsys, "mark", "sign", source, results / "none.png", *keys)
    assert (again.code, signed.read_bytes()) == (1, content)
    assert "is there already" in again.err
    assert "none.png cannot be read" in again.err
    assert here(capsys, "mark", "sign", source, *keys, "--overwrite").code == 0
    assert here(capsys, "mark", "sign", results, *keys, "--overwrite").code == 0
    assert not (results / "face-enhanced-signed-signed.png").exists(), "of a folder what is signed already is left out"
    signed.write_bytes(signed.read_bytes()[:-20] + b"x" * 8 + signed.read_bytes()[-12:])
    assert "NOT VALID" in here(capsys, "mark", "verify", signed).out or "damaged" in here(capsys, "mark", "verify", signed).out


def test_enhance_signs_with_the_picture_it_was_made_from(capsys, results):
    pytest.importorskip("c2pa")
    from tests.marking.certificates import made

    files = made(results.parent)
    out = results / "signed"
    face = results.parent / "face.png"
    shown = here(capsys, "enhance", face, "--out", out, "--sign-key", files.key, "--certificate", files.certificate)
    assert shown.code == 0
    found = json.loads(here(capsys, "mark", "verify", out, "--json").out)
    assert (found["marks"], found["c2pa"]["ingredients"]) == (3, ["original"])
    complains(here(capsys, "enhance", face, "--sign-key", files.key), 2, "belong together")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("verify",), "PICTURES is missing"),
        (("verify", "{face}", "--trust", "{face}"), "holds no certificate"),
        (("sign", "--key", "k", "--certificate", "c"), "PICTURES is missing"),
        (("sign", "{face}", "{face}", "--key", "k", "--certificate", "c", "--original", "{face}"), "belongs to one picture"),
        (("sign", "{face}", "--key", "no.key", "--certificate", "c"), "cannot read no.key"),
    ],
)
def test_a_wrong_command_line_is_one_sentence(capsys, results, arguments, says):
    pytest.importorskip("cryptography")
    face = str(results / "face-enhanced.png")
    shown = here(capsys, "mark", *(argument.replace("{face}", face) for argument in arguments))
    complains(shown, 2)
    assert says in shown.err or "is not text" in shown.err
