"""The schema of the protocol that lies in the repository."""

from __future__ import annotations

from pathlib import Path

import msgspec

from engine.control.schema import control_schema
from engine.control.verbs import AnyVerb

DOCS = Path(__file__).parents[2] / "docs"


def test_it_is_the_one_that_is_spoken() -> None:
    """Otherwise: ``facestream ctl schema > docs/control.schema.json``."""
    assert (DOCS / "control.schema.json").read_bytes() == control_schema()


def test_every_verb_is_in_it() -> None:
    parts = msgspec.json.decode(control_schema())["$defs"]
    for verb in AnyVerb.__args__:
        assert parts[verb.__name__]["properties"]["verb"]["enum"] == [verb.__struct_config__.tag]
    assert parts["Request"]["required"] == ["request_id", "verb"]
