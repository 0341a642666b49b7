import pytest
from hypothesis import given
from hypothesis import strategies as some

from engine.errors import ConfigError
from engine.keys.topics import check_rights, granted, may_read

LEVELS = some.lists(some.sampled_from(["face/", "track/", "door/", "door2/", "1/"]), max_size=4).map(
    lambda levels: "v1/" + "".join(levels)
)


def test_no_topics_mean_everything_and_doubles_are_one():
    assert check_rights([]) == ("v1/",)
    assert check_rights(["v1/end/", "v1/face/door/", "v1/end/"]) == ("v1/end/", "v1/face/door/")


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "v1",
        "v1/face",
        "v1/face/door",
        "face/door/",
        "v1/faces/",
        "v1/face/door/7/",
        "v2/",
        "v1/face//",
        "v1/stats/x/",
        "v1/face/a b/",
        "*",
    ],
)
def test_what_is_no_whole_level_of_a_topic_is_refused(wrong):
    """``v1/face/door`` would be a right to ``door2`` as well."""
    with pytest.raises(ConfigError, match="is not a topic that may be given: use v1/"):
        check_rights([wrong])


@given(LEVELS, some.lists(LEVELS, max_size=3), LEVELS)
def test_who_asks_gets_a_message_if_it_is_both_asked_for_and_allowed(asked, rights, topic):
    gets = any(topic.encode().startswith(prefix) for prefix in granted(asked.encode(), rights))
    assert gets == (topic.startswith(asked) and any(topic.startswith(right) for right in rights))


def test_a_question_cut_short_gets_no_more_than_the_right():
    assert granted(b"", ("v1/face/door/",)) == {b"v1/face/door/"}
    assert granted(b"v1/face/do", ("v1/face/door/",)) == {b"v1/face/door/"}
    assert granted(b"v1/face/door2/", ("v1/face/door/",)) == set()


def test_a_series_may_be_read_below_a_right():
    assert may_read("v1/face/door/", ("v1/face/",))
    assert not may_read("v1/face/", ("v1/face/door/",))
