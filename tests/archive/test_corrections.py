from __future__ import annotations

import contextlib
import threading
from pathlib import Path

import msgspec
import pytest

from engine.archive.correction_links import links_of
from engine.archive.corrections import (
    TrackRef,
    anonymous_id,
    append_correction,
    correction_lines,
    in_force,
    new_correction,
    read_corrections,
)
from engine.archive.pieces import CORRECTIONS
from engine.errors import PublishError
from engine.lock import DirectoryLock, alone_with
from engine.whole_file import write_whole

A, B, C = (TrackRef("run1", "yard", number) for number in (1, 2, 3))


def said(what, tracks=(), others=(), **more):
    return new_correction("ada", what, tracks, others, **more)


def test_lines_are_only_added_and_one_in_two_directories_counts_once(tmp_path: Path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    directories = [tmp_path / "one", tmp_path / "two"]
    first = said("merge", [A, B], note="the same coat")
    append_correction(directories, first)
    before = (tmp_path / "one" / CORRECTIONS).read_bytes()
    second = said("name", [A], name="Ada")
    append_correction(directories[:1], second)
    assert (tmp_path / "one" / CORRECTIONS).read_bytes().startswith(before)
    assert read_corrections(directories) == [first, second]
    assert b"".join(correction_lines(directories[0])) == (tmp_path / "one" / CORRECTIONS).read_bytes()
    assert correction_lines(tmp_path) == []


def test_a_torn_line_is_cut_off_and_a_damaged_one_is_said(tmp_path: Path):
    path = tmp_path / CORRECTIONS
    one = said("merge", [A, B])
    path.write_bytes(msgspec.json.encode(one) + b'\n{"id":"to')
    assert read_corrections([tmp_path]) == [one]
    append_correction([tmp_path], said("name", [A], name="Ada"))
    assert len(read_corrections([tmp_path])) == 2
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / CORRECTIONS).symlink_to(path)
    with pytest.raises(PublishError, match="is a link"):
        append_correction([tmp_path / "other"], one)
    path.write_bytes(path.read_bytes() + b"nonsense\n")
    with pytest.raises(PublishError, match="line 3 is not a correction"):
        read_corrections([tmp_path])


def test_what_is_undone_does_not_hold_and_an_undoing_can_be_undone():
    merge = said("merge", [A, B])
    undo = said("undo", undoes=merge.id)
    again = said("undo", undoes=undo.id)
    assert in_force([merge]) == [merge]
    assert in_force([merge, undo]) == []
    assert in_force([merge, undo, again]) == [merge]
    assert in_force([undo, merge]) == [], "also where a clock was set back"
    round_one, round_two = (msgspec.structs.replace(undo, id=one, undoes=other) for one, other in (("1", "2"), ("2", "1")))
    assert in_force([merge, round_one, round_two]) == [merge]


def test_later_corrections_count_more():
    assert links_of([said("merge", [A, B]), said("merge", [B, C])]).together == [frozenset({A, B, C})]
    split = links_of([said("merge", [A, B, C]), said("split", [C], [A, B])])
    assert (split.together, split.apart) == ([frozenset({A, B})], [(frozenset({C}), frozenset({A, B}))])
    merged = links_of([said("split", [C], [A, B]), said("merge", [A, C])])
    assert merged.together == [frozenset({A, C})]
    assert merged.apart == [(frozenset({C}), frozenset({B}))], "what nobody took back still holds"


def test_a_name_holds_for_those_who_were_merged_and_not_for_who_was_split_off():
    one = links_of([said("name", [A, B], name="Ada"), said("split", [B], [A])])
    assert one.names == {A: "Ada"}
    both = links_of([said("name", [A], name="Ada"), said("name", [B], name="Ada")])
    assert both.together == [frozenset({A, B})]
    latest = links_of([said("name", [A], name="Ada"), said("name", [B], name="Bob"), said("merge", [A, B])])
    assert set(latest.names.values()) == {"Bob"}
    two = links_of([said("name", [A, B], name="Ada"), said("name", [C], name="Bob")])
    assert two.apart == [(frozenset({C}), frozenset({A, B}))]
    assert links_of([said("name", [A, B], name="Ada"), said("name", [A])]).names == {}


def test_people_of_the_gallery_are_one_or_two_until_somebody_says_otherwise():
    known = [(A, "ada"), (B, "ada"), (C, "bob")]
    links = links_of([], known)
    assert links.together == [frozenset({A, B})]
    assert links.apart == [(frozenset({C}), frozenset({A, B}))]
    assert links_of([said("merge", [A, C])], known).together == [frozenset({A, B, C})]


def test_who_is_named_as_somebody_of_the_gallery_is_that_person():
    """They stood as two people of one name, although it was said that they are one."""
    known = [(A, "Ada"), (B, "Bob")]
    named = said("name", [C], name="Ada")
    assert links_of([named], known).together == [frozenset({A, C})]
    assert links_of([named, said("name", [B], name="Ada")], known).together == [frozenset({A, B, C})]
    assert links_of([said("split", [A], [B]), named], known).together == [], "the gallery was wrong there"
    assert links_of([said("name", [A], name="Eve"), named], known).together == []
    taken_back = [said("name", [A], name="Eve"), said("name", [A]), named]
    assert links_of(taken_back, known).together == [frozenset({A, C})]
    assert links_of([named, said("split", [C], [A])], known).together == []


def test_an_anonymous_id_is_the_same_on_every_machine():
    assert anonymous_id(A) == "P-MUMLT8V"
    assert len({anonymous_id(TrackRef("run1", "yard", number)) for number in range(20_000)}) == 20_000


def test_one_that_is_added_while_the_file_is_replaced_is_added_to_the_new_one(tmp_path: Path):
    first, second = said("merge", [A, B]), said("name", [A], name="Ada")
    append_correction([tmp_path], first)
    adding = threading.Thread(target=append_correction, args=([tmp_path], second))
    with alone_with(tmp_path / CORRECTIONS):
        lines = b"".join(correction_lines(tmp_path))
        adding.start()
        write_whole(tmp_path / CORRECTIONS, lines)
    adding.join()
    assert read_corrections([tmp_path]) == [first, second]


def test_one_that_cannot_be_added_for_seconds_is_said(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("engine.lock.WAIT_SECONDS", 0.0)
    with (
        alone_with(tmp_path / CORRECTIONS),
        pytest.raises(PublishError, match="somebody else is writing to"),
    ):
        append_correction([tmp_path], said("merge", [A, B]))
    with contextlib.closing(DirectoryLock(tmp_path)):
        append_correction([tmp_path], said("merge", [A, B]))
    assert len(read_corrections([tmp_path])) == 1, "a run that goes on does not stand in the way"
