"""A broker with a log, which does not know what it has: by the marks, and what lies behind them, nothing comes twice, whoever
is killed when."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.bridge.buffer import Buffer
from engine.bridge.entries import Mark
from engine.bridge.link import Answer, OnAnswer, Outgoing
from engine.bridge.names import message_id
from engine.bridge.sender import Sender
from engine.errors import LinkError
from tests.bridge.test_sender import key
from tests.patience import PATIENCE_SECONDS

PARTS = 3


class Log:
    """Adds whatever comes; a message meets its fate: ``ok``; ``unanswered``: added, and the link breaks; ``lost``: it breaks
    before."""

    def __init__(self, fates: list[str]) -> None:
        self.fates = fates
        self.parts: list[list[str]] = [[] for _ in range(PARTS)]

    async def open(self, on_answer: OnAnswer, on_break: Callable[[], None], marks: Mapping[str, int]) -> LogLink:
        return LogLink(self, on_answer, on_break, marks)


class LogLink:
    max_bytes, window_seconds = 10**6, 0.0

    def __init__(self, log: Log, on_answer: OnAnswer, on_break: Callable[[], None], marks: Mapping[str, int]) -> None:
        self._log, self._on_answer, self._on_break = log, on_answer, on_break
        self.broken: Exception | None = None
        self.marks: dict[str, int] = {} if marks else {str(n): len(part) for n, part in enumerate(log.parts)}
        self._known = {
            name: Mark(str(n), place + 1)
            for n, part in enumerate(log.parts)
            for place, name in enumerate(part)
            if marks and place >= marks.get(str(n), 0)
        }

    async def publish(self, message: Outgoing) -> None:
        if self.broken:
            raise self.broken
        name = message_id(message.key, is_gap=message.is_gap)
        if name in self._known:
            self._on_answer(Answer(message.number, repeated=True, mark=self._known[name]))
            return
        part = message.key.first_seq % PARTS
        fate = self._log.fates.pop() if self._log.fates else "ok"
        if fate != "lost":
            self._log.parts[part].append(name)
        if fate == "ok":
            mark = Mark(str(part), len(self._log.parts[part]))
            asyncio.get_running_loop().call_soon(self._on_answer, Answer(message.number, mark=mark))
        else:
            self.broken = LinkError("pulled out")
            self._on_break()

    async def close(self) -> None:
        self.broken = LinkError("closed")


async def _send(buffer: Buffer, log: Log, turns: int) -> None:
    """Send for so many turns, in each of which the disk may be reached; then nothing more is acknowledged."""
    chance = random.Random(turns)
    sending = asyncio.create_task(Sender(buffer, log.open, lambda _: None, chance=chance).run())
    for _ in range(turns):
        await asyncio.sleep(0.001)
        if chance.random() < 0.3:
            buffer.commit()
    while not sending.done():
        sending.cancel()
        await asyncio.wait([sending], timeout=0.01)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.sampled_from(["ok", "ok", "ok", "unanswered", "lost"]), max_size=20), st.lists(st.integers(1, 20), max_size=4)
)
def test_in_a_log_each_message_is_there_once_whatever_becomes_of_links_and_of_the_bridge(fates, kills):
    log, count = Log(list(fates)), 30
    with tempfile.TemporaryDirectory() as folder:
        with closing(Buffer(Path(folder), 10**9, "site", warn=lambda _: None)) as buffer:
            for seq in range(count):
                buffer.put(key(seq), b"\x80")
            buffer.commit()
        for turns in [*kills, 0]:
            # What was acknowledged and not committed is not known to the next one, as after a kill.
            with closing(Buffer(Path(folder), 10**9, "site", warn=lambda _: None)) as buffer:
                if turns:
                    asyncio.run(_send(buffer, log, turns))
                else:
                    asyncio.run(_send_all(buffer, log))
    assert sorted(name for part in log.parts for name in part) == sorted(message_id(key(n), is_gap=False) for n in range(count))


async def _send_all(buffer: Buffer, log: Log) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while buffer.waiting:
            await _send(buffer, log, 10)
            buffer.commit()


@pytest.mark.parametrize("streams", [1, 2])
def test_a_gap_in_front_moves_no_mark(tmp_path: Path, streams: int) -> None:
    """It may stand in the log behind what still waits, which would be sent again."""
    with closing(Buffer(tmp_path, 20_000, "site", warn=lambda _: None)) as buffer:
        for seq in range(50):
            buffer.put(key(seq)._replace(stream=f"cam{seq % streams}"), bytes(1000))
        buffer.commit()
        waiting = buffer.after(None, 100, 10**6)
        assert any(entry.missing for entry in waiting)
        for place, entry in enumerate(waiting):
            buffer.acknowledge(entry, Mark("log/0", 100 + place))
            buffer.commit()
            assert buffer.marks() == ({} if entry.missing else {"log/0": 100 + place})


@pytest.fixture(autouse=True, scope="module")
def _short_pauses() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.bridge.sender._FIRST_PAUSE_SECONDS", 0.001)
        patch.setattr("engine.bridge.sender._LONGEST_PAUSE_SECONDS", 0.002)
        yield
