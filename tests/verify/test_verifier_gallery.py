"""A gallery that changes, is lost or is locked while a run compares with it."""

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from engine.config.verify import VerifyConfig
from engine.pictures.colour import bgr_from_planes
from engine.verify import verifier as verifier_module
from engine.verify.gallery.sqlite.gallery import Gallery
from engine.verify.verifier import Verifier
from tests.verify.enrolled import enrol, face, score
from tests.verify.faces import PEOPLE


def test_a_running_verifier_follows_the_gallery(gallery, embedder):
    verifier = Verifier(embedder, gallery, VerifyConfig(min_faces=1))
    first = score(verifier, [face(PEOPLE[0])])[0]
    assert (first.decision, first.candidates, first.gallery_version, first.track_decision_changed) == ("none", [], 0, False)
    with Gallery(gallery.path) as other:
        enrol(other, embedder, "ada", PEOPLE[0])
        second = score(verifier, [face(PEOPLE[0])])[0]
        assert (second.decision, second.gallery_version, second.track_decision_changed) == ("known", 1, True)
        other.remove("ada")
    third = score(verifier, [face(PEOPLE[0])])[0]
    assert third.track_decision_changed
    track = verifier.track_scores("cam1", 1)
    assert (track.decision, track.candidates, track.gallery_version) == ("none", [], 2)
    assert track.embedding is not None


def test_tracks_that_go_on_follow_the_gallery_once_and_without_a_new_face(gallery, embedder):
    verifier = Verifier(embedder, gallery, VerifyConfig(min_faces=1))
    score(verifier, [face(PEOPLE[0], 1), face(PEOPLE[1], 2)])
    assert verifier.changed_by_gallery() == []
    with Gallery(gallery.path) as other:
        enrol(other, embedder, "ada", PEOPLE[0])
        (changed,) = [one for one in verifier.changed_by_gallery() if one.track_id == 1]
        assert changed == ("cam1", 1, "the gallery changed: somebody in it now looks like this face")
        assert verifier.changed_by_gallery() == []
        track = verifier.track_scores("cam1", 1)
        assert (track.decision, track.candidates[0].identity) == ("known", "ada")
        assert track.gallery == other.snapshot(embedder.sha256).gallery
        other.rename("ada", "Ada")
        (changed,) = verifier.changed_by_gallery()
        assert "no longer in the gallery under that name, and somebody else in it looks like this face" in changed.reason
        other.remove("Ada")
        assert {one.track_id: "no longer in the gallery" in one.reason for one in verifier.changed_by_gallery()}[1]
        assert verifier.track_scores("cam1", 1).decision == "none"
        enrol(other, embedder, "bob", PEOPLE[3])
        other.remove("bob")
        verifier.forget("cam1", 1)
        verifier.forget("cam1", 2)
        assert verifier.changed_by_gallery() == []


@pytest.mark.parametrize("between", ["nothing", "said", "refreshed", "failed", "picture"])
def test_the_last_word_on_a_track_is_never_the_name_of_somebody_who_is_gone(gallery, embedder, between):
    """Ada is enrolled again between the news that she is gone and the message on it, and then taken out for good."""
    verifier = Verifier(embedder, gallery, VerifyConfig(min_faces=1))
    enrol(gallery, embedder, "ada", PEOPLE[0])
    enrol(gallery, embedder, "bob", PEOPLE[1])
    score(verifier, [face(PEOPLE[0])])
    words = [verifier.track_scores("cam1", 1)]
    gallery.remove("ada")
    assert len(verifier.changed_by_gallery()) == 1
    enrol(gallery, embedder, "ada", PEOPLE[0])
    if between == "refreshed":
        verifier.refresh()
    if between == "failed":
        verifier.no_score()
        score(verifier, [])  # all its faces failed, but the gallery was read
    if between != "nothing":
        words.append(verifier.track_scores("cam1", 1))
    if between == "picture":
        (candidate,) = verifier.beside(words[-1].candidates, one := face(PEOPLE[1]), bgr_from_planes(one.planes), 1)
        assert (candidate.identity, words[-1].gallery) == ("bob", verifier.gallery), "of the same gallery"
        assert candidate.cosine_enhanced > 0.9
    gallery.remove("ada")
    for _ in verifier.changed_by_gallery():
        words.append(verifier.track_scores("cam1", 1))
    assert words[0].decision == "known"
    assert verifier.changed_by_gallery() == []
    verifier.refresh()
    last = words[-1] if between != "nothing" else verifier.track_scores("cam1", 1)
    assert last.decision == "unknown"


