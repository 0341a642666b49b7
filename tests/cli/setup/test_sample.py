"""``facestream sample``."""

from __future__ import annotations

import pytest

from engine.sample.truth import read_truth
from tests.cli.command import complains, here


def test_it_writes_what_it_says(capsys, tmp_path):
    video = tmp_path / "new[" / "b]" / "clip.mp4"  # which is no markup
    shown = here(capsys, "sample", video, "--seconds", "0.2", "--size", "320x240", "--seed", "5")
    assert (shown.code, shown.err) == (0, "")
    assert f"{video}: 5 frames" in shown.out
    truth = read_truth(video.with_name("clip.truth.json"))
    assert (truth.seed, truth.width_px, truth.height_px, len(truth.frames)) == (5, 320, 240, 5)
    for picture in truth.identities.values():
        assert (video.parent / picture).is_file()
    assert "clip-enrol" in shown.out


def test_what_is_there_is_replaced_only_when_asked_for(capsys, tmp_path):
    """`facestream sample clip.mp4` took the place of a recording of that name without a word."""
    clip = tmp_path / "clip.mp4"
    short = ("sample", clip, "--seconds", "0.1", "--size", "320x240")
    for mine in (clip, tmp_path / "clip.truth.json"):
        mine.write_bytes(b"mine")
        complains(here(capsys, *short), 2, f"{mine} is there already", "--overwrite")
        assert mine.read_bytes() == b"mine"
        mine.unlink()
    (tmp_path / "clip-enrol").mkdir()
    complains(here(capsys, *short), 2, "clip-enrol is there already")
    assert here(capsys, *short, "--overwrite").code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["clip.mp4", "--size", "big"], "--size 'big' must be WIDTHxHEIGHT"),
        (["clip.mp4", "--size", "641x360"], "use even sides"),
        (["clip.txt"], "clip.txt needs the ending .mp4"),
        (["clip.mp4", "--seconds", "0"], "use 0.04 to 3600 seconds"),
        (["clip.mp4", "--bitrate", "5"], "not a sensible bit-rate"),
    ],
)
def test_wrong_arguments_are_one_sentence(capsys, tmp_path, monkeypatch, arguments, says):
    monkeypatch.chdir(tmp_path)
    complains(here(capsys, "sample", *arguments), 2, says)
    assert list(tmp_path.iterdir()) == []
