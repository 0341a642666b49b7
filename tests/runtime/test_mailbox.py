"""Whatever happens to the reader, each message is confirmed once, lost once, or comes to a successor, in order."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.runtime.channel import channel_pair
from engine.runtime.codec import Codec
from engine.runtime.mailbox import Inbox, Outbox
from engine.runtime.protocol import Taken


class Item(msgspec.Struct, frozen=True, array_like=True, tag=True):
    number: int
    precious: bool


CODEC = Codec([Item, Taken])


class Bench:
    def __init__(self, *, on_credit: bool = True) -> None:
        self.lost: list[Item] = []
        ours, self.theirs = channel_pair(CODEC)
        self.outbox: Outbox[Item] = Outbox(ours, self._is_lost, on_credit=on_credit)

    def _is_lost(self, item: Item) -> bool:
        if not item.precious:
            self.lost.append(item)
        return not item.precious

    def replace_reader(self) -> None:
        self.theirs.close()
        ours, self.theirs = channel_pair(CODEC)
        self.outbox.attach(ours)

    def read(self) -> list[Item]:
        items = []
        while self.theirs.has_message():
            items.append(self.theirs.receive())
        return items

    def close(self) -> None:
        self.theirs.close()
        self.outbox.close()


def test_room_is_what_the_reader_grants():
    bench = Bench()
    assert not bench.outbox.has_room
    bench.theirs.send(Taken(2))
    bench.outbox.hear()
    for number in range(2):
        assert bench.outbox.has_room
        bench.outbox.send(Item(number, True))
    assert not bench.outbox.has_room
    assert len(bench.read()) == 2
    bench.theirs.send(Taken(1))
    bench.outbox.hear()
    assert bench.outbox.has_room
    bench.close()


def test_without_credit_there_is_room_while_there_is_a_reader():
    bench = Bench(on_credit=False)
    assert bench.outbox.has_room
    bench.theirs.close()
    bench.outbox.hear()
    assert not bench.outbox.has_room
    with pytest.raises(RuntimeError, match="ask has_room"):
        bench.outbox.send(Item(1, True))


steps = st.lists(st.sampled_from(["send precious", "send", "read", "confirm", "die", "die unseen"]), max_size=40)


@settings(max_examples=60, deadline=None)
@given(steps)
def test_nothing_is_lost_twice_or_silently(plan: list[str]):
    bench, number, unconfirmed, got = Bench(on_credit=False), 0, 0, []
    sent: list[Item] = []
    for step in plan:
        if step.startswith("send"):
            item = Item(number, step.endswith("precious"))
            number += 1
            sent.append(item)
            bench.outbox.send(item)
        elif step == "read":
            new = bench.read()
            got += new
            unconfirmed += len(new)
        elif step == "confirm" and unconfirmed:
            bench.theirs.send(Taken(1))
            unconfirmed -= 1
        elif step.startswith("die"):
            if step == "die unseen":
                bench.theirs.close()
                bench.outbox.hear()
            bench.replace_reader()
            unconfirmed = 0
            while (owed := bench.outbox.take_owed()) is not None:
                bench.outbox.send(owed)
    got += bench.read()
    bench.close()
    lost = {item.number for item in bench.lost}
    assert len(lost) == len(bench.lost)
    assert all(not item.precious for item in bench.lost)
    came = {item.number for item in got}
    assert came | lost == {item.number for item in sent}, "every message came, or was counted"
    last = {item.number: place for place, item in enumerate(got)}
    order = [item.number for item in sorted((item for item in got if item.precious), key=lambda item: last[item.number])]
    assert list(dict.fromkeys(order)) == sorted(set(order)), "what goes to a successor keeps its order"


def test_what_a_dead_sender_had_sent_is_read_before_its_successor():
    first, reading = channel_pair(CODEC)
    inbox = Inbox({"a": reading}, replaced=True)
    (sender,) = inbox.senders
    first.send(Item(0, True))
    second, channel = channel_pair(CODEC)
    assert inbox.attach("a", channel) is None, "not yet"
    second.send(Item(1, True))
    first.close()
    assert [sender.receive() for _ in range(2)] == [Item(0, True), None]
    successor = inbox.lose(sender)
    assert successor is not None
    assert inbox.senders == [successor]
    assert not inbox.reads(sender)
    assert successor.receive() == Item(1, True)
    successor.confirm()
    assert second.receive() == Taken(1)
    second.close()
    assert inbox.lose(successor) is None
    assert (inbox.awaits("a"), inbox.is_over) == (True, False)
    successor.confirm()  # to nobody
    third, channel = channel_pair(CODEC)
    assert inbox.attach("b", channel) in inbox.senders
    inbox.end(inbox.senders[0])
    assert inbox.stop_replacing() == [successor]
    assert inbox.is_over
    third.close()


@pytest.mark.parametrize("left_unread", [True, False])
def test_nobody_is_awaited_after_one_that_was_removed(left_unread: bool):
    writing, reading = channel_pair(CODEC)
    inbox = Inbox({"a": reading}, replaced=True)
    (sender,) = inbox.senders
    writing.close()
    if left_unread:
        assert inbox.detach("a") is None, "what it had sent is read first"
        assert inbox.lose(sender) is None
    else:
        assert inbox.lose(sender) is None
        assert inbox.detach("a") is sender
    assert inbox.is_over


@pytest.mark.parametrize("says_its_last_word", [True, False])
def test_a_name_that_was_removed_and_given_again_is_read_when_its_last_bearer_was(says_its_last_word: bool):
    """The supervisor is quick, the reader late: both orders are there before what the old one sent has been read."""
    old, reading = channel_pair(CODEC)
    inbox = Inbox({"a": reading}, replaced=True)
    (sender,) = inbox.senders
    new, channel = channel_pair(CODEC)
    assert inbox.detach("a") is None
    assert inbox.attach("a", channel) is None
    old.close()
    successor = inbox.end(sender) if says_its_last_word else inbox.lose(sender)
    assert successor is not None
    assert inbox.senders == [successor]
    new.send(Item(7, True))
    assert successor.receive() == Item(7, True)
    new.close()
    assert inbox.lose(successor) is None
    assert inbox.awaits("a"), "it was not the one that was removed: it is replaced"


@pytest.mark.parametrize("comes_late", [False, True])
def test_who_replaces_one_that_died_after_its_last_word_is_not_read(comes_late: bool):
    old, reading = channel_pair(CODEC)
    inbox = Inbox({"a": reading}, replaced=True)
    (sender,) = inbox.senders
    new, channel = channel_pair(CODEC)
    old.close()
    if comes_late:
        assert inbox.end(sender) is None
    assert inbox.attach("a", channel) is None
    if not comes_late:
        assert inbox.end(sender) is None
    assert inbox.is_over
    new.close()
    inbox.detach("a")
    new, channel = channel_pair(CODEC)
    assert inbox.attach("a", channel) in inbox.senders, "who has the name of one that was removed is another"
    new.close()


def test_an_answer_may_name_the_message_that_it_settles():
    """Not all readers are done with messages in their order."""
    ours, theirs = channel_pair(CODEC)
    items = [Item(number, True) for number in range(3)]
    outbox: Outbox[Item] = Outbox(
        ours, lambda item: False, on_credit=False, settled_by=lambda answer: items[answer.number] if answer.precious else None
    )
    for item in items:
        outbox.send(item)
    theirs.send(Item(1, True))
    theirs.send(Item(2, False))
    outbox.hear()
    theirs.close()
    outbox.hear()
    assert [outbox.take_owed() for _ in range(3)] == [items[0], items[2], None]


def test_one_that_goes_on_waits_for_whoever_may_come() -> None:
    inbox = Inbox({}, replaced=True, goes_on=True)
    assert not inbox.is_over
    assert inbox.stop_replacing() == []
    assert inbox.is_over
    assert Inbox({}, replaced=True).is_over
