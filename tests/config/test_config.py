"""The configuration: layers, profiles, the shipped examples, and files that are wrong."""

from __future__ import annotations

import re
from itertools import combinations, pairwise
from pathlib import Path

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.config import PROFILES, Config
from engine.config.file import load_config, merge
from engine.errors import ConfigError

EXAMPLES = sorted((Path(__file__).parents[2] / "configs/pipelines").glob("*.yaml"))


def write(folder: Path, text: str) -> Path:
    path = folder / "cameras.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "sections"),
    [
        ("cameras", ("live", "supervise", "output")),
        ("recordings", ("decode", "detect", "track", "crop", "super_resolve", "verify", "output")),
    ],
)
def test_the_examples_that_say_so_show_the_defaults(name, sections):
    """As a profile fills them in; `live` says that it has every key."""
    shown = yaml.safe_load((EXAMPLES[0].parent / f"{name}.yaml").read_text(encoding="utf-8"))
    default = msgspec.to_builtins(load_config())
    assert {section: default[section] | shown[section] for section in sections} == {one: default[one] for one in sections}
    assert name != "cameras" or shown["live"].keys() == default["live"].keys()


def test_without_a_file_everything_has_its_default():
    assert load_config() == Config()


def test_file_wins_over_profile_and_command_line_over_both(tmp_path):
    path = write(tmp_path, "profile: fast\ndetect:\n  every: 5\n")
    assert load_config(path).detect.every == 5
    assert load_config(path).crop.interval_seconds == 3.0
    changed = load_config(path, {"detect": {"every": 7}})
    assert (changed.detect.every, changed.crop.interval_seconds) == (7, 3.0)


def test_a_profile_on_the_command_line_replaces_the_file_s_but_not_its_keys(tmp_path):
    path = write(tmp_path, "profile: fast\ndetect:\n  every: 5\n")
    config = load_config(path, {"profile": "thorough"})
    assert (config.profile, config.detect.every, config.detect.upsample) == ("thorough", 5, 2)
    assert config.crop.policy == "every"


def test_profiles_only_name_keys_that_exist():
    for name in PROFILES:
        assert load_config(None, {"profile": name}).profile == name


@pytest.mark.parametrize("text", ["", "# nothing\n", "detect:\n  # every: 3\n", "profile:\n", "---\n"])
def test_a_file_or_section_without_keys_means_the_defaults(tmp_path, text):
    assert load_config(write(tmp_path, text)) == Config()


def test_examples_load_and_differ_from_each_other():
    loaded = {path.stem: load_config(path) for path in EXAMPLES}
    assert loaded.keys() >= {"recordings", "quick", "recogniser"}
    same = [(one, other) for one, other in combinations(loaded, 2) if loaded[one] == loaded[other]]
    assert not same


def test_the_commented_example_shows_the_true_defaults():
    recordings = next(path for path in EXAMPLES if path.stem == "recordings")
    shown = yaml.safe_load(recordings.read_text(encoding="utf-8"))
    defaults = msgspec.to_builtins(Config())
    for section, keys in shown.items():
        for key, value in keys.items() if isinstance(keys, dict) else []:
            assert value == defaults[section][key], f"{section}.{key}"
    assert load_config(recordings) == Config()


@pytest.mark.parametrize(("written", "rate"), [("1e-3", 0.001), ("1.0e-3", 0.001), ("5E-2", 0.05), ("0.25", 0.25)])
def test_a_number_may_have_an_exponent(tmp_path, written, rate):
    assert load_config(write(tmp_path, f"verify: {{false_name_rate: {written}}}\n")).verify.false_name_rate == rate


def test_missing_file_names_the_file(tmp_path):
    with pytest.raises(ConfigError, match=r"cannot read the configuration .*none\.yaml: No such file"):
        load_config(tmp_path / "none.yaml")


def test_a_camera_in_the_place_of_a_configuration_is_told_where_it_belongs():
    with pytest.raises(ConfigError, match="No such file or directory; a recording or camera is given with --source"):
        load_config(Path("rtsp://192.0.2.1/stream"))


