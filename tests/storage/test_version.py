"""One version of an object, over answers of servers that keep to what was asked, and of others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from engine.contracts.stored import Place
from engine.errors import SourceError, StorageError
from engine.storage.version import Version

WHOLE = b"0123456789"


class Body:
    """What comes of an answer."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def iter_chunks(self, size: int) -> Iterator[bytes]:
        for at in range(0, len(self.content), 3):
            yield self.content[at : at + 3]


def answer(content: bytes, **facts: object) -> dict[str, Any]:
    given = {"ETag": '"one"', "ContentLength": len(content), "Body": Body(content)} | facts
    return {name: value for name, value in given.items() if value is not None}


def part(first: int, content: bytes, of: int = 10, **facts: object) -> dict[str, Any]:
    return answer(content, ContentRange=f"bytes {first}-{first + len(content) - 1}/{of}", **facts)


@pytest.fixture
def begun() -> Version:
    """One of which four bytes have come before the connection broke."""
    version = Version(Place("footage", "a.mp4"))
    assert b"".join(version.blocks(answer(WHOLE[:4], ContentLength=10))) == b"0123"
    assert (version.is_whole, version.asked()) == (False, {"Range": "bytes=4-", "IfMatch": '"one"'})
    return version


def test_in_one_answer() -> None:
    version = Version(Place("footage", "a.mp4"))
    assert (version.is_whole, version.asked()) == (False, {})
    assert b"".join(version.blocks(answer(WHOLE))) == WHOLE
    assert (version.is_whole, version.etag) == (True, "one")


def test_an_empty_one() -> None:
    version = Version(Place("footage", "a.mp4"), "one")
    assert version.asked() == {}
    assert b"".join(version.blocks(answer(b""))) == b""
    assert version.is_whole


@pytest.mark.parametrize(
    "rest",
    [
        [part(4, WHOLE[4:])],
        [part(4, WHOLE[4:6]), part(6, WHOLE[6:])],
        [answer(WHOLE)],  # of a server that knows no parts
        [part(0, WHOLE)],
        [part(4, WHOLE[4:], ETag='W/"one"')],  # of a proxy that packs what it passes on
    ],
    ids=["the rest", "less than was asked for", "all of it", "all of it as a part", "weak"],
)
def test_what_is_missing(begun: Version, rest: list[dict[str, Any]]) -> None:
    assert b"".join(block for one in rest for block in begun.blocks(one)) == WHOLE[4:]
    assert begun.is_whole


@pytest.mark.parametrize(
    ("odd", "error", "words"),
    [
        (part(4, WHOLE[4:], ETag='"two"'), SourceError, "has changed since it was listed"),
        (answer(WHOLE, ETag='"two"'), SourceError, "has changed since it was listed"),
        (part(4, b"456", of=7), SourceError, "has changed since it was listed"),
        (answer(b"4567"), SourceError, "has changed since it was listed"),
        (part(5, WHOLE[5:]), StorageError, "begins with byte 5, and byte 4 was asked for"),
        (part(4, WHOLE[4:] + b"more"), StorageError, "the answer is longer than the object"),
        (answer(WHOLE, ETag=None), StorageError, "no ETag comes with it"),
        (answer(WHOLE, ContentLength=None), StorageError, "nothing says how long it is"),
    ],
)
def test_what_is_not_as_asked(begun: Version, odd: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        list(begun.blocks(odd))
    assert not begun.is_whole


def test_the_first_answer_may_be_of_another_version() -> None:
    with pytest.raises(SourceError, match="has changed since it was listed"):
        list(Version(Place("footage", "a.mp4"), "zero").blocks(answer(WHOLE)))


@pytest.mark.parametrize(
    ("etag", "asked"),
    [
        ('"one"', {"IfMatch": '"one"'}),
        ("one", {"IfMatch": '"one"'}),  # of servers that leave the quotation marks out
        ('W/"one"', {}),
        ("W/one", {}),
    ],
)
@pytest.mark.parametrize("listed", ["", "one"])
def test_a_weak_one_is_no_condition_as_strict_servers_refuse_it(etag: str, asked: dict[str, str], listed: str) -> None:
    version = Version(Place("footage", "a.mp4"), listed)
    list(version.blocks(answer(WHOLE[:4], ContentLength=10, ETag=etag)))
    assert version.asked() == {"Range": "bytes=4-"} | asked


def test_nor_is_one_of_which_an_answer_was_weak(begun: Version) -> None:
    list(begun.blocks(part(4, WHOLE[4:6], ETag='W/"one"')))
    assert begun.asked() == {"Range": "bytes=6-"}
