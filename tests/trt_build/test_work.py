"""Counting work."""

from trt_build.work import WorkCount


def test_each_kind_is_counted_against_its_own_total():
    told = []
    count = WorkCount(lambda *args: told.append(args), {"embedding": 5, "scoring": 2})
    count.add("embedding", 3)
    count.add("scoring")
    count.add("embedding")
    assert told == [("embedding", 3, 5), ("scoring", 1, 2), ("embedding", 4, 5)]
