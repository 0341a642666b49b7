import msgspec
import pytest

from engine.archive.reader import TrackRecord
from engine.contracts.findings import Basis
from engine.exhibit import ChainStatus, Confirmation
from engine.report.pdf.sentences import Confirmed, brief, finding, record_words
from tests.publish.samples import as_sent, track


def a_record(decision="known", basis=None, **said):
    message = as_sent(track(track_id=3, decision=decision, **said)[0])
    return TrackRecord("cam1", 3, msgspec.structs.replace(message, basis=basis))


def basis(missing, **more):
    known = {"faces": 1, "faces_needed": 2, "size_px": 9.6, "size_needed_px": 14.2, "quality": 0.5, "margin": None}
    return Basis(**known | {"margin_needed": 0.01} | more, missing=missing)


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ("faces", "the track has 1 face good enough to compare, and a decision needs 2"),
        ("size", "its faces are too small, 10 px in the mean (14 px are needed with this gallery)"),
        ("margin", "two people enrolled are nearly equally alike"),
        ("likeness", "nobody is alike enough for a name, nor is everybody unlike enough to be ruled out"),
        ("a later lack", "nobody is alike enough for a name, nor is everybody unlike enough to be ruled out"),
    ],
)
def test_why_there_is_no_decision(missing, words):
    told = finding(a_record("undecided", basis(missing)))
    assert told.startswith(f"The software did not decide who this is: {words}. ")
    assert told.endswith("Eileen Collins: that is not a name.")


def test_no_name_says_what_the_software_found():
    assert "The face is not enough like that of anybody enrolled; the person may be enrolled all the same" in finding(
        a_record("unknown")
    )
    assert "compared this face with nobody" in finding(a_record("none"))
    assert "no size would do" in finding(a_record("undecided", basis("size", size_needed_px=None)))


def test_a_long_name_is_brief_but_where_it_stands_whole():
    assert brief("A" * 70) == "A" * 70
    assert brief("A" * 71) == "A" * 69 + "…"
    assert "the name above" in finding(a_record(identity="A" * 200))
    assert "A" * 200 in finding(a_record("unknown", identity="A" * 200))


def said(*who_and_name):
    return [Confirmation(who, "cam1", 3, name) for who, name in who_and_name]


def test_a_name_counts_once_two_people_have_confirmed_it():
    record = a_record()
    alone = Confirmed(said(("Ada", "Eileen Collins")), two_person=True)
    assert alone.lacks(record)
    assert alone.words(record) == ("Two people must confirm this name, and Ada says so, nobody else: it does not count yet.")
    both = Confirmed(said(("Ada", "Eileen Collins"), ("Grace", "eileen collins")), two_person=True)
    assert not both.lacks(record)
    assert both.words(record) == "Confirmed by Ada and Grace."
    assert "nobody has" in Confirmed(two_person=True).words(record)
    assert Confirmed().words(record) == "No person has confirmed it."
    assert Confirmed().words(a_record("unknown")) == ""
    assert not Confirmed(two_person=True).lacks(a_record("unknown"))


def test_what_people_say_of_a_track_without_a_name_is_told():
    told = Confirmed(said(("Ada", "Mary"), ("Grace", "Mary"), ("Alan", "Joan")))
    assert told.words(a_record("unknown")) == "Ada and Grace say that it is Mary. Alan says that it is Joan."


def test_who_says_that_it_is_somebody_else_is_told_beside_the_name_of_the_software():
    record = a_record()
    against = said(("Ada", "Mary"))
    assert Confirmed(against).words(record) == "No person has confirmed it. Ada says that it is Mary."
    lacks = "Two people must confirm this name, and nobody has: it does not count yet."
    assert Confirmed(against, two_person=True).words(record) == f"{lacks} Ada says that it is Mary."
    both = said(("Ada", "Mary"), ("Grace", "EILEEN  collins"))
    assert Confirmed(both).words(record) == "Confirmed by Grace. Ada says that it is Mary."


def test_the_record_of_the_run_is_told_as_it_is():
    whole = ChainStatus(True, "as it was written; nobody has signed it", "ab" * 32, 29, (), True, (), ())
    assert record_words(whole) == (
        "unchanged, by its own hashes; nobody has signed it",
        [
            "The record of the run is as it was written; nobody has signed it.",
            f"It has 29 blocks. The SHA-256 of the last one: {'ab' * 32}",
        ],
    )
    in_part = ChainStatus(True, "as it was written, signed with the key cd", "ab" * 32, 29, ("cd",), True, (), (), 2)
    briefly, told = record_words(in_part)
    assert briefly == "unchanged, by its own hashes; signed, but for what people said"
    assert told[1].startswith("2 entries of people, such as confirmations, are not signed: whoever can write")
    none = ChainStatus(False, "not", "", 0, (), True, ("chain.jsonl: is not there",), ())
    assert record_words(none)[1] == ["The record of the run cannot be checked: chain.jsonl: is not there."]
    faults = tuple(f"line {number}: changed" for number in range(9))
    briefly, told = record_words(
        ChainStatus(False, "not as it was written: line 0: changed", "ab" * 32, 2, (), True, faults, ())
    )
    assert briefly == 'NOT as it was written, see "How to verify it"'
    assert "line 4: changed." in told
    assert "4 more faults: facestream audit names all of them." in told
