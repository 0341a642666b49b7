"""The first page of a document: what was searched, when, and how far."""

import json

import pytest

from tests.report.pdf.pages import SHA, a_run, document


def test_a_source_that_failed_is_not_taken_for_one_without_faces(tmp_path):
    directory = a_run(tmp_path / "run", {1: {}})
    lines = [json.loads(line) for line in (directory / "stream.jsonl").read_text().splitlines()]
    failed = [lines[-1] | {"stream": name, "state": "failed", "reason": "not_a_video"} for name in ("door", "yard")]
    (directory / "stream.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines + failed))
    record = json.loads((directory / "run.json").read_text())
    record["inputs"] |= {"door": {"path": "/secret/door.mp4", "sha256": SHA, "size_bytes": 6}}
    (directory / "run.json").write_text(json.dumps(record))
    first = " | ".join(document(directory)[2][:2])
    assert f"door | door.mp4, 6 bytes, NOT read to its end: not a video | {SHA}" in first
    assert "2 sources were not read to the end: door (not a video), yard (not a video). What was not read was not" in first
    assert "not read to the end" not in document(a_run(tmp_path / "whole", {1: {}}))[2][0]


@pytest.mark.parametrize("outcome", ["drained", "failed", "running"])
def test_a_source_that_was_left_is_not_taken_for_one_without_faces(tmp_path, outcome):
    directory = a_run(tmp_path / "run", {1: {}})
    lines = [json.loads(line) for line in (directory / "stream.jsonl").read_text().splitlines()]
    left = [lines[-1] | {"stream": "door", "state": "ended", "reason": "drained"}]
    left += [lines[-1] | {"stream": "cam1", "state": "ended", "reason": "end_of_file"}]
    (directory / "stream.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines + left))
    record = json.loads((directory / "run.json").read_text())
    record["inputs"] |= {name: {"path": f"/secret/{name}.mp4", "sha256": SHA, "size_bytes": 6} for name in ("door", "yard")}
    (directory / "run.json").write_text(json.dumps(record | {"outcome": outcome}))
    first = " | ".join(document(directory)[2][:2])
    assert f"door | door.mp4, 6 bytes, read in part | {SHA}" in first
    assert f"yard | yard.mp4, 6 bytes, not read | {SHA}" in first
    assert "2 sources were not read to the end: door (read in part), yard (not read). What was not read was not" in first


def test_when_an_archive_was_processed_is_not_when_its_results_were_put_together(tmp_path):
    assert "processing began | 2" in document(a_run(tmp_path / "one", {1: {}}))[2][0]
    directory = a_run(tmp_path / "many", {1: {}})
    record = json.loads((directory / "run.json").read_text())
    (directory / "run.json").write_text(json.dumps(record | {"archive": {"content": SHA, "joined": {}}}))
    first = document(directory)[2][0]
    assert "results put together | 2" in first
    assert "processing began" not in first
