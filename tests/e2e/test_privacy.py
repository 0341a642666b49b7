"""A whole run of which a person is erased: nothing is left of them, and who was not recognised was never to be seen."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.privacy import Policy, erase, expire
from engine.verify.gallery.sqlite.gallery import Gallery
from tests.e2e.conftest import Clip, facestream
from tests.privacy.output import all_bytes, lines

NAME = 'Zoë "Z" O\'Neil'


@pytest.mark.e2e
def test_a_redacted_run_and_the_erasure_of_who_was_recognised(clip: Clip, tmp_path: Path):
    gallery, result = tmp_path / "gallery.sqlite", tmp_path / "result"
    assert facestream("enrol", NAME, sorted(clip.enrolment.glob("*.png"))[0], "--gallery", gallery).returncode == 0
    run = ("run", "--source", clip.video, "--out", result, "--gallery", gallery, "--redact", "blur", "--quiet")
    assert (done := facestream(*run)).returncode == 0, done.stderr
    before = lines(result)
    hidden = {line["seq"]: is_hidden(result / line["files"]["original"]) for line in before}
    assert hidden == {line["seq"]: line["decision"] != "known" for line in before}
    assert set(hidden.values()) == {True, False}
    theirs = {line["track_id"] for line in lines(result, "tracks.jsonl") if is_known_as(line, NAME)}
    assert theirs
    receipt = erase([NAME], gallery=gallery, outputs=[result])
    assert receipt.is_complete
    assert receipt.runs[0].mentions == []
    assert receipt.runs[0].report == "written again"
    left = all_bytes(tmp_path)
    for form in (NAME, json.dumps(NAME)[1:-1], json.dumps(NAME, ensure_ascii=False)[1:-1], "Zo%C3%AB", "O&#x27;Neil", "O'Neil"):
        assert form.encode() not in left
    kept = [line for line in before if line["track_id"] not in theirs and not is_known_as(line, NAME)]
    assert [line["seq"] for line in lines(result)] == [line["seq"] for line in kept]
    assert all((result / file).exists() for line in kept for file in line["files"].values())
    with Gallery(gallery, read_only=True) as opened:
        assert opened.list() == []
    [expired] = expire(result, Policy(pictures_days=1e-9))
    assert not list((result / "faces").rglob("*.jpg"))
    assert (expired.report, b"data:image/jpeg" in (result / "report.html").read_bytes()) == ("written again", False)


def is_known_as(line: dict, name: str) -> bool:
    return line["decision"] == "known" and line["candidates"][0]["identity"] == name


def is_hidden(path: Path) -> bool:
    """Whether a picture is made of a few blocks of one colour, but for what JPEG adds."""
    picture = cv2.imread(str(path)).astype(int)
    flat = np.abs(np.diff(picture, axis=1)).max(2) <= 6
    return bool(flat.mean() > 0.7)
