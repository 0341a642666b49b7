import pytest

from engine.words.lists import first_of, some_of


@pytest.mark.parametrize(
    ("count", "words"), [(0, ""), (1, "0"), (8, "0, 1, 2, 3, 4, 5, 6, 7"), (9, "0, 1, 2, 3, 4, 5, 6, 7, …")]
)
def test_a_long_list_is_cut_off_and_says_so(count, words):
    assert some_of([str(number) for number in range(count)]) == words


def test_of_many_it_is_said_how_many_more_there_are():
    assert [first_of(["a", "b", "c"][:many], 2) for many in range(4)] == ["", "a", "a, b", "a, b and 1 more"]
