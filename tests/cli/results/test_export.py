from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.cli.command import complains, here
from tests.results.runs import make_run


def test_a_table_goes_to_standard_output_or_to_a_file(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    made = make_run(tmp_path)
    done = here(capsysbinary, "export", made.run.directory, "--to", "jsonl", "--faces")  # type: ignore[arg-type]
    assert done.code == 0
    assert [json.loads(line)["track_id"] for line in bytes(done.out).splitlines()] == [1, 1, 2]  # type: ignore[call-overload]
    out = tmp_path / "tracks.csv"
    done = here(capsysbinary, "export", made.run.directory, "--to", "csv", "--out", out, "--vectors", tmp_path / "t.npy")  # type: ignore[arg-type]
    assert done.code == 0
    assert len(out.read_text().splitlines()) == 3
    assert np.load(tmp_path / "t.npy").shape == (2, 128)


def test_what_makes_no_sense_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = make_run(tmp_path)
    run = made.run.directory
    complains(here(capsys, "export", run), 2, "--to csv, parquet or jsonl")
    complains(here(capsys, "export", run, "--to", "csv", "--faces", "--interim"), 2, "give one of them")
    complains(here(capsys, "export", run, "--to", "parquet"), 2, "needs --out")
    complains(here(capsys, "export", run, "--vectors", tmp_path / "a.f32"), 2, "must end with .npy")
    complains(here(capsys, "export", run, "--vectors", tmp_path / "a.npy", "-o", tmp_path / "b.csv"), 2, "--out goes with --to")
    complains(here(capsys, "export", run, "--vectors", run / "a.npy"), 2, "lies inside the run's directory")
    for out in ("a.keys.csv", "b/../a.keys.csv"):
        (tmp_path / "b").mkdir(exist_ok=True)
        words = ("--to", "csv", "--out", tmp_path / out, "--vectors", tmp_path / "a.npy")
        complains(here(capsys, "export", run, *words), 2, "a.npy writes, too")
    (tmp_path / "tracks.jsonl").write_text("an export, which makes no run of its folder")
    (tmp_path / "there").symlink_to(run)
    complains(
        here(capsys, "export", run, "--to", "csv", "-o", tmp_path / "there" / "a.csv"), 2, "lies inside the run's directory"
    )
    (tmp_path / "b.csv").write_text("mine")
    complains(here(capsys, "export", run, "--to", "csv", "--out", tmp_path / "b.csv"), 2, "is there already")
    assert (tmp_path / "b.csv").read_text() == "mine"


def test_no_table_takes_the_place_of_a_recording_of_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = make_run(tmp_path)
    (recording,) = (Path(facts["path"]) for facts in made.run.inputs.values())
    was = recording.read_bytes()
    for words in (("--out", recording), ("--out", recording, "--overwrite")):
        complains(here(capsys, "export", made.run.directory, "--to", "csv", *words), 2, f"{recording} is a recording")
    assert recording.read_bytes() == was
