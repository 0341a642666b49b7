"""What is said of the wire to readers in other languages is what the structs are, and what is sent."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from engine.contracts.messages import StageStats, encode_header
from engine.contracts.streams import RunStats
from engine.contracts.wire_docs import KINDS, main, wire_page, wire_schema
from tests.publish.samples import as_sent, end, face, stream_event, track

DOCS = Path(__file__).parents[2] / "docs"
TOLD = "the structs have changed: python -m engine.contracts.wire_docs docs"


def test_the_files_are_current(tmp_path: Path):
    assert main([str(tmp_path)]) == 0
    for name in ("wire.schema.json", "wire.md"):
        assert (tmp_path / name).read_bytes() == (DOCS / name).read_bytes(), TOLD


def test_every_field_of_every_kind_stands_in_the_page():
    page = wire_page()
    for kind in KINDS:
        assert f"## {kind.__name__}\n" in page
        for field in msgspec.structs.fields(kind):
            assert f"| `{field.name}` | " in page


@pytest.mark.parametrize(
    "body",
    [
        face()[0],
        track()[0],
        track(frames=(1, 2))[0],
        stream_event(),
        RunStats({"detect": StageStats(1, 2.0, 3.0, 4.0, 0)}, {}),
        end(),
    ],
    ids=lambda body: type(body).__name__,
)
def test_what_is_sent_fits_the_schema_and_another_version_does_not(body):
    jsonschema = pytest.importorskip("jsonschema", reason="needs jsonschema")
    validator = jsonschema.Draft202012Validator(json.loads(wire_schema()))
    header = json.loads(json.dumps(msgspec.msgpack.decode(encode_header(as_sent(body)))))
    validator.validate(header)
    validator.validate(header | {"of a later version 1": 1})
    for schema in ({"schema": "facestream/2"}, {"schema": ""}):
        assert not validator.is_valid(header | schema)
    assert not validator.is_valid({name: value for name, value in header.items() if name != "schema"})


def test_a_folder_that_is_not_there_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main([str(tmp_path / "none")]) == 2
    assert "usage: python -m engine.contracts.wire_docs FOLDER" in capsys.readouterr().err
