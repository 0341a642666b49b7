from engine.report.pdf.lines import lines_of


def broken(text, width):
    return list(lines_of(text, width, len))


def test_lines_are_broken_at_spaces():
    assert broken("one two three", 7) == ["one two", "three"]
    assert broken("one  two", 20) == ["one two"]


def test_line_breaks_stay():
    assert broken("one\n\ntwo", 20) == ["one", "", "two"]


def test_what_is_longer_than_a_line_is_broken_within():
    assert broken("abcdefgh xy", 3) == ["abc", "def", "gh", "xy"]
    assert broken("abcdefgh xy", 5) == ["abcde", "fgh", "xy"]
    assert broken("ab", 0.5) == ["a", "b"]


def test_a_number_stays_with_its_unit():
    assert broken("they are 97 % alike, (95 %), at 48 px.", 11) == [
        "they are",
        "97 % alike,",
        "(95 %), at",
        "48 px.",
    ]
