"""Sentences for configuration errors: file, line, key, what is allowed."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.config import Config
from engine.config.errors import explain, key_that_stands_twice, line_of
from engine.config.file import load_config
from engine.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("publish:\n  socket: psuh\n", "line 2: publish.socket: unknown value 'psuh'; allowed: pub, push"),
        ("sources:\n  - {uri: a, rotate: 45}\n", "line 2: sources[0].rotate: unknown value 45; allowed: 0, 90"),
        ("sources:\n  - {uri: a, rotate: '90'}\n", "rotate: unknown value '90' in quotes: leave them out; allowed: 0, 90"),
        ("detect:\n\n  every: 0\n", "line 3: detect.every: out of range, got 0; allowed: 1 or more"),
        ("detect:\n  every: 1.5\n", "line 2: detect.every: expected a whole number, got 1.5; allowed: 1 or more"),
        ("detect:\n  every: true\n", "line 2: detect.every: expected a whole number, got true; allowed: 1 or more"),
        ("publish:\n  jpeg_quality: 101\n", "line 2: publish.jpeg_quality: out of range, got 101; allowed: 1 to 100"),
        ("verify:\n  known_cosine: x\n", "line 2: verify.known_cosine: expected a number or nothing, got x; allowed: -1 to 1"),
        ("track:\n  lost_seconds: 0\n", "line 2: track.lost_seconds: out of range, got 0; allowed: more than 0"),
        ("detect: 5\n", "line 1: detect: expected a section of keys, got 5"),
        ("detect: [1]\n", "line 1: detect: expected a section of keys, got a list"),
        ("sources: a.mp4\n", "line 1: sources: expected a list, got a.mp4"),
        ("sources: [a.mp4]\n", "line 1: sources[0]: expected a section of keys, got a.mp4"),
        ("sources:\n  - uri: a\n  - uri: 3\n", "line 3: sources[1].uri: expected text, got 3: put it in quotes"),
        ("sources:\n  - {uri: a, name: no}\n", "line 2: sources[0].name: expected text, got no: put it in quotes"),
        ("sources:\n  - {uri: a, name: 0123}\n", "line 2: sources[0].name: expected text, got 0123: put it in quotes"),
        ("sources:\n  - {uri: a, name: 2026-01-01}\n", "sources[0].name: expected text, got 2026-01-01: put it in quotes"),
        ("sources:\n  - {uri: a, name: ~}\n", "line 2: sources[0].name: expected text, got ~: put it in quotes"),
        ("detect:\n  every: '2'\n", "detect.every: expected a whole number, got 2 in quotes: leave them out; allowed: 1 or"),
        ('publish: {embeddings: "yes"}\n', "publish.embeddings: expected true or false, got yes in quotes: leave them out"),
        ("sources:\n  - name: x\n", "line 2: sources[0]: the key uri is missing"),
        ("publish:\n  parts:\n    - enhanced\n    - foo\n", "line 4: publish.parts[1]: unknown value 'foo'; allowed: enhanced"),
        ("sources:\n- uri: a\n  nmae: x\n", "line 3: sources[0].nmae: unknown key; did you mean name? allowed here: uri, name"),
        ("decode:\n  'skip frame': 1\n", "line 2: decode.skip frame: unknown key; did you mean skip_frame?"),
        ("crop:\n  max_wait_mss: 3\n", "line 2: crop.max_wait_mss: unknown key; did you mean super_resolve.max_wait_ms?"),
        ("'a`b': 2\n", "line 1: a`b: unknown key; allowed here: profile, sources, decode"),
        ("'': 2\n", "line 1: the top level: unknown key; allowed here: profile"),
        ("1: 2\n", "the top level: a key here is not text"),
        ("detect: {1: 2}\n", "line 1: detect: a key here is not text"),
        ("base: &b\n  every: 2\ndetect: *b\n", "line 1: base: unknown key"),
        ("cameras:\n  - uri: a\n", "line 1: cameras: unknown key; did you mean sources? allowed here"),
        ("sources:\n  - url: a\n", "line 2: sources[0].url: unknown key; did you mean uri? allowed here"),
        ("sources:\n  - {uri: a, password: x}\n", "sources[0].password: unknown key; did you mean credentials? allowed"),
        (
            "sources:\n  - uri: a\n    options:\n      a: b\n      tls_verify: true\n",
            "line 5: sources[0].options.tls_verify: expected text, got true: put it in quotes",
        ),
        ("sources:\n  - {uri: a, options: {framerate: 15}}\n", "options.framerate: expected text, got 15: put it in quotes"),
        ("sources:\n  - {uri: a, options: {b: [c]}}\n", "line 2: sources[0].options.b: expected text, got a list"),
        ("detect:\n  detector: [yunet]\n", "line 2: detect.detector: expected text, got a list"),
    ],
)  # fmt: skip
def test_sentence(tmp_path, text, sentence):
    path = tmp_path / "x.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert sentence in str(caught.value)
    assert str(caught.value).startswith(str(path))
    assert "`" not in str(caught.value).replace("a`b", "")


def bounded_keys() -> Iterator[tuple[str, str, float]]:
    """Yield every key of a section that has a range, with a number outside of it."""
    for section, kind in typing.get_type_hints(Config).items():
        if not isinstance(kind, type) or not issubclass(kind, msgspec.Struct):
            continue
        for key, annotated in typing.get_type_hints(kind, include_extras=True).items():
            options = [annotated, *typing.get_args(annotated)]
            for meta in (meta for option in options for meta in getattr(option, "__metadata__", ())):
                low = meta.ge if meta.ge is not None else meta.gt
                high = meta.le if meta.le is not None else meta.lt
                yield section, key, low - 1 if low is not None else high + 1


@pytest.mark.parametrize(("section", "key", "outside"), list(bounded_keys()))
def test_a_number_out_of_range_is_told_the_range(section: str, key: str, outside: float):
    """\"Expected a number, got 1\" says nothing to somebody who gave a number."""
    with pytest.raises(ConfigError) as caught:
        load_config(None, {section: {key: outside}})
    assert re.search(rf"{section}\.{key}: out of range(, got .*)?; allowed: .*\d", str(caught.value))


