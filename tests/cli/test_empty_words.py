"""Arguments that are empty."""

import pytest

from engine.cli.empty_words import empty_word
from tests.cli.command import complains, here


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["gallery", "remove", "Ada", "--picture", ""], "--picture is empty"),
        (["gallery", "remove", "Ada", "--picture="], "--picture is empty"),
        (["people", "one", "--undo", ""], "--undo is empty"),
        (["expire", "", "--pictures-days", "1"], "argument 1 is empty"),
        (["erase", "Ada", "--output", "one", ""], "argument 4 is empty"),
        (["enrol", ""], "argument 1 is empty"),
        (["enrol", "Ada", "a.jpg"], ""),
        (["people", "one", "--name", "yard/1", " "], ""),
        (["people", "one", "--note=QQ=="], ""),
        (["clip", "one", "--track", "1", "-o", ""], "-o is empty"),
        (["run", "cameras.yaml", "--out", ""], "--out is empty"),
        (["run", "cameras.yaml", "-o", ""], "-o is empty"),
        (["run", "cameras.yaml", "--out="], "--out is empty"),
        (["run", "--source", "", "--publish", "tcp://127.0.0.1:5556"], "--source is empty"),
        (["run", "--source", "a.mp4", "--out", "one", "--sign", ""], "--sign is empty"),
        (["run", "--source", "a.mp4", "--publish", "tcp://0.0.0.0:5556", "--keys="], "--keys is empty"),
        (["run", "cameras.yaml", "--publish", "", "--out", "one"], ""),
        (["run", "cameras.yaml", "--gallery="], ""),
        (["ctl", "settings", "set", "publish.endpoint="], ""),
        ([""], ""),
    ],
)
def test_an_empty_argument_is_told_where_it_is_no_value(given, says):
    told = empty_word(given)
    assert told.startswith(says)
    assert bool(told) == bool(says)


def test_a_variable_that_is_not_set_takes_nobody_out_of_the_gallery(capsys, tmp_path, monkeypatch):
    """``--picture ""`` used to mean all pictures of the person, and a folder that is empty the present one."""
    monkeypatch.chdir(tmp_path)
    complains(here(capsys, "gallery", "remove", "Ada", "--picture", ""), 2, "--picture is empty", "leave it out")
    complains(here(capsys, "expire", "", "--records-days", "1"), 2, "argument 1 is empty")
