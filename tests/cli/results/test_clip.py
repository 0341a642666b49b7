from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import complains, here
from tests.footage.moving import numbers
from tests.results.runs import make_run


def test_it_says_what_it_copied_and_how_much_earlier_that_begins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_run(tmp_path)
    monkeypatch.chdir(tmp_path)
    done = here(capsys, "clip", made.run.directory, "--track", 2, "--before", 0.2, "--after", 0.2)
    assert done.code == 0
    assert done.out.startswith("door-track-2.mp4: track 2, 00:00:00.4 to 00:00:01.")
    assert done.out.endswith("copied; it begins 0.2 s earlier, at a key frame\n")
    complains(here(capsys, "clip", made.run.directory, "--track", 2), 2, "door-track-2.mp4", "--overwrite")
    done = here(
        capsys, "clip", made.run.directory, "-t", 2, "--before", 0.2, "--after", 0.2, "--exact", "--overwrite", "--json"
    )
    facts = json.loads(done.out)
    assert (facts["copied"], facts["stream"], facts["track_id"]) == (False, "door", 2)
    assert facts["begins_seconds"] == pytest.approx(0.6, abs=0.001)
    assert numbers(tmp_path / "door-track-2.mp4") == list(range(15, 26))


def test_several_tracks_go_to_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = make_run(tmp_path)
    done = here(capsys, "clip", made.run.directory, "--track", 1, "--track", 2, "--out", tmp_path / "clips")
    assert done.code == 0
    assert sorted(path.name for path in (tmp_path / "clips").iterdir()) == ["door-track-1.mp4", "door-track-2.mp4"]


def test_what_cannot_be_cut_is_said_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_run(tmp_path, camera="yard", record_of={"config": {"publish": {"redact": "none"}}})
    before = {path.name for path in made.run.directory.iterdir()}
    out = tmp_path / "a.mp4"
    complains(here(capsys, "clip", made.run.directory, "--track", 9, "-o", out), 1, "yard was a camera")
    complains(here(capsys, "clip", made.run.directory, "--track", 5, "-o", out), 2, "has no track 5: there are 1, 2, 9")
    complains(here(capsys, "clip", tmp_path, "--track", 1, "-o", out), 2, "is not the output directory of a run")
    for seconds in (-1, "nan", "inf"):
        complains(
            here(capsys, "clip", made.run.directory, "-t", 1, "--before", seconds, "-o", out), 2, "must be 0 seconds or more"
        )
        complains(
            here(capsys, "clip", made.run.directory, "-t", 1, "--after", seconds, "-o", out), 2, "must be 0 seconds or more"
        )
    for inside in (made.run.directory, made.run.directory / "clips"):
        complains(
            here(capsys, "clip", made.run.directory, "-t", 1, "-t", 2, "-o", inside), 2, "lies inside the run's directory"
        )
    monkeypatch.chdir(made.run.directory)
    complains(here(capsys, "clip", made.run.directory, "-t", 1), 2, "lies inside the run's directory")
    assert {path.name for path in made.run.directory.iterdir()} == before
    made.recording.unlink()
    complains(here(capsys, "clip", made.run.directory, "--track", 1, "-o", out), 1, str(made.recording), "--recording")
    assert not out.exists()