def corrupt(path):
    path.write_bytes(b"no database" * 1000)


def empty(path):
    os.truncate(path, 0)


def torn(path):
    os.truncate(path, path.stat().st_size // 2)


def another_kind(path):
    path.unlink()
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE cats (name)")


def folder(path):
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("harm", [Path.unlink, corrupt, empty, torn, another_kind, folder])
def test_a_gallery_that_is_lost_during_a_run_stays_in_force_and_is_said(gallery, embedder, harm, monkeypatch):
    """And once it is put back, with another person in it, that one is known too."""
    monkeypatch.setattr(verifier_module, "_RETRY_SECONDS", 0.0)
    enrol(gallery, embedder, "ada", PEOPLE[0])
    whole = copy_of(gallery.path)
    verifier = Verifier(embedder, gallery, VerifyConfig())
    gallery.close()
    harm(gallery.path)
    for _ in range(2):
        assert score(verifier, [face(PEOPLE[0])])[0].candidates[0].identity == "ada"
        (sentence,) = verifier.take_news()
        assert str(gallery.path) in sentence
        assert sentence.endswith("; meanwhile everyone is compared with what was read before")
        assert verifier.gallery_fault in sentence
    if gallery.path.is_dir():
        gallery.path.rmdir()
    whole.rename(gallery.path)
    with Gallery(gallery.path) as again:
        enrol(again, embedder, "bob", PEOPLE[1])
    assert {one.identity for one in score(verifier, [face(PEOPLE[1])])[0].candidates} == {"ada", "bob"}
    assert (verifier.take_news(), verifier.gallery_fault) == ([f"the gallery {gallery.path} is read again"], "")


def copy_of(path):
    copy = path.with_name("copy.sqlite")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return copy


def test_a_gallery_that_another_one_takes_the_place_of_is_followed(gallery, embedder):
    """Though its version is the same."""
    enrol(gallery, embedder, "ada", PEOPLE[0])
    verifier = Verifier(embedder, gallery, VerifyConfig())
    with Gallery(gallery.path.with_name("other.sqlite")) as other:
        enrol(other, embedder, "bob", PEOPLE[0])
        assert other.version() == gallery.version()
    gallery.close()
    other.path.rename(gallery.path)
    assert score(verifier, [face(PEOPLE[0])])[0].candidates[0].identity == "bob"
    (sentence,) = verifier.take_news()
    assert sentence.endswith("is another one than before: it was made anew, or an earlier copy was put over it")


def test_a_gallery_that_is_locked_for_long_holds_nobody_up(gallery, embedder, monkeypatch):
    monkeypatch.setattr(verifier_module, "_RETRY_SECONDS", 0.0)
    enrol(gallery, embedder, "ada", PEOPLE[0])
    verifier = Verifier(embedder, gallery, VerifyConfig())
    gallery.close()
    locked = copy_of(gallery.path)
    locked.rename(gallery.path)
    with closing(sqlite3.connect(gallery.path, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = DELETE")
        writer.execute("BEGIN EXCLUSIVE")  # without the write-ahead log this keeps readers out
        begun = time.monotonic()
        assert score(verifier, [face(PEOPLE[0])])[0].candidates[0].identity == "ada"
        assert time.monotonic() - begun < 4, "SQLite's own patience, which is for commands, is 5 s"
        assert "another process is writing to it" in verifier.take_news()[0]
        writer.execute("ROLLBACK")
    score(verifier, [face(PEOPLE[0])])
    assert verifier.gallery_fault == ""
