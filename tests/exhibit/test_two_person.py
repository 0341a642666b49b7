"""A name stands as confirmed when two different people have said so."""

from engine.exhibit import Confirmation, confirmed_by, is_shown


def by(*said):
    confirmations = [Confirmation(who, "door", 3, name, takes_back) for who, name, takes_back in said]
    return confirmed_by([*confirmations, Confirmation("Eve", "door", 4, "Ada")], "door", 3, "Ada")


def test_two_different_people_are_needed():
    assert is_shown(by(("Bob", "Ada", False), ("Carol", "Ada", False)), two_person=True)
    assert by(("Carol", "Ada", False), ("Bob", "Ada", False)) == ("Bob", "Carol")
    assert not is_shown(by(("Bob", "Ada", False)), two_person=True)
    assert is_shown(by(("Bob", "Ada", False)), two_person=False)
    assert not is_shown(by(), two_person=False)


def test_one_person_in_two_spellings_is_one():
    assert not is_shown(by(("Bob", "Ada", False), (" BOB ", "ada", False)), two_person=True)
    assert not is_shown(by(("", "Ada", False), (" ", "Ada", False)), two_person=False)
    assert not is_shown(["Bob", "bob"], two_person=True)


def test_the_last_word_of_each_counts():
    assert by(("Bob", "Ada", False), ("Bob", "Ada", True)) == ()
    assert by(("Bob", "Ada", False), ("Bob", "Grace", False)) == ()
    assert by(("Bob", "Grace", False), ("Bob", "Ada", False)) == ("Bob",)