def test_a_folder_is_no_configuration(tmp_path):
    with pytest.raises(ConfigError, match="directory"):
        load_config(tmp_path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("detect: {every: 2\n", "line 1 is not usable YAML: the { or"),
        ("\0", "is a binary file, not a configuration; a recording or camera is given with --source"),
        ("\x1b", "is not usable YAML: there is a character U+001B that"),
        ("when: 2024-13-45\n", "is not usable YAML: month"),
        ("[" * 600, "is not usable YAML: its lists and sections are nested too deeply"),
        ("sources:\n\t- uri: a\n", "line 2 is not usable YAML: it is indented with tabs: use spaces"),
        ('serve:\n  directory: "a\\0b"\n', "line 2: serve.directory: expected text without '\\x00'"),
        ('publish:\n  keys: "\\e[31m"\n', "line 2: publish.keys: expected text without '\\x1b'"),
        ("verify:\n  gallery: ~nobody-at-all/g\n", "line 2: verify.gallery: expected a path, and there is no user"),
        ("serve:\n  max_streams: 99999999999999999999\n", "line 2: serve.max_streams: expected a number of 64 bits"),
        (
            "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
            + "".join(f"{name}: &{name} [{', '.join(['*' + before] * 10)}]\n" for before, name in pairwise("abcdefgh")),
            "holds more than 100,000 values",
        ),
        ("profile: balanced # " + "x" * 1_000_000, "has more than 1,000,000 bytes"),
        ("x: !!python/object:os.system 1\n", "line 1 is not usable YAML: a value that begins with ! must"),
        ("detect: {every: 2}\n---\ntrack: {}\n", "line 2 is not usable YAML: it holds more than one document"),
        ("- a\n", "must be a mapping with the keys profile, sources"),
        ("hello", "must be a mapping"),
        ("detect: {every: 1}\ndetect: {every: 2}\n", "line 2: detect: this key appears twice"),
        ("sources:\n  - uri: a\n    uri: b\n", "line 3: uri: this key appears twice"),
        ("profile: fsat\n", "line 1: profile: unknown profile 'fsat'; allowed: fast, balanced, thorough"),
        ("profile: [fast]\n", "line 1: profile: unknown profile"),
        ("profile: {fast: 1}\n", "line 1: profile: unknown profile"),
        ("track:\n  lost_seconds: .inf\n", "line 2: track.lost_seconds: expected a finite number"),
        ("detect:\n  min_score: .nan\n", "line 2: detect.min_score: expected a finite number"),
        (
            "sources:\n  - uri: rtsp://a\n    stall_seconds: .inf\n",
            "line 3: sources[0].stall_seconds: expected a finite",
        ),
    ],
)
def test_wrong_files_are_one_sentence(tmp_path, text, says):
    with pytest.raises(ConfigError) as caught:
        load_config(write(tmp_path, text))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "cameras.yaml") in str(caught.value)


def test_latin_1_is_named_as_not_utf_8(tmp_path):
    path = tmp_path / "old.yaml"
    path.write_bytes("profile: gründlich".encode("latin-1"))
    with pytest.raises(ConfigError, match="line 1 is not in UTF-8: save the file as UTF-8"):
        load_config(path)


def test_what_the_command_line_sets_wrongly_is_not_blamed_on_the_file(tmp_path):
    path = write(tmp_path, "detect:\n  every: 2\n")
    with pytest.raises(ConfigError, match=r"^command line: detect\.every: out of range; allowed: 1 or more$"):
        load_config(path, {"detect": {"every": 0}})
    with pytest.raises(ConfigError, match=r"^command line: profile: unknown profile 'x'"):
        load_config(path, {"profile": "x"})


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=8), below, max_size=3),
    max_leaves=12,
)
KEYS = st.sampled_from(Config.__struct_fields__) | st.text(max_size=8)


@settings(deadline=None, max_examples=50)
@given(st.dictionaries(KEYS, TREES, max_size=4))
def test_any_yaml_gives_a_configuration_or_a_sentence(tmp_path_factory, tree):
    path = write(tmp_path_factory.getbasetemp(), yaml.safe_dump(tree, allow_unicode=True))
    message = ""
    try:
        load_config(path)
    except ConfigError as error:
        message = str(error)
    assert message == "" or (str(path) in message and "\n" not in message.replace(str(path), ""))


@settings(deadline=None, max_examples=50)
@given(TREES.filter(lambda tree: isinstance(tree, dict)), TREES.filter(lambda tree: isinstance(tree, dict)))
def test_merge_keeps_both_sides_and_changes_neither(below, over):
    before = repr((below, over))
    merged = merge(below, over)
    assert repr((below, over)) == before
    assert set(merged) == set(below) | set(over)
    for key, value in over.items():
        if not isinstance(value, dict):
            assert merged[key] is value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "crop:\n  max_size_px: 20\n  min_size_px: 79\n",
            "line 3: crop.min_size_px: 79 is more than crop.max_size_px, which is 20",
        ),
        ("crop:\n  min_size_px: 90\n", "line 2: crop.min_size_px: 90 is more than crop.max_size_px, which is 80"),
        ("crop:\n  max_size_px: 16\nprofile: thorough\n", ""),
        ("profile: balanced\ncrop:\n  min_size_px: 16\n  max_size_px: 16\n", ""),
        ("verify: {known_cosine: 0.2, unknown_cosine: 0.3}\n", "line 1: verify.unknown_cosine: 0.3 is more than"),
        ("verify: {unknown_cosine: 0.3}\n", ""),
    ],
)
def test_what_crosses_is_refused(tmp_path, text, words):
    path = tmp_path / "crossing.yaml"
    path.write_text(text)
    if words:
        with pytest.raises(ConfigError, match=re.escape(words)):
            load_config(path)
    else:
        load_config(path)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16"])
def test_it_is_read_whatever_editor_wrote_it(tmp_path, coding, end):
    path = tmp_path / "c.yaml"
    path.write_bytes("detect:  # é\n  every: 7\n".replace("\n", end).encode(coding))
    assert load_config(path).detect.every == 7


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("detect:\n  # é\n".encode("latin-1"), "line 2 is not in UTF-8: save the file as UTF-8"),
        ("# “x”\n".encode("cp1252"), "line 1 is not in UTF-8: save the file as UTF-8"),
        ("# é\n".encode("utf-16")[:-1], "line 1 is not in UTF-16: save the file as UTF-8"),
        ("# é\n".encode("utf-16-le"), "is a binary file"),
        (b"\n\n# \xff\n", "line 3 is not in UTF-8"),
    ],
)
def test_another_encoding_is_told_with_its_line(tmp_path, data, says):
    path = tmp_path / "c.yaml"
    path.write_bytes(data)
    with pytest.raises(ConfigError) as refused:
        load_config(path)
    assert says in str(refused.value)
