from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from engine.client.results import load_run
from engine.contracts.recording import Recording
from engine.errors import SourceError, UsageError
from engine.results import tracks_of
from engine.results.tracks_of import recording_in, tracks_seen
from tests.results.runs import make_run


def test_a_track_has_its_moment(tmp_path: Path) -> None:
    run = make_run(tmp_path).run
    two, one = sorted(tracks_seen(run, [2, 1]), key=lambda seen: -seen.track_id)
    assert (one.first_seconds, one.last_seconds, one.stamps) == (0.4, 1.2, ((0.4, 0.4), (1.2, 1.2)))
    assert (two.first_seconds, two.last_seconds) == (0.8, 0.8)
    moment = one.moment(0.5, 0.25)
    assert (moment.begin, moment.end) == (0.0, 1.45)


def test_a_track_without_a_word_of_its_own_is_known_by_its_faces(tmp_path: Path) -> None:
    made = make_run(tmp_path)
    (made.run.directory / "tracks.jsonl").write_text("")
    (one,) = tracks_seen(load_run(made.run.directory), [1], "door")
    assert (one.first_seconds, one.last_seconds) == (0.4, 1.2)


def test_what_is_not_there_is_said_with_what_is(tmp_path: Path) -> None:
    run = make_run(tmp_path).run
    with pytest.raises(UsageError, match=r"has no track 7: there are 1, 2$"):
        tracks_seen(run, [7])
    with pytest.raises(UsageError, match=r"has no track 1 of yard: there are none$"):
        tracks_seen(run, [1], "yard")
    many = make_run(tmp_path / "many", {number: ("none", [0.4]) for number in range(1, 12)}, recording=tmp_path / "door.mp4")
    with pytest.raises(UsageError, match=r"there are 11, from 1 to 11"):
        tracks_seen(many.run, [99])


def test_a_recording_that_has_gone_and_a_camera_are_told_apart(tmp_path: Path) -> None:
    made = make_run(tmp_path, camera="yard")
    with pytest.raises(SourceError, match=r"^yard was a camera: the run kept faces of it, and no video$"):
        recording_in(made.run, "yard")
    with pytest.raises(UsageError, match=r"has no stream gate: it has door, yard"):
        recording_in(made.run, "gate")
    moved = made.recording.rename(tmp_path / "moved.mp4")
    with pytest.raises(SourceError, match=r"door\.mp4, is not there: say where it is now with --recording"):
        recording_in(made.run, "door")
    assert recording_in(made.run, "door", moved).path == moved


def test_of_a_run_that_was_received_the_recording_is_the_one_that_is_given(tmp_path: Path) -> None:
    made = make_run(tmp_path, camera="yard", record_of={"received_from": "tcp://127.0.0.1:5556"})
    with pytest.raises(SourceError, match=r"was received by `facestream watch`.*recording of yard is: say it with --recording"):
        recording_in(made.run, "yard")
    assert recording_in(made.run, "yard", made.recording).path == made.recording
    with pytest.raises(SourceError, match=r"none\.mp4 does not exist"):
        recording_in(made.run, "yard", tmp_path / "none.mp4")


@pytest.mark.parametrize("unit", [[1, 0], [0, 1], [1, -1]])
def test_a_time_in_units_that_are_none_is_left_out(tmp_path: Path, unit: list[int]) -> None:
    run = make_run(tmp_path).run
    for name in ("tracks.jsonl", "faces.jsonl"):
        path = run.directory / name
        path.write_text(path.read_text().replace('"time_base":[1,12800]', f'"time_base":{json.dumps(unit)}'))
    (one,) = tracks_seen(run, [1])
    assert (one.first_seconds, one.last_seconds, one.stamps) == (0.4, 1.2, ())
    (run.directory / "tracks.jsonl").write_text("")
    (one,) = tracks_seen(run, [1])
    assert (one.first_seconds, one.last_seconds) == (0.4, 1.2)


def test_a_stream_whose_name_leads_elsewhere_names_no_file(tmp_path: Path) -> None:
    directory = make_run(tmp_path).run.directory
    for name in ("faces.jsonl", "tracks.jsonl", "stream.jsonl", "run.json"):
        path = directory / name
        path.write_text(path.read_text().replace('"door"', '"../../pwn"'))
    run = load_run(directory)
    with pytest.raises(UsageError, match="has no track 1"):
        tracks_seen(run, [1])
    assert run.inputs == {}
    with pytest.raises(UsageError, match=r"has no stream \.\./\.\./pwn: it has none"):
        recording_in(run, "../../pwn")


def test_a_recording_of_another_content_is_not_the_one_that_was_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_run(tmp_path)
    made.run.inputs["door"]["sha256"] = Recording("door", made.recording).sha256()
    told: list[str] = []
    os.utime(made.recording, (1, 1))
    assert recording_in(made.run, "door", note=told.append).path == made.recording
    made.recording.write_bytes(made.recording.read_bytes()[::-1])
    with pytest.raises(SourceError, match="is not the one that was read: its size is the same"):
        recording_in(made.run, "door", note=told.append)
    assert told == []
    monkeypatch.setattr(tracks_of, "MOST_BYTES", 0)
    assert recording_in(made.run, "door", note=told.append).path == made.recording
    assert ["was not compared" in one for one in told] == [True]
