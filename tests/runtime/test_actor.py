"""Whoever dies, is replaced, removed or ends: each message is taken once, in order, and the worker knows when all is over."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.contracts.counts import Counts
from engine.runtime.actor import Actor
from engine.runtime.channel import Channel, channel_pair
from engine.runtime.codec import Codec
from engine.runtime.mailbox import Outbox, Sender
from engine.runtime.protocol import PROTOCOL, Attach, Detach, Drain, Taken
from engine.runtime.worker import WorkerContext


class Item(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """A message of somebody's: the runtime knows none of the product's."""

    number: int


class Order(msgspec.Struct, frozen=True, array_like=True, tag=True):
    word: str


CODEC = Codec([*PROTOCOL, Item, Order])


class Recorder(Actor[Item]):
    """Writes down what happens."""

    def __init__(self, context: WorkerContext, senders: dict[str, Channel], outlets: dict[str, Outbox[Item]]) -> None:
        self.story: list[str] = []
        self.taken: list[int] = []
        super().__init__(context, senders, outlets, replaced=True)

    def begin(self, sender: Sender) -> None:
        self.story.append(f"begin {sender.name}")

    def take(self, sender: Sender, message: Item) -> None:
        self.taken.append(message.number)
        sender.confirm()

    def miss(self, sender: Sender) -> None:
        self.story.append(f"miss {sender.name}")

    def lose(self, sender: Sender) -> Drain:
        self.story.append(f"lose {sender.name}")
        return Drain("failed", f"{sender.name} died")

    def leave(self, sender: Sender) -> None:
        self.story.append(f"leave {sender.name}")

    def attached(self, name: str) -> None:
        self.story.append(f"attached {name}")

    def obey(self, order: msgspec.Struct) -> None:
        assert isinstance(order, Order)
        self.story.append(order.word)


class Bench:
    def __init__(self, *names: str) -> None:
        self.supervisor, control = channel_pair(CODEC)
        self.writers: dict[str, Channel] = {}
        senders = {}
        for name in names:
            self.writers[name], senders[name] = channel_pair(CODEC)
        ours, self.reader = channel_pair(CODEC)
        self.outbox: Outbox[Item] = Outbox(ours, lambda item: False, on_credit=False)
        self.actor = Recorder(WorkerContext("worker", control), senders, {"below": self.outbox})

    def hear(self) -> Recorder:
        actor = self.actor
        while actor.context.control.has_message() or any(sender.channel.has_message() for sender in actor.inbox.senders):
            actor.turn(0.0)
        return actor

    def attach(self, name: str) -> None:
        writer, reader = channel_pair(CODEC)
        self.supervisor.send_channel(Attach("upstream", name), reader)
        if name in self.writers:
            self.writers[name].close()
        self.writers[name] = writer

    def close(self) -> None:
        for channel in (self.supervisor, self.reader, *self.writers.values()):
            channel.close()
        self.outbox.close()
        for sender in self.actor.inbox.senders:
            sender.channel.close()


def test_it_works_until_all_have_said_their_last_word():
    bench = Bench("a", "b")
    for name, writer in bench.writers.items():
        writer.send(Item(ord(name)))
        writer.send(Drain("drained" if name == "b" else "completed", "why", Counts({"items": 1})))
    bench.supervisor.send(Order("sing"))
    bench.actor.context.telemetry.counters["items"] = 5
    bench.actor.run()
    assert bench.actor.taken == [ord("a"), ord("b")]
    assert bench.actor.story == ["begin a", "begin b", "sing", "leave a", "leave b"]
    assert bench.actor.last_word() == Drain("drained", "why", Counts({"items": 7}))
    assert bench.writers["a"].receive() == Taken(1)
    bench.close()


@pytest.mark.parametrize("how", ["replaced", "not replaced", "removed"])
def test_a_death_is_missed_or_lost(how: str):
    bench = Bench("a")
    bench.writers["a"].send(Item(1))
    bench.writers["a"].close()
    actor = bench.hear()
    assert (actor.taken, actor.story, actor.is_done) == ([1], ["miss a"], False)
    if how == "replaced":
        bench.attach("a")
        bench.writers["a"].send(Item(2))
        assert bench.hear().taken == [1, 2]
        assert (actor.story, actor.worst, actor.is_done) == (["miss a", "begin a"], Drain(), False)
    else:
        bench.supervisor.send(Drain("drained") if how == "not replaced" else Detach("upstream", "a"))
        bench.hear()
        assert (actor.story, actor.is_done) == (["miss a", "lose a", "leave a"], True)
        assert actor.worst == Drain("failed", "a died")
    bench.close()


def test_what_is_read_no_more_waits_for_a_successor():
    bench = Bench("a")
    bench.writers["a"].send(Item(1))
    (sender,) = bench.actor.inbox.senders
    bench.actor.give_up(sender)
    assert bench.hear().taken == []
    assert bench.actor.story == ["miss a"]
    bench.writers["a"].send(Item(2))  # it is not told, and hangs when the pipe is full
    bench.attach("a")
    bench.writers["a"].send(Item(3))
    assert bench.hear().taken == [3]
    sender.channel.close()
    bench.close()


def test_an_outlet_gets_its_successor_and_then_the_worker_knows():
    bench = Bench("a")
    bench.outbox.send(Item(1))
    bench.reader.close()
    ours, bench.reader = channel_pair(CODEC)
    bench.supervisor.send_channel(Attach("downstream", "below"), ours)
    assert bench.hear().story == ["attached below"]
    assert (bench.outbox.take_owed(), bench.outbox.has_room) == (Item(1), True)
    bench.close()


def test_an_order_can_be_received_now_and_followed_later():
    bench = Bench("a")
    bench.writers["a"].close()
    bench.hear()
    bench.supervisor.send(Drain("drained", "enough"))
    order = bench.actor.receive_order()
    assert bench.actor.stopped == Drain("drained", "enough")
    assert bench.actor.story == ["miss a"], "what follows from it would overtake what is being sent"
    bench.actor.follow(order)
    assert bench.actor.story == ["miss a", "lose a", "leave a"]
    bench.close()


steps = st.lists(st.tuples(st.sampled_from(["send", "die", "attach", "hear", "end"]), st.sampled_from("ab")), max_size=40)


@settings(max_examples=60, deadline=None)
@given(steps)
def test_nothing_is_taken_twice_or_out_of_order(plan: list[tuple[str, str]]):
    bench, number, sent, over = Bench("a", "b"), 0, {"a": [], "b": []}, set()
    for what, name in plan:
        if name in over:
            continue
        writer = bench.writers[name]
        if what == "send" and writer.fileno() >= 0:
            writer.send(Item(2 * number + (name == "b")))
            sent[name].append(2 * number + (name == "b"))
            number += 1
        elif what == "die":
            writer.close()
        elif what == "attach":
            bench.attach(name)
        elif what == "end" and writer.fileno() >= 0:
            writer.send(Drain())
            over.add(name)
        elif what == "hear":
            bench.hear()
    bench.supervisor.send(Drain("drained"))
    for writer in bench.writers.values():
        writer.close()
    actor = bench.hear()
    assert actor.is_done
    assert [item for item in actor.taken if item % 2 == 0] == sent["a"]
    assert [item for item in actor.taken if item % 2 == 1] == sent["b"]
    assert actor.story.count("leave a") == actor.story.count("leave b") == 1
    assert (actor.worst == Drain()) == (over == {"a", "b"})
    bench.close()
