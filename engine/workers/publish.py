"""The process that hands results out: it gives ``Delivery`` what the enhance processes say."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from engine.config import PublishConfig
from engine.contracts.counts import Counts
from engine.contracts.orders import Begin, CountedBefore, Warned
from engine.contracts.streams import RunStats, StreamChanged
from engine.delivery.delivery import Delivery
from engine.delivery.record import Record
from engine.delivery.traces import Traces, tracing
from engine.publish.opening import Publisher, open_publisher
from engine.runtime.actor import Actor
from engine.runtime.channel import Channel
from engine.runtime.mailbox import Sender
from engine.runtime.protocol import Drain
from engine.runtime.worker import WorkerContext
from engine.workers.held_orders import HeldOrders
from engine.workers.links import Outgoing
from engine.workers.policy import Policy


def publish_body(
    context: WorkerContext, upstreams: dict[str, Channel], config: PublishConfig, record: Record, policy: Policy, again: bool,
    tap: str = "",
) -> None:  # fmt: skip
    """Work until every upstream, which enhances, has sent Drain; publish ``end``. ``again``: this replaces one that died."""
    record = record.reopened() if again else record
    with tracing(config.traces, context.control.send) as traces, open_publisher(  # closed first: traces may take seconds
        config, str(record.run["run_id"]), live=policy.is_prompt, next_seq=record.next_seq,
        warn=lambda sentence: context.control.send(Warned("", sentence)), tap=tap,
    ) as publisher:  # fmt: skip
        context.clean_up_after_parent(publisher.remove_socket_files)
        context.ready({"endpoint": publisher.bound_endpoint, "replay": publisher.bound_replay})
        PublishWorker(context, upstreams, publisher, record, policy, traces).run()


class PublishWorker(Actor[Any]):
    """See ``publish_body``."""

    wait_seconds = 0.05

    def __init__(self, context: WorkerContext, upstreams: dict[str, Channel], publisher: Publisher, record: Record,
                 policy: Policy, traces: Traces | None = None) -> None:  # fmt: skip
        self._publisher, self._held, self._counted_before = publisher, HeldOrders(self), Counts()
        self.delivery = Delivery(publisher, context.telemetry, upstreams, self._held.should_give_up, context.control.send,
                                 record, traces)  # fmt: skip
        self._begin: Begin | None = None
        super().__init__(context, upstreams, {}, replaced=policy.replaces_workers)

    def run(self) -> None:
        while self._begin is None and self.stopped is None:
            self.turn(self.wait_seconds)
        if (begin := self._begin) is not None:
            self.context.alive_during(lambda: self.delivery.open(begin.facts))  # an earlier run that it deletes may be large
        self._publisher.wait_for_subscriber(should_stop=self._held.should_give_up)
        super().run()
        totals = self.delivery.end(self.worst.outcome, self.worst.detail, self._counted_before, self.heard.now())
        self._publisher.see_off(self._held.should_give_up)
        self.context.telemetry.counts = totals  # for the last beat, which is not added to those of the others

    def reads(self, sender: Sender) -> bool:
        return self._begin is not None or self.stopped is not None

    def take(self, sender: Sender, message: Any) -> None:
        if isinstance(message, Outgoing):
            self.delivery.take(message.body, message.payloads)
        else:
            self.delivery.pass_on(message, sender.name)
        sender.confirm()

    def miss(self, sender: Sender) -> None:
        self.delivery.miss()

    def lose(self, sender: Sender) -> Drain:
        return Drain("failed", "a worker that enhances the faces died")

    def leave(self, sender: Sender) -> None:
        self.delivery.leave(sender.name, has_said_all=self.worst.outcome != "failed")

    def obey(self, order: Struct) -> None:
        match order:
            case Begin():
                self._begin = order
            case CountedBefore():
                self._counted_before = order.counts
            case Outgoing(body=RunStats() as stats):
                self.delivery.send(stats, order.payloads)
            case StreamChanged():  # of a camera of which nothing ever came, or a recording that nobody reads again
                self.delivery.give_up(order)

    def work(self) -> None:
        self._held.follow()
        self._publisher.poll()
