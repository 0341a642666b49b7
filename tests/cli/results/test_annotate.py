from __future__ import annotations

import json
import types
from pathlib import Path
from typing import Any

import pytest

from engine.contracts.recording import Recording
from tests.cli.command import complains, here
from tests.footage.moving import record, shown
from tests.results.runs import make_run


def test_a_finished_run_is_drawn_into_its_recording(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = make_run(tmp_path)
    out = tmp_path / "out.mp4"
    done = here(capsys, "annotate", made.run.directory, "--out", out, "--json")
    assert done.code == 0
    facts = json.loads(done.out)
    assert (facts["pictures"], facts["tracks"], facts["stream"]) == (50, 2, "door")
    complains(here(capsys, "annotate", made.run.directory, "--out", out), 2, "is there already", "--overwrite")
    done = here(capsys, "annotate", made.run.directory, "--out", out, "--overwrite", "--stream", "door")
    assert "50 pictures with 2 tracks" in done.out


def test_a_recording_is_processed_first_and_nothing_of_that_is_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = record(tmp_path / "street.mp4", frames=12)
    folders: list[Path] = []

    def finds_nobody(config: Any, observer: object) -> object:
        folder = Path(config.output.directory)
        folders.append(folder)
        assert config.publish.endpoint == ""
        assert config.detect.every == 4
        folder.mkdir()
        facts = Recording("street", path).facts()
        (folder / "run.json").write_text(json.dumps({"run_id": "r", "inputs": {"street": facts}}))
        return types.SimpleNamespace(outcome="completed", failed_streams=[], counters={"frames": 12})

    monkeypatch.setattr("engine.cli.results.annotate.run_pipeline", finds_nobody)
    done = here(capsys, "annotate", path, "--out", tmp_path / "out.mkv", "--every", 4)
    assert done.code == 0, done.err
    assert len(shown(Recording("x", tmp_path / "out.mkv"))) == 12
    assert not folders[0].parent.exists()


def test_all_recordings_of_a_run_go_to_a_folder_and_one_that_has_gone_fails_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = make_run(tmp_path)
    record_of = made.run.directory / "run.json"
    facts = json.loads(record_of.read_text())
    other = record(tmp_path / "yard.mp4", frames=12)
    facts["inputs"] |= {"yard": Recording("yard", other).facts(), "gone": {"path": str(tmp_path / "gone.mp4")}}
    record_of.write_text(json.dumps(facts))
    complains(here(capsys, "annotate", made.run.directory, "--out", tmp_path / "a.mp4"), 2, "3 recordings", "door, gone, yard")
    complains(here(capsys, "annotate", tmp_path, "--out", tmp_path / "a.mp4"), 2, "2 recordings", "door, yard")
    done = here(capsys, "annotate", made.run.directory, "--out", tmp_path / "videos")
    assert (done.code, "gone: " in done.err) == (1, True)
    assert sorted(path.name for path in (tmp_path / "videos").iterdir()) == ["door.mp4", "yard.mp4"]


def test_nothing_takes_the_place_of_the_recording_that_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`annotate result --out FOLDER --overwrite` put the video in its place where the recording lies in that folder."""
    made = make_run(tmp_path)
    (path,) = (Path(facts["path"]) for facts in made.run.inputs.values())
    before = path.read_bytes()
    (linked := tmp_path / "other name.mp4").hardlink_to(path)
    link = tmp_path / "link.mp4"
    link.symlink_to(path)
    for source, out in [(path, path), (path, link), (made.run.directory, path), (made.run.directory, linked)]:
        done = here(capsys, "annotate", source, "--out", out, "--overwrite")
        complains(done, 2, f"{out} is a recording or picture that is read")
        complains(here(capsys, "clip", made.run.directory, "-t", 1, "-o", out, "--overwrite"), 2, "is a recording")
    assert path.stem == "door"
    complains(here(capsys, "annotate", made.run.directory, "--out", path.parent, "--overwrite"), 2, "is a recording")
    assert path.read_bytes() == before


def test_nothing_takes_the_place_of_another_recording_of_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where names of streams are not those of their files, the video of one was put in the place of another."""
    made = make_run(tmp_path)
    record_of = made.run.directory / "run.json"
    facts = json.loads(record_of.read_text())
    other, third = (record(tmp_path / name, frames=12) for name in ("hall.mp4", "gate.mp4"))
    facts["inputs"] |= {"gate": Recording("gate", other).facts(), "hall": Recording("hall", third).facts()}
    record_of.write_text(json.dumps(facts))
    before = [path.read_bytes() for path in (other, third)]
    done = here(capsys, "annotate", made.run.directory, "--out", tmp_path, "--overwrite")
    assert done.code == 1
    assert " ".join(done.err.split()).count("is a recording or picture that is read: choose another name") == 3
    clip = here(capsys, "clip", made.run.directory, "-t", 1, "-o", other, "--overwrite")
    complains(clip, 2, "hall.mp4 is a recording or picture that is read")
    assert [path.read_bytes() for path in (other, third)] == before


def test_what_cannot_be_drawn_into_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = make_run(tmp_path, camera="yard")
    out = tmp_path / "out.mp4"
    complains(here(capsys, "annotate", made.run.directory, "--stream", "yard", "-o", out), 1, "yard was a camera")
    complains(here(capsys, "annotate", "rtsp://192.0.2.1/a", "-o", out), 2, "is a camera")
    complains(here(capsys, "annotate", made.run.directory, "--every", 3, "-o", out), 2, "--every", "finished run")
    complains(here(capsys, "annotate", made.recording, "--stream", "door", "-o", out), 2, "--stream")
    complains(here(capsys, "annotate", tmp_path / "none.mp4", "-o", out), 2, "does not exist")
    complains(here(capsys, "annotate", made.run.directory, "-o", tmp_path / "no" / "out.mp4"), 2, "there is no folder")
    complains(here(capsys, "annotate", made.recording, "-o", tmp_path / "out.xyz"), 2, "no kind of video file ends with .xyz")
    for inside in ("out.mp4", "videos"):
        complains(here(capsys, "annotate", made.recording, "-o", made.run.directory / inside), 2, "inside the run's directory")
