"""``facestream enrol``: pictures of a person into the gallery."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import cv2
import numpy as np
import pytest
from PIL import Image
from rich.cells import cell_len

from engine.sessions.session import SessionSpec
from engine.verify.gallery.sqlite.gallery import Gallery
from tests.assets import shared
from tests.cli.command import complains, here
from tests.crop.photographs import picture
from tests.verify.faces import portrait

PERSIAN = "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    cv2.imwrite("ada.png", picture("astronaut"))
    cv2.imwrite("tight.png", portrait("astronaut", 0, margin=0.5)[0])
    cv2.imwrite("bob.png", portrait("t1", 0, margin=0.5)[0])
    return tmp_path


def people(folder):
    with Gallery(folder / "data" / "facestream" / "gallery.sqlite") as gallery:
        return [(person.name, person.pictures) for person in gallery.list()]


def test_both_encodings_of_a_name_are_one_person(capsys, folder):
    assert here(capsys, "enrol", "Jos\u00e9", "ada.png").code == 0
    assert here(capsys, "enrol", "Jose\u0301 ", "tight.png").code == 0
    assert people(folder) == [("Jos\u00e9", 2)]
    assert here(capsys, "gallery", "remove", "Jose\u0301").code == 0
    assert people(folder) == []


def test_a_name_with_a_joiner_is_a_name(capsys, folder):
    assert here(capsys, "enrol", PERSIAN, "ada.png").code == 0
    assert people(folder) == [(PERSIAN, 1)]


def test_a_name_that_can_be_mistaken_is_told_not_joined(capsys, folder):
    here(capsys, "enrol", "Jos\u00e9", "ada.png")
    shown = here(capsys, "enrol", "jose", "bob.png")
    assert shown.code == 0
    assert "Jos\u00e9 is in the gallery, too: if both are one, `facestream gallery rename --join` joins them" in shown.out
    assert people(folder) == [("Jos\u00e9", 1), ("jose", 1)]
    complains(
        here(capsys, "gallery", "remove", "JOSE"), 1, "nobody in the gallery is called 'JOSE': did you mean Jos\u00e9 or jose?"
    )
    complains(
        here(capsys, "gallery", "rename", "jose", "Jose\u0301"), 2, "José is in the gallery already, with 1 picture: if jose is"
    )
    renamed = here(capsys, "gallery", "rename", "jose", "Jose\u0301", "--join").out
    assert renamed == "renamed jose to Jos\u00e9 (1 picture); joined with Jos\u00e9, who had 1 picture\n"
    assert people(folder) == [("Jos\u00e9", 2)]


def test_who_was_not_enrolled_is_not_said_to_be_in_the_gallery(capsys, folder):
    here(capsys, "enrol", "Jos\u00e9", "ada.png")
    (folder / "page.html").write_text("<!DOCTYPE html><html></html>")
    shown = here(capsys, "enrol", "jose", "page.html")
    assert shown.code == 1
    assert shown.out.startswith("no picture of jose was put into ")
    assert "--join" not in shown.out


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("a\u202eb", "reorders text (U+202E)"),
        ("\u200b\u200d", "give a readable one"),
        ("a\nb", "a control character"),
        ("a" * 300, "a name of 300 characters is too long"),
    ],
)
def test_what_cannot_be_a_name_is_wrong_use(capsys, folder, name, says):
    complains(here(capsys, "enrol", name, "ada.png"), 2, says)
    assert not (folder / "data").exists()


def test_another_person_s_picture_needs_force_and_the_reason_is_kept(capsys, folder):
    here(capsys, "enrol", "ada", "ada.png")
    shown = here(capsys, "enrol", "bob", "tight.png")
    assert shown.code == 1
    assert "the face in tight.png looks like ada (cosine 0.9" in shown.out
    assert "it is set apart, and nobody is compared with it; if it is bob, `facestream gallery release " in shown.out
    apart = here(capsys, "gallery", "quarantine").out
    assert "1 picture set apart in" in apart
    assert "looks like ada" in " ".join(apart.split())
    page = folder / "left out.html"
    assert here(capsys, "enrol", "bob", "tight.png", "--sheet", page).code == 1
    assert "<img src=" in page.read_text()
    assert "looks like ada (cosine 0.9" in page.read_text()
    for part in (
        "<h1>Pictures of <bdi>bob</bdi> that were not enrolled</h1>",
        "<p>1 of 1 picture</p>",
        "tight.png</bdi>: set apart",
    ):
        assert part in page.read_text()
    assert here(capsys, "enrol", "bob", "tight.png", "--force").code == 0
    assert "forced" in here(capsys, "gallery", "list").out
    here(capsys, "gallery", "export", "people.jsonl")
    rows = [json.loads(line) for line in (folder / "people.jsonl").read_text().splitlines()]
    assert [row["doubt"][:14] for row in rows] == ["", "looks like ada"]
    wrong = here(capsys, "enrol", "ada", "bob.png")
    assert wrong.code == 1
    assert "looks unlike the other pictures of ada (cosine 0." in wrong.out


def test_every_kind_of_picture_in_a_folder(capsys, folder):
    upright = Image.fromarray(picture("astronaut")[:, :, ::-1])
    lying = Image.Exif()
    lying[0x0112] = 6
    exif = lying.tobytes()
    (folder / "photos").mkdir()
    (folder / "photos" / "readme.txt").write_text("no picture")
    upright.save(folder / "photos" / "a.webp", quality=90)
    upright.transpose(Image.Transpose.ROTATE_90).save(folder / "photos" / "b.avif", exif=exif, quality=90)
    upright.transpose(Image.Transpose.ROTATE_180).save(folder / "photos" / "c.jpg", quality=90)
    pytest.importorskip("pillow_heif").register_heif_opener()
    upright.transpose(Image.Transpose.ROTATE_90).save(folder / "photos" / "d.heic", exif=exif, quality=90)
    told = here(capsys, "enrol", "ada", "photos", "--json")
    assert (told.code, told.err) == (0, "")
    said = json.loads(told.out)
    assert (said["name"], said["alike"]) == ("ada", [])
    assert [os.path.basename(one["path"]) for one in said["pictures"]] == ["a.webp", "b.avif", "c.jpg", "d.heic"]
    assert [one["turned_degrees"] for one in said["pictures"]] == [0, 0, 180, 0]
    assert all(one["outcome"] == "enrolled" and one["quality"]["size_px"] > 80 for one in said["pictures"])
    with Gallery(folder / "data" / "facestream" / "gallery.sqlite") as gallery:
        from engine.models import find_model
        from engine.verify.onnx_embedder import OnnxEmbedder

        matrix = gallery.templates(OnnxEmbedder(SessionSpec(find_model("dlib"))).sha256)[1]
    assert (matrix @ matrix.T).min() > 0.98
    complains(here(capsys, "enrol", "ada", "*.bmp"), 2, "matches no picture")


def test_a_woman_who_was_photographed_upside_down_is_known(capsys, folder):
    photo = shared("cases/upside-down-photo/astro_up.jpg")
    shown = here(capsys, "enrol", "astronaut", photo)
    assert shown.code == 0
    assert "astro_up.jpg: it was turned by 180°" in shown.out
    assert here(capsys, "enrol", "astronaut", "ada.png").code == 0  # and is like the upright picture


def test_a_file_name_that_is_not_utf_8_is_shown_with_escapes(capsys, folder):
    copy, damaged = (folder / os.fsdecode(name) for name in (b"ada-\xe9.png", b"damaged-\xe9.png"))
    copy.write_bytes((folder / "ada.png").read_bytes())
    damaged.write_bytes(b"text")
    shown = here(capsys, "enrol", "ada", copy, damaged, "tight.png", "--json")
    assert shown.code == 1
    said = json.loads(shown.out)["pictures"]
    assert [one["outcome"] for one in said] == ["enrolled", "refused", "enrolled"]
    assert said[0]["path"].endswith("ada-\\udce9.png")
    assert "damaged-\\udce9.png is not a picture" in said[1]["reason"]
    assert here(capsys, "gallery", "export", "people.csv").code == 0
    assert "ada-\\udce9.png" in (folder / "people.csv").read_text()


def test_the_name_of_a_file_steers_no_terminal(capsys, folder):
    (folder / "\x1b[31mred.png").write_bytes(b"text")
    shown = here(capsys, "enrol", "ada", folder / "\x1b[31mred.png")
    assert (shown.code, "\x1b" in shown.out + shown.err) == (1, False)
    assert "\\x1b[31mred.png is not a picture" in shown.out


@pytest.mark.parametrize(
    "name", ["李小龍 " * 30, PERSIAN * 20, "Nguye\u0302\u0303n " * 25, "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 30]
)
def test_tables_fit_a_terminal_of_80_columns(capsys, folder, monkeypatch, name):
    monkeypatch.setenv("COLUMNS", "80")
    long = folder / f"{'photograph-' * 15}.png"
    cv2.imwrite(str(long), np.full((64, 64, 3), 128, np.uint8))
    enrolled = here(capsys, "enrol", name, "ada.png", long)
    assert here(capsys, "enrol", "bob", "tight.png", "--force").code == 0  # one column more
    listed = here(capsys, "gallery", "list")
    for out in (enrolled.out, listed.out):
        table = [line for line in out.splitlines() if line.startswith(tuple("┏┃┡│└"))]
        assert len(table) >= 6
        assert {cell_len(line) for line in table} == {cell_len(table[0])}
        assert cell_len(table[0]) <= 80


@pytest.mark.parametrize(
    ("option", "place", "code"), [("--gallery", "/proc/g.sqlite", 2), ("--gallery", ".", 1), ("--sheet", "/proc/s.html", 2)]
)
def test_what_cannot_be_written_is_said_before_models_are_loaded(capsys, folder, monkeypatch, option, place, code):
    monkeypatch.setattr("engine.cli.gallery.enrol.open_embedder", lambda *_: pytest.fail("a model was loaded"))
    complains(here(capsys, "enrol", "Ada", "ada.png", option, place), code)


@pytest.mark.parametrize(("interrupted", "says"), [("find_portrait", "nothing was enrolled"), ("doubt_about", "shows which")])
def test_an_interruption_says_what_it_has_left(capsys, folder, monkeypatch, interrupted, says):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(f"engine.enrolment.enrol.{interrupted}", interrupt)
    outcome = here(capsys, "enrol", "Ada", "ada.png", "bob.png")
    assert (outcome.code, outcome.out) == (130, "")
    assert outcome.err.startswith("interrupted: ")
    assert says in outcome.err
    assert people(folder) == []


def test_a_gallery_that_was_not_there_is_said_to_be_new(capsys, folder):
    """A mistyped path would otherwise pass for the gallery that was meant."""
    shown = here(capsys, "enrol", "Ada", "ada.png", "--gallery", "mistyped.sqlite")
    assert shown.code == 0
    assert "mistyped.sqlite was not there: it is a new gallery, of 1 person\n" in shown.err
    assert "was not there" not in here(capsys, "enrol", "Bob", "bob.png", "--gallery", "mistyped.sqlite").err
    told = here(capsys, "enrol", "Ada", "ada.png", "--gallery", "other.sqlite", "--json")
    assert json.loads(told.out)["new_gallery"] is True


def test_a_full_disk_leaves_no_half_of_a_gallery(folder):
    """As a limit of file size, which SQLite meets as it does a full disk."""
    program = (
        "from pathlib import Path; from engine.verify.gallery.sqlite.gallery import Gallery; "
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, ({0}, {0})); Gallery(Path('full.sqlite'))"
    )
    for limit in (0, 4096, 8192, 16384):
        ended = subprocess.run([sys.executable, "-B", "-c", program.format(limit)], capture_output=True, text=True, check=False)
        assert "GalleryError" in ended.stderr
        assert not list(folder.glob("full.sqlite*"))
