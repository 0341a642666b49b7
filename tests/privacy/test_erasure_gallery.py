"""What a gallery holds of a person under other people's names goes too, whatever fails on the way."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from engine.errors import GalleryError
from engine.privacy import erase, erasure
from engine.verify.gallery import negatives
from engine.verify.gallery.sqlite.gallery import Gallery
from tests.privacy.output import all_bytes, lines, write_run
from tests.verify.measured import measured

ADA, BOB = "Ada Lovelace", "Bob"


@pytest.fixture
def result(tmp_path) -> Path:
    return write_run(tmp_path / "result", [("known", [ADA, BOB]), ("known", [BOB, ADA]), ("known", [ADA])], report=False)


@pytest.fixture
def people(result, tmp_path, monkeypatch) -> Path:
    """A gallery in which something of Ada lies under Bob's name: set apart, from her track, and like her."""
    monkeypatch.setattr(negatives, "open_set_of", lambda sha256: measured())
    alike, other, of_track = np.eye(8, dtype=np.float32)[:3]
    path, sha = tmp_path / "people.sqlite", measured().embedder_sha256

    def put(name, one, digest, doubt="", embedder=sha):
        gallery.add(
            name, one, embedder="x", embedder_sha256=embedder, runtime="x", source_name="", picture_sha256=digest, quality=1.0,
            doubt=doubt, apart=bool(doubt),
        )  # fmt: skip

    with Gallery(path) as gallery:
        for name, one in ((ADA, alike), (BOB, other), ("Cy", -alike)):
            put(name, one, name)
        put(ADA, np.ones(1, np.float32), "short", embedder="another")
        put(ADA, other, "apart", f"looks like {BOB} (cosine 1.000)")
        put(BOB, alike, "bob", f"looks more like {ADA} (cosine 1.000) than like the other pictures of {BOB} (0.1)")
        put("Cy", alike, "cy", f"looks like {ADA} (cosine 1.000)")
        put("Dee", other, "dee", f"looks like {ADA} Lee (cosine 1.000)")
        for source, one in (("elsewhere/cam1/3", alike), ("elsewhere/cam1/4", -other), (f"{result.name}/cam1/1", of_track)):
            gallery.keep_negatives(BOB, sha, source, [one])
        gallery.keep_negatives(BOB, sha, "elsewhere/cam1/5", [np.ones(1, np.float32)])
    return path


def test_what_lies_under_other_names_in_the_gallery_goes(result, people):
    """From the person's tracks, where of all people they look most like this one, and what was set apart for that reason."""
    would = erase([ADA], gallery=people, outputs=[result], dry_run=True)
    done = erase([ADA], gallery=people, outputs=[result])
    assert done.gallery is not None
    assert would.gallery is not None
    assert (done.gallery.pictures, done.gallery.negatives) == (5, 2)
    assert (would.gallery.pictures, would.gallery.negatives) == (5, 2)
    with Gallery(people, read_only=True) as gallery:
        assert [one.identity for one in gallery.quarantined()] == ["Dee"]
        other = -np.eye(8, dtype=np.float32)[1]
        assert gallery.snapshot(measured().embedder_sha256).negatives[BOB].tolist() == [other.tolist()]
    for gone in np.eye(8, dtype=np.float32)[[0, 2]]:
        assert gone.tobytes() not in people.read_bytes()


@pytest.mark.parametrize("step", ["forget_faces_of", "remove", "_log_in_use"])
def test_what_failed_in_the_gallery_is_finished_by_doing_it_again(result, people, monkeypatch, step):
    def fail(*arguments):
        raise GalleryError("the gallery cannot be used")

    before = all_bytes(result)
    with monkeypatch.context() as failing:
        failing.setattr(erasure if step.startswith("_log") else Gallery, step, fail)
        with pytest.raises(GalleryError):
            erase([ADA], gallery=people, outputs=[result])
    assert all_bytes(result) == before, "the records tell which tracks were theirs"
    erase([ADA], gallery=people, outputs=[result])
    for gone in np.eye(8, dtype=np.float32)[[0, 2]]:
        assert gone.tobytes() not in people.read_bytes()
    with Gallery(people, read_only=True) as gallery:
        assert gallery.negatives() == {BOB: 2}


def test_a_track_that_the_gallery_was_not_told_of_stays_until_it_is_done_again(result, people, monkeypatch):
    with monkeypatch.context() as blind:
        blind.setattr(erasure, "_from_gallery", lambda *_: add_track(result))
        [run] = erase([ADA], gallery=people, outputs=[result]).runs
    assert run.error == f"{result} has grown meanwhile: nothing in it was changed; do it again"
    assert run.tracks == 0
    assert erase([ADA], gallery=people, outputs=[result]).runs[0].tracks == 3


def add_track(result: Path) -> None:
    last = lines(result, "tracks.jsonl")[-1] | {"track_id": 9, "decision": "known", "candidates": [{"identity": ADA}]}
    with (result / "tracks.jsonl").open("ab") as file:
        file.write(json.dumps(last).encode() + b"\n")
