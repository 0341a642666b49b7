"""Addresses in object storage."""

from __future__ import annotations

import pytest

from engine.contracts.stored import Place, is_stored, place_of
from engine.errors import UsageError


@pytest.mark.parametrize(
    "key", ["", "a.mp4", "a b/c%20d.mp4", "ä/é.mp4", "../up.mp4", "a//b.mp4", "x?y#z=1&w.mp4", "tapes/", "user:pass@x.mp4"]
)
def test_a_key_is_taken_as_it_is(key: str) -> None:
    assert place_of(f"s3://footage/{key}") == Place("footage", key)
    assert place_of(str(Place("footage", key))) == Place("footage", key)


def test_a_bucket_alone_is_all_of_it() -> None:
    assert place_of("S3://footage") == Place("footage")


@pytest.mark.parametrize(
    ("place", "below"),
    [("s3://b", "s3://b/job"), ("s3://b/", "s3://b/job"), ("s3://b/t", "s3://b/t/job"), ("s3://b/t/", "s3://b/t/job")],
)
def test_what_lies_below(place: str, below: str) -> None:
    assert str(place_of(place) / "job") == below


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("s3:/footage/a.mp4", "write s3://BUCKET/NAME"),
        ("s3://", "names no bucket"),
        ("s3:///a.mp4", "names no bucket"),
        ("s3://-/a.mp4", "names no bucket"),
        ("s3://AKID:secret@footage/a.mp4", "do not belong in an address"),
        ("s3://AKID@footage/a.mp4", "do not belong in an address"),
        ("s3://footage/\udcff.mp4", "are UTF-8"),
        ("s3://footage/" + "é" * 513, "1024 bytes at most, and this one has 1026"),
    ],
)
def test_what_is_no_address(address: str, words: str) -> None:
    assert is_stored(address)
    with pytest.raises(UsageError, match=words) as refused:
        place_of(address)
    assert "secret" not in str(refused.value)
    assert "AKID" not in str(refused.value)
