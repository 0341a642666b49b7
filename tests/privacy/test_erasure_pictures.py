"""Pictures that were made of many frames, when a person is erased who may be on them."""

from __future__ import annotations

import json

import pytest

from engine.privacy import erase
from tests.privacy.output import lines, write_run
from tests.privacy.test_erasure import ADA, BOB, resume_of


def test_the_picture_of_their_track_goes_with_it(tmp_path):
    result = write_run(tmp_path / "result", [("known", [ADA]), ("known", [BOB])], fused=True)
    theirs = [path.read_bytes() for path in result.glob("faces/cam1/1/*_track.jpg")]
    [done] = erase([ADA], outputs=[result]).runs
    assert (len(theirs), done.tracks, done.pictures) == (1, 1, 6)
    assert {path.parent.name for path in result.glob("faces/*/*/*")} == {"2"}
    assert len(list(result.glob("faces/cam1/2/*_track.jpg"))) == 1
    assert resume_of(result).broken == set()


@pytest.mark.parametrize(
    ("was", "walk"),
    [
        ("a face", ("undecided", [BOB])),
        ("a face", ("unknown", [BOB])),
        ("a face", ("known", [BOB])),
        ("a face", ("none", [])),
        ("the track", ("known", [BOB])),
    ],
)
def test_a_picture_of_a_track_that_may_show_them_goes_and_its_line_stays(tmp_path, was, walk):
    """It was made of a face that was theirs, or when the track was; also by a name that only a later version gives."""
    result = write_run(tmp_path / "result", [walk, ("known", [BOB])], fused=True, report=False)
    theirs = {"decision": "known", "candidates": [{"identity": ADA, "cosine_original": 0.7}]}
    path = result / ("faces.jsonl" if was == "a face" else "tracks.jsonl")
    first, *others = lines(result, path.name)
    if was == "a face":
        said = [first | theirs, *others]
    else:
        named = {"files": {"drawing": first["files"]["track"]}, "parts": [first["parts"][0] | {"name": "drawing"}]}
        said = [first | theirs | {"ended": False, "seq": 9} | named, first, *others]
    path.write_bytes(b"".join(json.dumps(one).encode() + b"\n" for one in said))
    kept = {path: path.read_bytes() for path in result.glob("faces/cam1/2/*")}
    assert erase([ADA], outputs=[result]).is_complete
    *changed, other = lines(result, "tracks.jsonl")
    assert [(one["picture"], one["files"]) for one in changed] == [(None, {})] * len(changed)
    assert (changed[-1]["decision"], [one["name"] for one in changed[-1]["parts"]]) == (walk[0], ["embedding"])
    assert not [path for path in result.glob("faces/cam1/1/*") if path.stem.endswith(("track", "agreement"))]
    assert other["picture"]
    assert {path: path.read_bytes() for path in result.glob("faces/cam1/2/*")} == kept
    assert resume_of(result).broken == set()
    assert not erase([ADA], outputs=[result]).found


def test_a_kill_between_the_face_and_its_track_is_finished_by_doing_it_again(tmp_path):
    result = write_run(tmp_path / "result", [("unknown", [BOB]), ("known", [BOB])], fused=True, report=False)
    first, *others = lines(result)
    theirs = first | {"decision": "known", "candidates": [{"identity": ADA, "cosine_original": 0.7}]}
    (result / "faces.jsonl").write_bytes(b"".join(json.dumps(one).encode() + b"\n" for one in [theirs, *others]))
    before = (result / "tracks.jsonl").read_bytes()
    erase([ADA], outputs=[result])
    after = (result / "tracks.jsonl").read_bytes()
    (result / "tracks.jsonl").write_bytes(before)
    assert erase([ADA], outputs=[result]).is_complete
    assert (result / "tracks.jsonl").read_bytes() == after
    assert set(resume_of(result).done) == {"cam1"}
    for path in result.glob("faces/cam1/2/*_*t*.jpg"):
        path.unlink()
    assert not erase([ADA], outputs=[result]).found, "pictures that have expired are nobody's"
