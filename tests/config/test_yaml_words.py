"""What is said of a file that is no YAML: the line that is wrong, and what to do."""

from __future__ import annotations

import pytest

from engine.config.file import load_config
from engine.errors import ConfigError

GOOD = """profile: balanced
sources:
  - uri: rtsp://192.0.2.1/1
    name: door
  - uri: rtsp://192.0.2.2/1
    name: yard
live:
  budget_ms: 500
  stall_seconds: 10
"""


@pytest.mark.parametrize(
    ("right", "wrong", "line", "says"),
    [
        ("    name: door", "   name: door", 4, "does not begin in the same column as those beside it"),
        ("    name: door", "      name: door", 4, "a key cannot begin here: indent it like those beside it"),
        ("  budget_ms: 500", "budget_ms: 500", 9, "a key cannot begin here"),
        ("  - uri: rtsp://192.0.2.1/1", "    uri: rtsp://192.0.2.1/1", 5, "does not begin in the same column"),
        ("    name: door", "\tname: door", 4, "it is indented with tabs: use spaces"),
        ("budget_ms: 500", "budget_ms: 500\t# half a second", 8, "there is a tab in it: use spaces"),
        ("name: door", "name: \x1bdoor", 4, "there is a character U+001B that YAML does not allow: delete it"),
        ("name: door", "? [a, b]\n    : door", 4, "a key must be text"),
        ("profile: balanced", "[profile]\nname = 1", 1, "it looks like TOML: write profile: and its keys indented below"),
        ("name: door", "name: door: left", 4, "put a value that holds `: ` in quotes"),
        ("name: door", "name:door", 4, "this is no `key: value`: write a colon and a space behind the key"),
        ("name: door", "name: %door", 4, "a value that begins with % must be in quotes"),
        ("name: door", "name: @door", 4, "a value that begins with @ must be in quotes"),
        ("name: door", "name: `door", 4, "a value that begins with ` must be in quotes"),
        ("name: door", "name: *door", 4, "a value that begins with * must be in quotes"),
        ("name: door", "name: !door", 4, "a value that begins with ! must be in quotes"),
        ("name: door", 'name: "door', 4, "the quotes that begin here do not end"),
        ("name: door", "name: 'door", 4, "the quotes that begin here do not end"),
        ("name: door", "options: {a: b", 4, "the { or [ that begins here does not end, or a comma is missing in it"),
        ("name: door", "options: {a: b c: d}", 4, "or a comma is missing in it"),
        ("name: door", "options: [a, b", 4, "the { or [ that begins here does not end"),
        ("  budget_ms", "\u00a0 budget_ms", 8, "there is a character U+00A0 that only looks like a space: type a plain one"),
        ("    name: door", "   \u200bname: door", 4, "U+200B that only looks like a space"),
        ("  - uri: rtsp://192.0.2.2", "  \u2013 uri: rtsp://192.0.2.2", 5, "U+2013 that only looks like a dash"),
        ("name: door", "name\uff1a door", 4, "U+FF1A that only looks like a colon"),
        ("    name: yard", "    name: yard\n---", 7, "it holds more than one document"),
    ],
)
def test_the_line_that_is_wrong_and_what_to_do(tmp_path, right, wrong, line, says):
    assert right in GOOD
    path = tmp_path / "cameras.yaml"
    path.write_text(GOOD.replace(right, wrong, 1), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert str(caught.value).startswith(f"{path}, line {line} is not usable YAML: ")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_mark_at_the_beginning_of_a_file_is_not_what_is_wrong(tmp_path):
    path = tmp_path / "cameras.yaml"
    path.write_text(GOOD.replace("name: door", "name: %door"), encoding="utf-8-sig")
    with pytest.raises(ConfigError, match="line 4 is not usable YAML: a value that begins with % must be in quotes"):
        load_config(path)


def test_odd_characters_are_no_fault_where_they_mean_nothing(tmp_path):
    path = tmp_path / "cameras.yaml"
    path.write_text(GOOD + "# \u2013 a dash\uff1a\u00a0a space\n", encoding="utf-8")
    assert len(load_config(path).sources) == 2


@pytest.mark.parametrize("odd", ["\u00a0", "\u200b", "\u3000"])
def test_a_key_that_holds_what_nobody_sees_is_told_from_a_misspelt_one(tmp_path, odd):
    path = tmp_path / "cameras.yaml"
    path.write_text(GOOD.replace("budget_ms", f"budget_ms{odd}"), encoding="utf-8")
    with pytest.raises(
        ConfigError, match=rf"line 8: .*there is a character U\+{ord(odd):04X} in it that only looks like a space"
    ):
        load_config(path)
    path.write_text(GOOD.replace("budget_ms", "budget_mz"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"line 8: live\.budget_mz: unknown key; did you mean budget_ms"):
        load_config(path)
