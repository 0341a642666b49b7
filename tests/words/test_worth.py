import pytest

from engine.words.worth import bounded, degree, ratio, share_of_strangers, worth


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.0, ""),
        (-0.3, ""),
        (0.31, "slightly more probable"),
        (1.0, "more probable"),
        (2.0, "appreciably more probable"),
        (3.0, "much more probable"),
        (4.0, "far more probable"),
        (6.0, "exceedingly more probable"),
        (-1.5, "more probable"),
    ],
)
def test_a_power_of_ten_has_its_words(value, words):
    assert degree(value) == words


def test_a_sentence_names_whom_the_likeness_speaks_for():
    assert worth(2.5, "Ada") == "Such a likeness is appreciably more probable if it is Ada than if it is somebody else"
    assert worth(-1.2, "Ada") == "Such a likeness is more probable if it is somebody else than if it is Ada"
    assert worth(0.1, "Ada") == "Such a likeness is about as probable if it is Ada as if it is somebody else"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "1"),
        (0.3, "2"),
        (0.4, "2.5"),
        (1.0, "10"),
        (3.1, "1,300"),
        (4.38, "24,000"),
        (-1.5, "1/32"),
        (-0.01, "1"),
        (0.999, "10"),
    ],
)
def test_a_ratio_has_two_digits(value, text):
    assert ratio(value) == text


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (1.0, "100 %"),
        (0.0206, "21 in 1,000"),
        (0.001, "1 in 1,000"),
        (4e-4, "1 in 2,500"),
        (2.15e-5, "1 in 46,000"),
        (1e-9, "< 1 in 100,000"),
    ],
)
def test_a_share_of_strangers_has_whole_people_in_it(share, words):
    assert share_of_strangers(share) == words


@pytest.mark.parametrize(
    ("value", "bounds", "text"),
    [
        (3.0, (-2.0, 3.0), "1,000 or more"),
        (2.99, (-2.0, 3.0), "980"),
        (-2.0, (-2.0, 3.0), "1/100 or less"),
        (-1.7, (-2.0, 3.0), "1/50"),
        (3.0, None, "1,000"),
    ],
)
def test_a_ratio_at_a_bound_may_be_more_or_less(value, bounds, text):
    assert bounded(value, bounds) == text
