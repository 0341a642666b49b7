"""Of a person who is erased nothing is left, and of everybody else everything."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from engine.archive.resume import plan_resume
from engine.contracts.recording import Recording
from engine.errors import UsageError
from engine.lock import DirectoryLock
from engine.privacy import erase
from engine.verify.gallery.sqlite.gallery import Gallery
from tests.privacy.output import all_bytes, enrol, lines, vector, write_run

ADA, BOB = "Ada Lovelace", "Bob"


@pytest.fixture
def result(tmp_path) -> Path:
    walks = [("known", [ADA, BOB]), ("known", [BOB, ADA]), ("undecided", [ADA, BOB]), ("unknown", [BOB]), ("known", [ADA])]
    return write_run(tmp_path / "result", walks)


def resume_of(directory: Path, stream: str = "cam1"):
    recording = Recording(stream, directory.parent / f"{directory.name}.mp4")
    return plan_resume(directory, {"config": {}}, {stream: recording})


def test_their_tracks_go_and_their_name_from_others(result):
    before = lines(result)
    untouched = (result / "faces.jsonl").read_bytes().splitlines()[6:8]
    others = {str(path): path.read_bytes() for n in (2, 3, 4) for path in (result / f"faces/cam1/{n}").iterdir()}
    assert len(before) == 10
    [done] = erase([ADA], outputs=[result]).runs
    assert (done.tracks, done.faces, done.pictures, done.vectors, done.changed_lines) == (2, 4, 8, 6, 6)
    assert (done.report, done.mentions, done.not_followed, done.error) == ("written again", [], [], "")
    assert [(line["track_id"], line["decision"]) for line in lines(result, "tracks.jsonl")] == [
        (2, "known"), (3, "undecided"), (4, "unknown")
    ]  # fmt: skip
    assert [line["track_id"] for line in lines(result)] == [2, 2, 3, 3, 4, 4]
    assert ADA.encode() not in all_bytes(result)
    assert (result / "faces.jsonl").read_bytes().splitlines()[4:] == untouched, "what is not meant keeps its bytes"
    assert {str(path): path.read_bytes() for path in result.glob("faces/*/*/*")} == others
    assert not (result / "faces/cam1/1").exists()
    without = {key: value for key, value in before[2].items() if key != "candidates"}
    assert {key: value for key, value in lines(result)[0].items() if key != "candidates"} == without


def test_vectors_are_zeros_where_they_were_and_the_others_stay_where_they_were(result):
    rows = {line["embedding"]["row"] for line in lines(result) + lines(result, "tracks.jsonl") if line["track_id"] in (1, 5)}
    before = np.fromfile(result / "embeddings_128.f32", "<f4").reshape(-1, 128)
    erase([ADA], outputs=[result])
    after = np.fromfile(result / "embeddings_128.f32", "<f4").reshape(-1, 128)
    assert {int(row) for row in np.flatnonzero(~after.any(1))} == rows
    kept = [row for row in range(len(before)) if row not in rows]
    np.testing.assert_array_equal(after[kept], before[kept])
    assert vector(1) not in all_bytes(result)


def test_a_finished_run_is_still_finished(result):
    assert set(resume_of(result).done) == {"cam1"}
    erase([ADA], outputs=[result])
    resume = resume_of(result)
    assert set(resume.done) == {"cam1"}
    assert resume.kept == (6, 3)
    assert resume.broken == set()


def test_twice_is_the_same_as_once_and_nothing_is_found_then(result):
    assert erase([ADA], outputs=[result]).found
    before = {path: path.read_bytes() for path in result.rglob("*") if path.is_file()}
    again = erase([ADA], outputs=[result])
    assert not again.found
    assert again.is_complete
    assert {path: path.read_bytes() for path in result.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("kept", ["faces.jsonl", "tracks.jsonl", "progress.jsonl", "report.html"])
def test_what_a_kill_interrupts_is_finished_by_doing_it_again(result, kept):
    """Each file in turn is as it was before, as if the kill had come before it was replaced."""
    old = (result / kept).read_bytes()
    erase([ADA], outputs=[result])
    (result / kept).write_bytes(old)
    if kept == "report.html":
        os.utime(result / kept, (1, 1))
    (result / ".unfinished-1-1.faces.jsonl").write_bytes(ADA.encode())
    assert erase([ADA], outputs=[result]).is_complete
    assert ADA.encode() not in all_bytes(result)


def test_a_dry_run_counts_the_same_and_changes_nothing(result, tmp_path):
    gallery = enrol(tmp_path / "gallery.sqlite", ADA)
    before, people = all_bytes(result), gallery.read_bytes()
    tried = erase([ADA], gallery=gallery, outputs=[result], dry_run=True)
    assert (all_bytes(result), gallery.read_bytes()) == (before, people)
    done = erase([ADA], gallery=gallery, outputs=[result])
    for key in ("tracks", "faces", "pictures", "vectors", "changed_lines"):
        assert getattr(tried.runs[0], key) == getattr(done.runs[0], key)
    assert tried.gallery.pictures == done.gallery.pictures == 1


def test_what_was_theirs_before_and_is_nobodys_now_goes_and_what_is_anothers_now_stays(tmp_path):
    result = write_run(tmp_path / "result", [("undecided", [ADA]), ("known", [BOB, ADA])])
    path = result / "tracks.jsonl"
    first, second = (json.loads(line) for line in path.read_bytes().splitlines())
    earlier = [
        one | {"ended": False, "decision": "known", "candidates": first["candidates"], "seq": seq}
        for seq, one in ((8, first), (9, second))
    ]
    path.write_bytes(b"".join(json.dumps(one).encode() + b"\n" for one in (*earlier, first, second)))
    [done] = erase([ADA], outputs=[result]).runs
    assert done.tracks == 1
    assert [(one["track_id"], one["decision"], len(one["candidates"])) for one in lines(result, "tracks.jsonl")] == [
        (2, "undecided", 0), (2, "known", 1)
    ]  # fmt: skip


def test_a_single_face_of_another_track_goes_alone(result):
    path = result / "faces.jsonl"
    changed = [json.loads(line) for line in path.read_bytes().splitlines()]
    changed[6] |= {"decision": "known", "candidates": [{"identity": ADA, "cosine_original": 0.7}]}  # of the unknown track
    path.write_bytes(b"".join(json.dumps(one).encode() + b"\n" for one in changed))
    erase([ADA], outputs=[result])
    assert [line["track_id"] for line in lines(result)] == [2, 2, 3, 3, 4]
    assert len(list(result.glob("faces/cam1/4/*"))) == 2


def test_tracks_that_are_only_likely_go_where_that_is_asked_for(result):
    [done] = erase([ADA], outputs=[result], likely=True).runs
    assert done.tracks == 3
    assert [line["track_id"] for line in lines(result, "tracks.jsonl")] == [2, 4]


def test_a_run_that_goes_on_is_left_and_told_and_the_others_are_done(tmp_path):
    (tmp_path / "runs").mkdir()
    busy = write_run(tmp_path / "runs" / "a", [("known", [ADA])])
    write_run(tmp_path / "runs" / "b", [("known", [ADA])])
    lock = DirectoryLock(busy)
    done = erase([ADA], outputs=[tmp_path / "runs"])
    assert "a run is writing to" in done.runs[0].error
    assert not done.is_complete
    assert (lines(busy)[0]["decision"], done.runs[1].tracks) == ("known", 1)
    lock.close()
    assert erase([ADA], outputs=[tmp_path / "runs"]).is_complete
    assert lines(busy) == []


def test_damaged_lines_go_where_they_name_the_person_and_stay_elsewhere(result):
    with (result / "faces.jsonl").open("ab") as file:
        file.write(b'{"kind":"face","identity":"Ada Lovel\\u0061ce"\n\xff\xfe other\n[1]\n{"track_id":"x"}\n')
        file.write(b'{"candidates":"Ada Lovelace"')  # the run was killed here
    (result / "run.json").write_text("{")
    [done] = erase([ADA], outputs=[result]).runs
    assert done.unreadable_lines == 2
    assert (done.report, done.error, done.mentions) == ("removed", "", [])
    assert (result / "faces.jsonl").read_bytes().endswith(b'\xff\xfe other\n[1]\n{"track_id":"x"}\n')
    assert ADA.encode() not in all_bytes(result)


def test_links_in_a_run_are_never_followed(result, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    kept = {}
    for name in ("picture.jpg", "tracks.jsonl", "embeddings_128.f32", "folder.jpg"):
        (outside / name).write_bytes(f"{ADA} {name}".encode() * 99)
        kept[name] = (outside / name).read_bytes()
    first = result / lines(result)[0]["files"]["original"]
    first.unlink()
    first.symlink_to(outside / "picture.jpg")
    shutil.rmtree(result / "faces/cam1/5")
    (result / "faces/cam1/5").symlink_to(outside)
    for name in ("tracks.jsonl", "embeddings_128.f32"):
        (result / name).unlink()
        (result / name).symlink_to(outside / name)
    changed = lines(result)
    changed[1]["files"] = {"original": "../outside/folder.jpg", "enhanced": str(outside / "folder.jpg")}
    changed[0]["embedding"]["file"] = "../outside/embeddings_128.f32"
    (result / "faces.jsonl").write_bytes(b"".join(json.dumps(line).encode() + b"\n" for line in changed))
    [done] = erase([ADA], outputs=[result]).runs
    assert {path.name: path.read_bytes() for path in outside.iterdir()} == kept
    assert {"tracks.jsonl", "embeddings_128.f32", "../outside/folder.jpg", "../outside/embeddings_128.f32"} <= set(
        done.not_followed
    )
    assert not first.is_symlink()
    assert [line["track_id"] for line in lines(result)] == [2, 2, 3, 3, 4, 4]


def test_a_hard_link_to_a_picture_is_told(result, tmp_path):
    os.link(result / lines(result)[0]["files"]["original"], tmp_path / "copy.jpg")
    assert erase([ADA], outputs=[result]).runs[0].linked == [f"faces/cam1/1/{0:06d}_original.jpg"]


def test_the_mode_of_a_rewritten_file_stays(result):
    (result / "faces.jsonl").chmod(0o600)
    erase([ADA], outputs=[result])
    assert (result / "faces.jsonl").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["", " ", "\u200b"])
def test_an_empty_name_erases_nobody(result, name):
    before = all_bytes(result)
    with pytest.raises(UsageError, match="empty"):
        erase([name], outputs=[result])
    assert all_bytes(result) == before


def test_a_folder_that_is_none_is_an_error_before_anything_goes(result, tmp_path):
    gallery = enrol(tmp_path / "g.sqlite", ADA)
    with pytest.raises(UsageError, match="is not a directory"):
        erase([ADA], gallery=gallery, outputs=[result, tmp_path / "none"])
    with Gallery(gallery, read_only=True) as opened:
        assert len(opened.list()) == 1


@pytest.mark.parametrize(
    "name", ["a\0b", "x" * 300, "faces/cam1/../../../outside.jpg", "/", ".", "", "faces", "faces/cam1", "run.json/x", "a//b"]
)
def test_names_of_files_that_are_none_harm_nobody(result, tmp_path, name):
    (tmp_path / "outside.jpg").write_bytes(b"mine")
    changed = lines(result)
    changed[0]["files"] = {"original": name}
    changed[1]["embedding"] = {"file": f"embeddings_128.f32{name}", "row": -1}
    changed[8] |= {"stream": "../..", "embedding": {"file": "embeddings_128.f32", "row": 10**12}}
    changed[9] |= {"stream": "x/../../..", "track_id": True}
    (result / "faces.jsonl").write_bytes(b"".join(json.dumps(line).encode() + b"\n" for line in changed))
    [done] = erase([ADA], outputs=[result]).runs
    assert done.error == ""
    assert (tmp_path / "outside.jpg").read_bytes() == b"mine"
    assert (result / "run.json").exists()
    assert sorted(path.name for path in result.glob("faces/cam1/*")) == ["2", "3", "4"]


def test_a_report_is_not_made_of_what_lies_outside(result, tmp_path):
    (tmp_path / "secret.json").write_text('{"run_id": "secret"}')
    (result / "run.json").unlink()
    (result / "run.json").symlink_to(tmp_path / "secret.json")
    [done] = erase([ADA], outputs=[result]).runs
    assert (done.report, (result / "report.html").exists()) == ("removed", False)
    assert (tmp_path / "secret.json").read_text() == '{"run_id": "secret"}'


def test_runs_on_another_disk_are_found_and_other_links_to_folders_are_told(tmp_path):
    disk, service = tmp_path / "disk", tmp_path / "service"
    first = write_run(disk / "first", [("known", [ADA])])
    write_run(tmp_path / "archive" / "old", [("known", [ADA])])
    service.mkdir()
    (service / "runs").symlink_to(disk)
    assert erase([ADA], outputs=[service]).is_complete
    assert ADA.encode() not in all_bytes(first)
    (disk / "archive").symlink_to(tmp_path / "archive")
    done = erase([ADA], outputs=[service])
    assert (done.not_followed, done.is_complete) == ([str(service / "runs" / "archive")], False)
    assert ADA.encode() in all_bytes(tmp_path / "archive" / "old")
