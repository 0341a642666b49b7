"""Whole pictures beside somebody's face, when another person is erased, or strangers expire, who may be on them."""

import hashlib
import json

from engine.privacy import erase
from tests.privacy.output import lines, write_run
from tests.privacy.test_erasure import ADA, BOB, resume_of
from tests.privacy.test_retention import aged, only


def with_scenes(directory, seconds):
    """Give each face a scene of its own, and the faces and tracks of each track this time."""
    for name in ("faces.jsonl", "tracks.jsonl"):
        said = lines(directory, name)
        for line in said:
            at = seconds[line["track_id"] - 1]
            if line["kind"] == "track":
                line |= {"first_pts_seconds": at, "last_pts_seconds": at}
                continue
            content = f"{line['track_id']} {line['seq']}".encode()
            file = f"faces/cam1/{line['track_id']}/{line['seq']:06d}_scene.jpg"
            (directory / file).write_bytes(content)
            part = {"name": "scene", "codec": "jpeg", "shape": [1, 1, 3], "dtype": "uint8"}
            line["parts"].append(part | {"sha256": hashlib.sha256(content).hexdigest()})
            line["files"]["scene"] = file
            line["pts_seconds"] = at
        (directory / name).write_bytes(b"".join(json.dumps(one).encode() + b"\n" for one in said))
    return directory


def shown(directory):
    """Tracks of which scenes are left, on the disk and in the lines."""
    on_disk = {int(path.parent.name) for path in directory.glob("faces/*/*/*_scene.jpg")}
    said = {line["track_id"] for line in lines(directory) if "scene" in line["files"]}
    assert on_disk == said == {line["track_id"] for line in lines(directory) if line["parts"][-1]["name"] == "scene"}
    return said


def test_scenes_of_the_time_in_which_they_were_there_go_and_the_faces_stay(tmp_path):
    walks = [("known", [ADA]), ("known", [BOB]), ("unknown", [BOB]), ("known", [BOB])]
    result = with_scenes(write_run(tmp_path / "result", walks), [100.0, 108.0, 95.0, 120.0])
    assert erase([ADA], outputs=[result]).is_complete
    assert shown(result) == {4}
    assert {line["track_id"] for line in lines(result)} == {2, 3, 4}
    assert resume_of(result).broken == set()
    assert not erase([ADA], outputs=[result]).found


def test_a_single_face_that_was_theirs_counts_too(tmp_path):
    result = with_scenes(write_run(tmp_path / "result", [("known", [BOB]), ("known", [BOB])]), [5.0, 50.0])
    first, *others = lines(result)
    theirs = first | {"decision": "known", "candidates": [{"identity": ADA, "cosine_original": 0.7}]}
    (result / "faces.jsonl").write_bytes(b"".join(json.dumps(one).encode() + b"\n" for one in [theirs, *others]))
    assert erase([ADA], outputs=[result]).is_complete
    assert shown(result) == {2}


def test_where_strangers_expire_all_scenes_of_that_age_do(tmp_path):
    result = with_scenes(write_run(tmp_path / "1", [("known", [ADA]), ("unknown", [ADA]), ("known", [ADA])]), [1.0, 2.0, 3.0])
    only(aged(result, {0: 1, 1: 10, 2: 10}), strangers_days=5)
    assert shown(result) == {3}
    assert {line["track_id"] for line in lines(result)} == {1, 3}
