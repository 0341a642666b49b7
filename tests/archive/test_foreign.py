"""A directory that was in other hands: what its files say bounds what is done with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.archive.chain import Block
from engine.archive.checkpoints import PROGRESS
from engine.archive.reader import read_run
from engine.archive.record_check import check_records
from engine.client.results import load_run
from engine.contracts.hash_chain import decode
from engine.errors import FacestreamError, PublishError
from engine.exhibit.verify import verify
from engine.report.page import write_report
from engine.service.desired import DesiredFile
from tests.exhibit.results import finished

DEEP = b"[" * 100_000 + b"]" * 100_000


def test_too_much_inside_of_each_other_is_as_what_cannot_be_read(tmp_path: Path) -> None:
    result = finished(tmp_path / "run")
    deep_line = b'{"kind": "face", "stream": "cam1", "more": ' + DEEP + b"}\n"
    assert decode(deep_line, Block) is None
    for name in ("faces.jsonl", "tracks.jsonl", "stream.jsonl", PROGRESS):
        with (result / name).open("ab") as file:
            file.write(deep_line)
    run = load_run(result)
    assert (len(list(run.faces())), len(list(run.tracks()))) == (6, 2)
    assert check_records(result).unreadable == 2
    write_report(result)
    assert not verify(result).is_whole
    (result / "run.json").write_bytes(b'{"more": ' + DEEP + b"}")
    with pytest.raises(PublishError, match="is not the record of a run"):
        read_run(result)
    (tmp_path / "desired.json").write_bytes(DEEP)
    with pytest.raises(FacestreamError):
        DesiredFile(tmp_path / "desired.json").load()


@pytest.mark.parametrize(
    "changed",
    [
        {"files": {"original": "/dev/zero"}},
        {"files": {"original": "../../../../../../dev/zero"}},
        {"files": {"original": "faces"}},
        {"files": {"original": "\0"}},
        {"embedding": {"file": "embeddings_128.f32", "row": 10**18}},
        {"embedding": {"file": "embeddings_128.f32", "row": -1}},
        {"embedding": {"file": "embeddings_999999.f32", "row": 0}},
        {"embedding": {"file": "/dev/zero", "row": 0}},
    ],
)
def test_what_a_line_names_is_read_within_the_directory_and_in_bounds(tmp_path: Path, changed: dict[str, Any]) -> None:
    result = finished(tmp_path)
    lines = (result / "faces.jsonl").read_bytes().splitlines(keepends=True)
    first = json.loads(lines[0])
    for part in first["parts"]:
        if part["name"] == "embedding":
            part["shape"] = [2**62]
    lines[0] = json.dumps(first | {key: (first.get(key) or {}) | value for key, value in changed.items()}).encode() + b"\n"
    (result / "faces.jsonl").write_bytes(b"".join(lines))
    assert len(check_records(result).broken) == 1
    assert not verify(result).is_whole
