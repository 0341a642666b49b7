"""``facestream enhance``: what it does not do, and what it says of what it does."""

from __future__ import annotations

import errno
import json
import os

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage import data

from engine.cli.pictures import enhance, enhance_making
from engine.super_resolve.enhancer import Enhancer
from engine.super_resolve.interpolation import Interpolation
from tests.cli.command import here
from tests.desk.results import write_result


def sized(path, width, height):
    pixels = np.random.default_rng(1).integers(60, 200, (height, width, 3), np.uint8)
    assert cv2.imwrite(str(path), pixels)
    return path


def said(shown):
    return " ".join((shown.out + shown.err).split())


def test_what_is_too_small_to_show_a_face_is_not_made_into_one(capsys, tmp_path):
    """A picture of 8x8 pixels was enlarged like any other."""
    tiny, small, plain = (
        sized(tmp_path / "tiny.png", 40, 8),
        sized(tmp_path / "small.png", 12, 30),
        sized(tmp_path / "p.png", 24, 24),
    )
    shown = here(capsys, "enhance", tiny, small, plain, "--json")
    assert shown.code == 1
    assert "tiny.png: 40x8 pixels are too few" in said(shown)
    assert not (tmp_path / "tiny-enhanced.png").exists()
    told = {one["picture"]: one["remarks"] for one in map(json.loads, shown.out.splitlines())}
    assert told[str(plain)] == []
    assert told[str(small)] == ["12x30 pixels are so few that a face in them, once enlarged, often looks like somebody else's"]
    for without in (("--generator", "bicubic"), ("--strength", "0", "--overwrite")):
        assert here(capsys, "enhance", tiny, *without).code == 0, "nothing is invented"


def test_what_the_result_has_not_of_its_file_is_said(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(enhance, "open_generator", lambda *_, **__: Interpolation("bicubic"))
    page = Image.new("RGBA", (30, 30), (200, 100, 50, 128))
    page.save(tmp_path / "pages.tif", save_all=True, append_images=[page, page])
    shown = here(capsys, "enhance", tmp_path / "pages.tif")
    assert shown.code == 0
    assert "pages.tif: the first of the file's 3 pictures was taken" in shown.err
    assert "pages.tif: transparent parts are shown white" in shown.err
    assert here(capsys, "enhance", tmp_path / "pages-enhanced.png").code == 0
    shown = here(capsys, "enhance", tmp_path / "pages-enhanced.png", "--overwrite")
    assert "a machine has enhanced it, its file says: go back to the original" in shown.err


def test_one_picture_by_several_names_is_one(capsys, face, tmp_path, monkeypatch):
    monkeypatch.setattr(enhance, "open_generator", lambda *_, **__: Interpolation("bicubic"))
    (tmp_path / "sub").mkdir()
    (tmp_path / "link.png").symlink_to(face)
    shown = here(capsys, "enhance", face, face, tmp_path / "sub" / ".." / "face.png", tmp_path / "link.png", "--json")
    assert (shown.code, len(shown.out.splitlines())) == (0, 1)


def test_a_picture_is_never_replaced_by_its_result(capsys, face, tmp_path, monkeypatch):
    monkeypatch.setattr(enhance, "open_generator", lambda *_, **__: Interpolation("bicubic"))
    before = face.read_bytes()
    shown = here(capsys, "enhance", face, "--out", face, "--overwrite")
    assert (shown.code, face.read_bytes()) == (1, before)
    assert "is one of the pictures, which are never replaced" in said(shown)
    enhanced = tmp_path / "face-enhanced.png"
    enhanced.write_bytes(before)
    shown = here(capsys, "enhance", face, enhanced, "--overwrite")
    assert (shown.code, enhanced.read_bytes()) == (1, before)


def test_a_run_s_directory_gets_no_results(capsys, face, tmp_path):
    run = write_result(tmp_path / "run", [("ann", "", 0)])
    (run / "face.png").write_bytes(face.read_bytes())
    for where in ((run / "face.png",), (face, "--out", run / "new")):
        shown = here(capsys, "enhance", *where)
        assert shown.code == 1
        assert "lies inside the run's directory" in said(shown)


def test_a_full_disk_ends_it_and_what_was_made_before_is_told(capsys, face, tmp_path, monkeypatch):
    monkeypatch.setattr(enhance, "open_generator", lambda *_, **__: Interpolation("bicubic"))
    pictures = [face, sized(tmp_path / "b.png", 30, 30), sized(tmp_path / "c.png", 30, 30)]
    write, begun = enhance_making.write_result, []

    def full(path, content):
        begun.append(path.name)
        if path.name == "b-enhanced.png":
            monkeypatch.setattr("engine.cli.output.overwriting.make_private_folder", _full)
        write(path, content)

    monkeypatch.setattr(enhance_making, "write_result", full)
    shown = here(capsys, "enhance", *pictures)
    assert shown.code == 1
    assert begun == ["face-enhanced.png", "b-enhanced.png"], "there is no room for the third either"
    assert "40x40 to 160x160" in shown.out
    assert "cannot write" in shown.err
    assert "No space left on device" in shown.err


def _full(path):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_what_was_made_before_an_interruption_is_told(capsys, face, tmp_path, monkeypatch):
    monkeypatch.setattr(enhance, "open_generator", lambda *_, **__: Interpolation("bicubic"))
    enlarge, done = Enhancer.enlarge, []

    def interrupted(self, parts):
        if done:
            raise KeyboardInterrupt
        done.append(parts)
        return enlarge(self, parts)

    monkeypatch.setattr(Enhancer, "enlarge", interrupted)
    shown = here(capsys, "enhance", face, sized(tmp_path / "b.png", 30, 30))
    assert shown.code == 130
    assert "40x40 to 160x160" in shown.out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.png", "face-enhanced.png", "face.png"]


def test_nothing_is_loaded_where_nothing_can_be_written(capsys, face, monkeypatch):
    monkeypatch.setattr(enhance, "open_generator", lambda *_, **__: pytest.fail("a model was loaded"))
    monkeypatch.setattr("engine.archive.claim.tempfile.TemporaryFile", _full_folder)
    shown = here(capsys, "enhance", face)
    assert shown.code == 1
    assert "cannot be written: Read-only file system" in said(shown)


def _full_folder(**_):
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))


def test_a_face_that_a_picture_was_cut_to_is_found(capsys, tmp_path):
    """Inside of it was nobody, or a false face."""
    photo = data.astronaut()[:, :, ::-1]
    cv2.imwrite(str(tmp_path / "cut.png"), photo[62:178, 176:270])
    cv2.imwrite(
        str(tmp_path / "huge.png"), cv2.resize(photo[40:200, 150:300], None, fx=14, fy=14, interpolation=cv2.INTER_CUBIC)
    )
    cv2.imwrite(str(tmp_path / "side.png"), cv2.rotate(photo, cv2.ROTATE_90_CLOCKWISE))
    shown = here(capsys, "enhance", tmp_path, "--faces", "--generator", "none", "--json", "--out", tmp_path / "out")
    assert shown.code == 0, shown
    found = [json.loads(line) for line in shown.out.splitlines()]
    assert [one["picture"].rpartition("/")[2] for one in found] == ["cut.png", "huge.png", "side.png"]
