from __future__ import annotations

import asyncio
import json

import pytest

from engine.web.fan import _KEPT, _QUEUE, MOST_CLIENTS, Client, Fan
from engine.web.problems import Refusal


def drained(client: Client) -> list[bytes]:
    async def all_of_it() -> list[bytes]:
        found = []
        while text := await client.next(0):
            found.append(text)
        return found

    return asyncio.run(all_of_it())


def test_the_oldest_are_lost_and_their_number_is_told_first() -> None:
    fan, client = Fan(), Client()
    fan.join(client)
    for number in range(_QUEUE + 5):
        fan.send("face", "door", b"%d" % number)
    first, *rest = drained(client)
    assert first == b'event: lost\ndata: {"events":5}\n\n'
    assert (len(rest), rest[0].split(b"data: ")[1], fan.lost) == (_QUEUE, b"5\n\n", 5)


def test_of_what_only_the_newest_counts_only_the_newest_waits() -> None:
    fan, client = Fan(), Client()
    fan.join(client)
    for number in range(1000):
        fan.send("preview", "door", b"%d" % number)
        fan.send("status", "", b"%d" % number)
    fan.send("preview", "gate", b"7")
    assert drained(client) == [
        b"event: preview\ndata: 999\n\n", b"event: status\ndata: 999\n\n", b"event: preview\ndata: 7\n\n"
    ]  # fmt: skip
    assert fan.lost == 0


def test_bytes_are_bounded_too() -> None:
    fan, client = Fan(), Client()
    fan.join(client)
    for _ in range(100):
        fan.send("face", "door", json.dumps("x" * 100_000).encode())
    assert client._size_bytes <= 2 << 20
    assert fan._kept_bytes <= 4 << 20
    assert drained(client)[0].startswith(b"event: lost")


def test_who_comes_back_too_late_is_told_how_many_are_gone() -> None:
    fan, client = Fan(), Client()
    for number in range(_KEPT + 10):
        fan.send("end", "", b"%d" % number)
    fan.join(client, f"{fan._epoch}-4")
    assert drained(client)[0] == b'event: lost\ndata: {"events":%d}\n\n' % (6 + _KEPT - _QUEUE)


def test_those_who_left_are_forgotten_and_their_losses_are_not() -> None:
    fan, client = Fan(), Client()
    fan.join(client)
    for _ in range(_QUEUE + 3):
        fan.send("face", "door", b"1")
    fan.leave(client)
    fan.leave(client)
    assert (fan.clients, fan.lost) == (frozenset(), 3)


def test_too_many_are_refused() -> None:
    fan = Fan()
    for _ in range(MOST_CLIENTS):
        fan.join(Client())
    with pytest.raises(Refusal, match="64 are already listening"):
        fan.join(Client())


def test_one_who_holds_all_places_gives_way() -> None:
    """A token that may only look kept everybody else's console without news."""
    fan, crowd = Fan(), [Client(name="guard") for _ in range(MOST_CLIENTS)]
    for one in crowd:
        fan.join(one)
    fan.join(operator := Client(name="operator"))
    assert (crowd[0].is_over, crowd[1].is_over, operator in fan.clients, len(fan.clients)) == (True, False, True, MOST_CLIENTS)
    with pytest.raises(Refusal, match="64 are already listening"):
        fan.join(Client(name="guard"))


def test_nobody_gives_way_to_one_who_holds_as_many() -> None:
    fan = Fan()
    for number in range(MOST_CLIENTS):
        fan.join(Client(name=str(number)))
    with pytest.raises(Refusal, match="64 are already listening"):
        fan.join(Client(name="another"))