def test_a_list_that_holds_itself_ends(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text("sources: &a [*a]\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="or one that holds itself"):
        load_config(path)


def test_long_values_are_cut(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text(f"detect:\n  every: {'9z' * 500}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert len(str(caught.value)) < 200 + len(str(path))


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    share: Annotated[float, msgspec.Meta(ge=0, lt=1)] | None = None
    mode: Literal["a", "b"] | None = None


class Outer(msgspec.Struct, forbid_unknown_fields=True):
    inner: Inner = msgspec.field(default_factory=Inner)


@pytest.mark.parametrize(
    ("tree", "says"),
    [
        ({"inner": {"share": 2}}, "command line: inner.share: out of range; allowed: 0 to less than 1"),
        ({"inner": {"mode": "c"}}, "command line: inner.mode: unknown value 'c'; allowed: a, b"),
        ({"inner": {"moda": "a"}}, "command line: inner.moda: unknown key; did you mean mode? allowed here: share, mode"),
        ({"innre": 1}, "command line: innre: unknown key; did you mean inner? allowed here: inner"),
    ],
)
def test_without_a_file_the_command_line_is_named(tree, says):
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(tree, Outer)
    assert explain(str(caught.value), Outer, None, "") == says


@settings(deadline=None, max_examples=50)
@given(st.text())
def test_any_message_gives_a_sentence(message):
    assert explain(message, Outer, Path("x.yaml"), "inner:\n  share: 1\n").startswith("x.yaml")


def test_line_is_that_of_the_deepest_key_found():
    text = "a:\n  - b: 1\n  - b:\n      c: 2\n"
    assert line_of(text, ["a", 1, "b", "c"]) == 4
    assert line_of(text, ["a", 1, "x"]) == 3
    assert line_of(text, ["a", 7]) == 1
    assert line_of(text, ["z"]) is None
    assert line_of("", ["z"]) is None


def test_key_that_stands_twice():
    assert key_that_stands_twice("a: 1\nb:\n  a: 2\n") is None
    assert key_that_stands_twice("a: 1\nb:\n  - c: 1\n    d: 2\n    c: 3\n") == ("c", 5)
    assert key_that_stands_twice("a: &x [*x]\n") is None
    assert key_that_stands_twice("") is None
