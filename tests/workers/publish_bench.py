"""A publish worker with stand-ins for its supervisor, the enhance workers and the publisher."""

from __future__ import annotations

from collections.abc import Callable

from engine.config import OutputConfig
from engine.contracts.envelope import Body, kind_of_body
from engine.contracts.faces import TrackResult
from engine.contracts.orders import Begin
from engine.contracts.streams import RunStats, StreamChanged
from engine.delivery.record import Record
from engine.runtime.channel import Channel
from engine.runtime.protocol import Attach
from engine.runtime.worker import WorkerContext
from engine.workers.links import Outgoing, link_pair, outgoing
from engine.workers.policy import policy_of
from engine.workers.publish import PublishWorker
from tests.publish.samples import track


class Heard:
    """In the place of the publisher: remembers the tracks that are sent."""

    def __init__(self) -> None:
        self.tracks: list[int] = []

    def send(self, body: TrackResult, payloads: list[memoryview], give_up: object) -> TrackResult:
        self.tracks.append(body.track.track_id)
        return body

    def poll(self) -> None: ...


def said(track_id: int) -> Outgoing:
    return outgoing(*track(track_id=track_id))


class Bench:
    """A publish worker, its supervisor's line, and the first enhance worker's."""

    def __init__(self) -> None:
        self.supervisor, control = link_pair()
        upstream, self.enhance = link_pair()
        self.heard = Heard()
        self.worker = PublishWorker(
            WorkerContext("publish", control),
            {"enhance-1": upstream},
            self.heard,  # type: ignore[arg-type]
            Record(OutputConfig(), {}, read_again=("clip",)),
            policy_of(has_camera=True),
        )
        self.worker._begin = Begin({"publish": {}})

    def replace(self) -> Channel:
        """Start another enhance worker."""
        theirs, ours = link_pair()
        self.supervisor.send_channel(Attach("upstream", "enhance-1"), theirs)
        self.worker.hear_supervisor()
        return ours

    def read(self) -> None:
        """Take all that can be read now."""
        while any(sender.channel.has_message() for sender in self.worker.inbox.senders):
            self.worker.turn(0.0)


class Blocked:
    """In the place of a publisher whose ``push`` has no room until everything that ``news`` says has been heard.

    ``news`` is called while the message waits.
    """

    def __init__(self, news: Callable[[], None]) -> None:
        self._news: Callable[[], None] | None = news
        self.sent: list[str] = []
        self.counters: dict[str, int] = {}
        self.while_seen_off: Callable[[], None] = lambda: None

    def send(self, body: Body, payloads: list[memoryview], should_stop: Callable[[], bool]) -> Body:
        news, self._news = self._news, None
        if news is not None:
            news()
            for _ in range(3):
                should_stop()
        self.sent.append(word_of(body))
        return body

    def poll(self) -> None: ...

    def wait_for_subscriber(self, should_stop: Callable[[], bool]) -> None: ...

    def see_off(self, should_stop: Callable[[], bool]) -> None:
        assert not should_stop()
        self.sent.append("seen off")
        self.while_seen_off()


def word_of(body: Body) -> str:
    match body:
        case RunStats():
            return f"stats {body.counters['frames']}"
        case StreamChanged():
            return f"{body.stream} {body.state}"
        case TrackResult():
            return f"track {body.track.track_id}"
    return kind_of_body(body)


def stats(frames: int) -> Outgoing:
    return outgoing(RunStats({}, {"frames": frames}))


def blocked_bench(news: Callable[[Bench], None]) -> tuple[Bench, Blocked]:
    bench = Bench()
    blocked = Blocked(lambda: news(bench))
    bench.worker._publisher = bench.worker.delivery._publisher = blocked  # type: ignore[assignment]
    return bench, blocked
