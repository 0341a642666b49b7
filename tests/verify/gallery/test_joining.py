import pytest

from engine.verify.gallery.joining import joining_words, namesakes
from engine.verify.gallery.records import Held

TOO = "in the gallery, too: if both are one, rename again to join them"


@pytest.mark.parametrize(
    ("people", "name", "new", "words"),
    [
        ({"Ada": 2}, "Ada", "Bob", ""),
        ({"Ada": 2, "Bob": (3, 1)}, "Ada", "Bob", "; joined with Bob, who had 3 pictures and 1 set apart"),
        ({"Ada": 2, "Bob": (0, 2)}, "Ada", "Bob", "; joined with Bob, who had 2 pictures set apart"),
        ({"Ada": 2, "Bob": 1}, "Ada", "Bob", "; joined with Bob, who had 1 picture"),
        ({"Ada": 2, "Bob": 3}, "Ada", " Bob\u200b", "; joined with Bob, who had 3 pictures"),
        ({"Ada": 2}, "Ada", "Ada", ""),
        ({"Ada": 2}, "Ada", "ada", ""),
        ({"Ada": 2, "bob": 1}, "Ada", "Bob", f"; bob is {TOO}"),
        ({"Ada": 2, "bob": 1, "B\u00f3b": 1}, "Ada", "Bob", f"; bob and B\u00f3b are {TOO}"),
        ({"Ada": 2, "bob": 1, "Bob": 1}, "Ada", "Bob", f"; joined with Bob, who had 1 picture; bob is {TOO}"),
    ],
)
def test_what_renaming_does_beyond_the_name(people, name, new, words):
    held = {who: Held(*had) if isinstance(had, tuple) else Held(had) for who, had in people.items()}
    assert joining_words(held, name, new) == words


def test_who_is_called_nearly_the_same():
    assert namesakes(("Ada", "ada", "Adam"), "Ada") == ["ada"]
