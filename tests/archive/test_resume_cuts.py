"""A run that is cut, killed and damaged anywhere ends like an undisturbed one."""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.archive import checkpoint_writer
from engine.exhibit import verify
from tests.archive.jobs import Cut, Job, attempt
from tests.archive.outcomes import check_whole, cut_somewhere, killed_after
from tests.patience import PATIENCE_SECONDS
from tests.publish.samples import environment

pytestmark = pytest.mark.usefixtures("every_checkpoint_is_written")


FILES = ("faces.jsonl", "tracks.jsonl", "stream.jsonl", "progress.jsonl", "embeddings_128.f32")


def damage(directory, chance):
    """Do what power cuts, and people, do to files."""
    kind = chance.choice(["cut", "cut", "zero", "delete", "shorten", "scribble", "embeddings"])
    if kind in ("cut", "zero"):
        path = directory / chance.choice(FILES)
        if path.exists() and path.stat().st_size:
            at = chance.randrange(path.stat().st_size)
            if kind == "cut":
                os.truncate(path, at)
            else:
                with path.open("r+b") as file:
                    file.seek(at)
                    file.write(bytes(min(700, path.stat().st_size - at)))
        return
    if kind == "embeddings":
        path = directory / "embeddings_128.f32"
        if path.exists() and path.stat().st_size:
            with path.open("r+b") as file:
                file.seek(chance.randrange(path.stat().st_size))
                file.write(b"\x55")
        return
    pictures = sorted((directory / "faces").rglob("*.jpg"))
    if pictures:
        path = chance.choice(pictures)
        if kind == "delete":
            path.unlink()
        else:
            whole = path.read_bytes()
            path.write_bytes(whole[: len(whole) // 2] if kind == "shorten" else whole[:-3] + b"xyz")


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1 << 30))
def test_a_run_cut_and_damaged_anywhere_ends_like_an_undisturbed_one(seed):
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        directory, job = Path(folder) / "out", Job.random(seed, Path(folder))
        for _ in range(chance.randint(1, 3)):
            try:
                attempt(directory, job, chance.randrange(1000), cut_after=chance.randrange(90))
            except Cut:
                for _ in range(chance.randint(0, 3)):
                    damage(directory, chance)
        attempt(directory, job, 7)
        check_whole(directory, job)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1 << 30))
def test_a_kill_while_the_files_are_cut_back_is_harmless(seed):
    chance = random.Random(seed)
    steps = ["keep_lines", "_cut_embeddings", "write_whole", "sync_directory", "_remove_pictures"]
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        directory, job = Path(folder) / "out", Job.random(seed, Path(folder))
        cut_somewhere(directory, job, seed, chance.randint(1, 15))
        damage(directory, chance)
        killed_after(chance.randint(0, 6), steps, patch)
        with pytest.raises(Cut):
            attempt(directory, job, seed)
        patch.undo()
        patch.setattr(checkpoint_writer, "SYNC_SECONDS", 0.0)
        attempt(directory, job, seed)
        check_whole(directory, job)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_killed_process_loses_and_doubles_nothing(tmp_path, seed):
    job, chance = Job.random(seed, tmp_path, segments=12), random.Random(seed)
    command = [sys.executable, "-m", "tests.archive.jobs", str(tmp_path / "out"), str(seed)]
    for _ in range(6):
        with subprocess.Popen([*command, "0.003"], stdout=subprocess.PIPE, env=environment()) as process:
            assert process.stdout.readline() == b"go\n"
            time.sleep(chance.uniform(0, 0.25))  # the moment of the kill is what is random here
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        if (tmp_path / "out/chain.jsonl").exists():  # else the kill came before
            assert verify(tmp_path / "out").faults == []
    subprocess.run([*command, "0"], check=True, stdout=subprocess.PIPE, env=environment(), timeout=PATIENCE_SECONDS)
    check_whole(tmp_path / "out", job)
    assert verify(tmp_path / "out").faults == []
