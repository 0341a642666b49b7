from __future__ import annotations

import msgspec

from engine.archive.corrections import TrackRef, new_correction
from engine.desk.confirmed import confirmations
from engine.exhibit.two_person import confirmed_by

A, B = (TrackRef("run1", "yard", number) for number in (1, 2))


def named(who: str, name: str = "Ada", **more: str):
    return new_correction(who, "name", [A, B], name=name, **more)


def by(corrections, track: int, name: str = "Ada") -> tuple[str, ...]:
    return confirmed_by(confirmations(corrections, "run1"), "yard", track, name)


def test_two_people_can_confirm_a_name():
    first, second = named("eve"), named("mallory")
    undone = [first, second, new_correction("ada", "undo", undoes=second.id)]
    assert by([first, second], 1) == ("eve", "mallory")
    assert by(undone, 2) == ("eve",)
    assert confirmations([first], "run2") == []


def test_a_split_takes_back_what_was_said_of_its_tracks_before():
    first, second = named("eve"), named("mallory")
    split = new_correction("ada", "split", [B], [A])
    said = [first, second, split]
    assert (by(said, 1), by(said, 2)) == (("eve", "mallory"), ())
    assert by([*said, named("eve")], 2) == ("eve",), "whoever says it afterwards has seen the split"
    assert by([*said, new_correction("ada", "undo", undoes=split.id)], 2) == ("eve", "mallory")


def test_an_erased_name_takes_back_an_earlier_one_and_an_erased_note_takes_back_nothing():
    erased = msgspec.structs.replace(named("eve", "Bob"), name="", erased=True)
    assert by([named("eve"), erased], 1) == ()
    assert by([msgspec.structs.replace(named("eve", note="not [name]"), erased=True)], 1) == ("eve",)
