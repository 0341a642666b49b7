"""A run that is killed, resumed or taken up leaves a chain that is true, whenever that happens."""

import json
import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.archive import chain_writer, checkpoint_writer
from engine.archive.chain import CHAIN
from engine.archive.resume import reopen
from engine.exhibit import verify
from engine.publish.numbering import Numbering
from tests.archive.jobs import Cut, Job, attempt
from tests.archive.outcomes import killed_after
from tests.exhibit.results import faults, notes, sink, write_some


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 1 << 30))
def test_a_run_that_is_cut_anywhere_and_resumed(seed):
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint_writer, "SYNC_SECONDS", 0.0)
        patch.setattr(chain_writer, "SEAL_SECONDS", chance.choice([0.0, 0.002, 60.0]))
        directory, job = Path(folder) / "out", Job.random(seed, Path(folder), streams=2, segments=3)
        for _ in range(chance.randint(1, 3)):
            try:
                attempt(directory, job, chance.randrange(1000), cut_after=chance.randrange(40))
            except Cut:
                assert faults(directory) == []
        attempt(directory, job, 7)
        found = verify(directory)
        runs = [attempt["run_id"] for attempt in json.loads((directory / "run.json").read_text())["attempts"]]
        assert (found.faults, found.notes, found.attempts) == ([], [], list(dict.fromkeys(runs)))


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 1 << 30))
def test_a_kill_while_the_files_are_cut_back(seed):
    chance = random.Random(seed)
    steps = ["find", "keep_lines", "_cut_embeddings", "write_whole", "sync_directory", "_remove_pictures", "cut"]
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        directory, job = Path(folder) / "out", Job.random(seed, Path(folder), streams=2, segments=3)
        with pytest.raises(Cut):
            attempt(directory, job, seed, cut_after=chance.randint(1, 15))
        killed_after(chance.randint(0, 8), steps, patch)
        with pytest.raises(Cut):
            attempt(directory, job, seed)
        patch.undo()
        assert faults(directory) == []
        attempt(directory, job, seed)
        assert (faults(directory), notes(directory)) == ([], [])


@pytest.mark.parametrize("again", [0, 1, 2])
def test_kills_between_a_block_and_its_run_json_and_again_before_the_next_one(tmp_path, monkeypatch, again):
    """The second kill used to make an audit say that run.json was changed."""
    directory, job = tmp_path / "out", Job.random(3, tmp_path, streams=2, segments=3)
    with pytest.raises(Cut):
        attempt(directory, job, 3, cut_after=9)
    for name in ("write_whole", *["DirectorySink._write_run"] * again):
        with monkeypatch.context() as patch:
            patch.setattr(f"engine.archive.writer.{name}", killed)
            with pytest.raises(Cut):
                attempt(directory, job, 3)
        assert faults(directory) == []
    before = (directory / "run.json").read_bytes()
    (directory / "run.json").write_text("{}")
    assert "run.json" in str(faults(directory))
    (directory / "run.json").write_bytes(before)
    attempt(directory, job, 3)
    assert (faults(directory), notes(directory)) == ([], [])


def killed(*arguments, **options):
    raise Cut


def test_a_publisher_that_died_is_taken_up(tmp_path):
    numbering = Numbering("run1")
    written = sink(tmp_path)
    write_some(written, numbering)
    written._close_files()  # what the end of the process does
    with (tmp_path / "faces.jsonl").open("ab") as file:
        file.write(b'{"kind":"fa')
    written = sink(tmp_path, resume=reopen(tmp_path))
    write_some(written, numbering, first=3)
    written.close("completed")
    assert (faults(tmp_path), notes(tmp_path)) == ([], [])


def test_half_a_block_is_cut_off(tmp_path):
    written = sink(tmp_path)
    write_some(written, Numbering("run1"))
    written._close_files()
    with (tmp_path / CHAIN).open("ab") as file:
        file.write(b'{"number":7,')
    assert faults(tmp_path) == []
    assert any("12 bytes of a block that was never finished" in one for one in notes(tmp_path))
    sink(tmp_path, resume=reopen(tmp_path)).close("completed")
    assert (faults(tmp_path), notes(tmp_path)) == ([], [])


def test_resuming_hides_no_change_that_was_made_before(tmp_path, monkeypatch):
    monkeypatch.setattr(chain_writer, "SEAL_SECONDS", 0.0)
    job = Job.random(3, tmp_path, streams=1)
    directory = tmp_path / "out"
    with pytest.raises(Cut):
        attempt(directory, job, 3, cut_after=12)
    path = directory / "faces.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0].replace(b'"detection_score":0.9', b'"detection_score":0.8'), *lines[1:]]))
    [before] = faults(directory)
    attempt(directory, job, 3)
    assert before.startswith("faces.jsonl: line 1 was changed")
    assert faults(directory)[0].startswith("faces.jsonl: line 1 was changed, as a resumed run found at ")


def test_lines_that_a_power_cut_took_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr(chain_writer, "SEAL_SECONDS", 0.0)
    job, directory = Job.random(3, tmp_path, streams=1), tmp_path / "out"
    with pytest.raises(Cut):
        attempt(directory, job, 3, cut_after=12)
    path = directory / "faces.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    assert "is missing" in faults(directory)[0], "nobody can tell yet whether it was that"
    attempt(directory, job, 3)
    assert faults(directory) == []
    assert "faces.jsonl: its last 1 line was missing when the run was resumed at" in notes(directory)[0]
