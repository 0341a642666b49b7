"""A command line that cannot be understood: one form, what was meant, and where the rest is explained."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import complains, here
from trt_build import cli as lab


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("smaple",), "there is no command 'smaple', did you mean sample?; see facestream --help"),
        (("gallery", "lst"), "there is no command 'lst', did you mean list?; see facestream gallery --help"),
        (("run", "--sorce", "a.mkv"), "there is no option --sorce, did you mean --source?; see facestream run --help"),
        (("run", "--name", "X", "a.mkv"), "there is no option --name; see facestream run --help"),
        (("run", "--verbose"), "there is no option --verbose; see facestream run --help"),
        (("run", "--format", "json"), "there is no option --format, did you mean --log-format?; see facestream run --help"),
        (("run", "--output", "out"), "there is no option --output, did you mean --out?; see facestream run --help"),
        (("run", "--sorce=a.mkv"), "there is no option --sorce, did you mean --source?; see facestream run --help"),
        (
            ("ctl", "people", "list", "--jsn"),
            "there is no option --jsn, did you mean --json?; see facestream ctl people list --help",
        ),
        (("run", "--xyzzy"), "there is no option --xyzzy; see facestream run --help"),
        (("run", "--socket", "pubb"), "--socket pubb: use pub or push, did you mean pub?; see facestream run --help"),
        (("run", "--every", "often"), "--every often: give a whole number; see facestream run --help"),
        (("run", "--duration", "long"), "--duration long: give a number; see facestream run --help"),
        (("run", "--out"), "--out has no value: directory for crops, JSON lines and report.html; see facestream run --help"),
        (
            ("replay", "result"),
            "--publish is missing: ZeroMQ endpoint to bind, such as tcp://127.0.0.1:5556; see facestream replay --help",
        ),
        (("enrol",), "NAME is missing: who is in the pictures; see facestream enrol --help"),
        (
            ("enrol", "ada"),
            "IMAGES is missing: pictures that show this person and nobody else, or folders of them; "
            "see facestream enrol --help",
        ),
        (("keys", "list", "more"), "more: more than this command takes; see facestream keys list --help"),
    ],
)
def test_what_is_wrong_and_what_was_meant_is_said(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], says: str
) -> None:
    refused = here(capsys, *words)
    complains(refused, 2, says)
    assert refused.err == f"facestream: {says}\n"


@pytest.mark.parametrize(
    "words",
    [
        ("run", "--source", "-a.mkv"),
        ("run", "-s", "b.mkv", "-s", "-a.mkv"),
        ("annotate", "-a.mkv", "--out", "c.mp4"),
        ("export", "-a.mkv"),
    ],
)
def test_a_file_whose_name_begins_with_a_dash_is_told_how_to_be_given(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "for the file" not in here(capsys, *words).err
    for name in ("-a.mkv", "b.mkv"):
        Path(name).touch()
    complains(here(capsys, *words), 2, f"; for the file of that name write ./-a.mkv; see facestream {words[0]} --help")


def test_an_option_behind_two_dashes_is_said_to_be_none(capsys: pytest.CaptureFixture[str]) -> None:
    """It was said not to be there, and to be what was meant."""
    refused = here(capsys, "sample", "--", "a.mp4", "--seconds", "1")
    complains(refused, 2, "behind -- nothing is an option: put --seconds before it")


def test_the_lab_speaks_in_the_same_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert lab.main(["evaluate", "x.onnx", "--protocol", "fces"]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "--protocol fces: use " in said
    assert said.endswith("see trt-build evaluate --help")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("build", "MODEL is missing: a model's name, its manifest, or its ONNX file; see trt-build build --help"),
        ("check", "MODEL is missing: a model's name, its manifest, or its ONNX file; see trt-build check --help"),
        ("small-faces x.zip", "--out is missing: the zip to write; see trt-build small-faces --help"),
    ],
)
def test_what_is_missing_is_called_as_on_the_page_of_help(capsys: pytest.CaptureFixture[str], words: str, says: str) -> None:
    """`trt-build build` said `--model is missing`, and no more."""
    assert lab.main(words.split()) == 2
    assert " ".join(capsys.readouterr().err.split()) == f"error: {says}"
