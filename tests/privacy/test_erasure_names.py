"""Whatever somebody is called, they are gone, and nobody else."""

from __future__ import annotations

import csv
import html
import io
import json
import sqlite3
import urllib.parse
from functools import partial

import numpy as np
import pytest

from engine.audit import AuditLog, verify
from engine.privacy import erase
from engine.privacy.mentions import Mentions
from engine.verify.gallery import opening
from engine.verify.gallery.person_name import spelling
from engine.verify.gallery.sqlite.gallery import Gallery
from tests.privacy.output import all_bytes, enrol, lines, write_run
from tests.privacy.test_erasure import ADA, BOB, resume_of

WRITTEN = ['A "B" \\ C', "José", "Jose\u0301", "क्षत्रिय", "x & <y>", "100% +me", "山田", "O'Neil, Ann", "=cmd|x", "a\u200db"]


@pytest.mark.parametrize("name", WRITTEN)
def test_any_name_is_gone_in_every_way_to_write_it(tmp_path, name):
    result = write_run(tmp_path / "result", [("known", [spelling(name), BOB]), ("known", [BOB, spelling(name)])])
    gallery = enrol(tmp_path / "gallery.sqlite", name, BOB)
    assert Mentions([name]).found_in(all_bytes(tmp_path))
    done = erase([name], gallery=gallery, outputs=[result])
    assert done.gallery.pictures == 1
    assert done.runs[0].tracks == 1
    left = all_bytes(tmp_path)
    cell = io.StringIO()
    csv.writer(cell).writerow([spelling(name)])
    forms = [spelling(name), json.dumps(spelling(name))[1:-1], urllib.parse.quote(spelling(name)), html.escape(spelling(name))]
    for form in (*forms, cell.getvalue().strip()):
        assert form.encode() not in left
        assert form.encode("utf-16-le") not in left
    assert BOB.encode() in left


@pytest.mark.parametrize(
    ("erased", "stays"),
    [("Ann", "Anna"), ("Ann", "Ann Lee"), ("Ann", "Joann"), ("An", "An\u0303"), ("ann", "Ann"), ("क", "कि")],
)
def test_somebody_whose_name_holds_theirs_stays(tmp_path, erased, stays):
    stays = spelling(stays)
    result = write_run(tmp_path / "result", [("known", [erased, stays]), ("known", [stays, erased])])
    gallery = enrol(tmp_path / "gallery.sqlite", erased, stays)
    audit = AuditLog(tmp_path / "audit.jsonl")
    entry = audit.record("x", "enrol", people=[erased, stays])
    done = erase([erased], gallery=gallery, outputs=[result], audit=audit)
    assert [line["candidates"][0]["identity"] for line in lines(result, "tracks.jsonl")] == [stays]
    assert stays in (result / "report.html").read_text()
    with Gallery(gallery, read_only=True) as opened:
        assert [one.name for one in opened.list()] == [stays]
    assert audit.names() == {entry.people[1]: stays}
    assert done.runs[0].mentions == []


def test_a_stream_of_the_same_name_stays_and_is_told(tmp_path):
    result = write_run(tmp_path / "result", [("known", ["Ann", BOB]), ("known", [BOB, "Ann"])], stream="Ann")
    [done] = erase(["Ann"], outputs=[result]).runs
    assert [line["stream"] for line in lines(result)] == ["Ann"] * 2
    assert {"faces.jsonl", "tracks.jsonl", "stream.jsonl", "progress.jsonl", "run.json"} <= set(done.mentions)
    assert all(one["identity"] == BOB for line in lines(result) for one in line["candidates"])
    assert set(resume_of(result, "Ann").done) == {"Ann"}


def test_the_gallery_forgets_them_where_others_were_in_doubt_too(tmp_path):
    gallery = enrol(tmp_path / "g.sqlite", "Ann", "Ann Lee")
    enrol(gallery, BOB, doubt="looks like Ann (cosine 0.700)")
    enrol(gallery, "Cy", doubt="looks like Ann Lee (cosine 0.700)")
    enrol(gallery, "Di", doubt="looks more like Ann (cosine 0.700) than like the other pictures of Di (0.500)")
    done = erase(["Ann"], gallery=gallery).gallery
    assert (done.pictures, done.still_in) == (1, [])
    stored = all_bytes(tmp_path)
    assert b"looks like Ann (" not in stored
    assert b"more like Ann (" not in stored
    assert b"looks like Ann Lee (" in stored
    assert done.sha256_before != done.sha256_after


def test_a_gallery_that_is_being_read_is_told_and_done_again(tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "Gallery", partial(Gallery, busy_seconds=0.05))
    gallery = enrol(tmp_path / "g.sqlite", "Zoe Quick", BOB)
    reader = sqlite3.connect(gallery)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM pictures").fetchall()
    done = erase(["Zoe Quick"], gallery=gallery)
    assert (done.gallery.pictures, done.gallery.still_in, done.is_complete) == (1, ["g.sqlite-wal"], False)
    reader.close()
    assert erase(["Zoe Quick"], gallery=gallery).is_complete
    assert b"Zoe Quick" not in all_bytes(tmp_path)
    embedding = np.zeros(128, "<f4")
    embedding[len("Zoe Quick")] = 1
    assert embedding.tobytes() not in all_bytes(tmp_path)


def test_the_audit_log_says_that_somebody_was_erased_and_not_who(tmp_path):
    audit = AuditLog(tmp_path / "audit.jsonl")
    audit.record("anna", "enrol", people=["Jose\u0301"])
    done = erase(["José"], audit=audit, who="anna")
    assert (done.audit_line, done.audit_names) == (1, 1)
    assert not Mentions(["José"]).found_in(all_bytes(tmp_path))
    assert verify(audit.path).faults == ()


def test_earlier_names_go_with_the_present_one(tmp_path):
    result = write_run(tmp_path / "result", [("known", ["visitor-7"]), ("known", [ADA])])
    erase([ADA, "visitor-7"], outputs=[result])
    assert lines(result) == []
    assert not Mentions([ADA, "visitor-7"]).found_in(all_bytes(result))
