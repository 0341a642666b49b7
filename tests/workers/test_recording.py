"""One recording's fault is that recording's end: what the reader says, hands over, and goes on with."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from engine.config import DecodeConfig
from engine.contracts.frames import Frame, FrameTime, Planes
from engine.contracts.orders import Assign, Refused, WantRecording
from engine.contracts.recording import Sent
from engine.contracts.streams import InputFile, StreamChanged
from engine.decode import recording as recording_readers
from engine.errors import SourceError, WorkerError
from engine.runtime.channel import Channel, ChannelClosed
from engine.runtime.frame_slots import PoolOpened, SlotReleased
from engine.runtime.protocol import Attach, Beat, Drain, Ready
from engine.runtime.worker import WorkerContext
from engine.workers import input_hash, reading
from engine.workers.links import FrameReady, link_pair
from engine.workers.recording import RecordingWorker, recording_body
from tests.patience import PATIENCE_SECONDS, until

FRAMES = 6
Fault = Callable[[], None]


class Faulty:
    """A decoder of six small frames; what ``faults`` names for its stream happens before the third."""

    faults: dict[str, Fault] = {}
    meanwhile: Fault

    def __init__(self, name: str, path: Path, config: DecodeConfig, detect_every: int, *_: object) -> None:
        self._name, self.counters = name, {"frames": 0}

    def __enter__(self) -> Faulty:
        return self

    def __exit__(self, *_: object) -> None:
        self.faults.get(f"{self._name} closes", lambda: None)()

    def __iter__(self) -> Iterator[Frame | StreamChanged]:
        self.faults.get(f"{self._name} opens", lambda: None)()
        yield StreamChanged(self._name, "connecting")
        yield StreamChanged(self._name, "live", width_px=16, height_px=16)
        planes = Planes(*(np.zeros((size, size), np.uint8) for size in (16, 8, 8)))
        for index in range(FRAMES):
            if index == 2:
                self.faults.get(self._name, lambda: None)()
            self.counters["frames"] += 1
            yield Frame(self._name, FrameTime(index, index, (1, 25), index / 25, 0), planes)
        if f"{self._name} ends" not in self.faults:
            yield StreamChanged(self._name, "ended", "end_of_file", counters=dict(self.counters))


@dataclass
class Bench:
    """A decode worker in a thread, with a perceive that takes everything and a supervisor that hands out ``streams``."""

    folder: Path
    streams: list[str]
    refuses: str = ""
    drains_after: int = 1000
    drain: Drain = field(default_factory=lambda: Drain("drained"))
    drains: threading.Event = field(default_factory=threading.Event)
    """Set once the worker was told to drain."""
    said: list[object] = field(default_factory=list)
    told: list[object] = field(default_factory=list)

    def run(self, unsaid: list[StreamChanged] | None = None) -> Bench:
        supervisor, control = link_pair()
        perceive, downstream = link_pair()
        arguments = (WorkerContext("decode-1", control), downstream, DecodeConfig(pool_slots=2), 1, unsaid or [])
        worker = threading.Thread(target=recording_body, args=arguments, daemon=True)
        listener = threading.Thread(target=self._perceive, args=(perceive, supervisor), daemon=True)
        worker.start()
        listener.start()
        waiting = list(self.streams)
        while worker.is_alive() or supervisor.has_message(0):
            if not supervisor.has_message(0.05):
                continue
            self.told.append(supervisor.receive())
            if isinstance(self.told[-1], WantRecording):
                stream = waiting.pop(0) if waiting else ""
                supervisor.send(Assign(Sent(stream, bytes(self.folder / f"{stream}.mp4"))) if stream else Drain())
        worker.join(PATIENCE_SECONDS)
        listener.join(PATIENCE_SECONDS)
        for channel in (supervisor, control, perceive, downstream):
            channel.close()
        return self

    def _perceive(self, channel: Channel, supervisor: Channel) -> None:
        while not (self.said and isinstance(self.said[-1], Drain)):
            link = channel.receive()
            self.said.append(link)
            if isinstance(link, FrameReady):
                if link.stream == self.refuses:
                    channel.send(Refused(link.stream, "detect failed: no"))
                if len(self.frames) == self.drains_after:
                    supervisor.send(self.drain)
                    self.drains.set()
                channel.send(SlotReleased(link.picture.pool_id, link.picture.slot))

    @property
    def frames(self) -> list[FrameReady]:
        return [link for link in self.said if isinstance(link, FrameReady)]

    def last(self, stream: str) -> StreamChanged:
        """The last state, which is one, is said once, and told to the supervisor too."""
        ends = [s for s in self.said if isinstance(s, StreamChanged) and s.stream == stream and s.state in ("ended", "failed")]
        assert len(ends) == 1
        assert ends[0] in self.told
        assert [link for link in self.said if getattr(link, "stream", "") == stream][-1] == ends[0]
        return ends[0]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(recording_readers, "Decoder", Faulty)
    monkeypatch.setattr(Faulty, "faults", {})
    streams = ["first", "bad", "last"]
    for stream in streams:
        (tmp_path / f"{stream}.mp4").write_bytes(stream.encode())
    return Bench(tmp_path, streams)


def raises(error: Exception) -> Fault:
    def fault() -> None:
        raise error

    return fault


@pytest.mark.parametrize("where", ["bad", "bad opens", "bad closes", "bad ends"])
@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("31 is not a valid Type"), "ValueError: 31 is not a valid Type (test_recording.py, line "),
        (MemoryError(), "MemoryError (test_recording.py, line "),
        (OSError(5, "Input/output error"), "OSError: [Errno 5] Input/output error"),
        (RecursionError("too deep"), "RecursionError: too deep"),
        (SourceError("the disk was pulled out", "not_found"), "the disk was pulled out"),
        (WorkerError("no memory for a frame pool"), "no memory for a frame pool"),
    ],
)
def test_whatever_reading_raises_fails_that_recording_alone(bench: Bench, where: str, error: Exception, words: str):
    Faulty.faults[where] = raises(error)
    bench.run()
    bad = bench.last("bad")
    assert (bad.state, bad.reason) == ("failed", "unexpected")
    if where != "bad ends":
        assert f"{bench.folder / 'bad.mp4'}: reading it failed: {words}" in bad.detail
    for stream in ("first", "last"):
        assert bench.last(stream).state == "ended"
        assert [frame.time.frame_index for frame in bench.frames if frame.stream == stream] == list(range(FRAMES))
    given = {"bad": 2, "bad opens": 0, "bad closes": FRAMES, "bad ends": FRAMES}
    assert sum(frame.stream == "bad" for frame in bench.frames) == given[where] == bad.counters["frames"]


def test_a_picture_that_no_memory_is_left_for_fails_its_recording_alone(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    make = reading.FrameWriter.write

    def write(self: object, frame: Frame) -> None:
        if frame.stream == "bad":
            raise WorkerError("no memory for a frame pool of 8 frames of 900 MiB: 500 MiB are free")
        make(self, frame)

    monkeypatch.setattr(reading.FrameWriter, "write", write)
    bench.run()
    assert "bad.mp4: reading it failed: no memory for a frame pool" in bench.last("bad").detail
    assert [bench.last(stream).state for stream in ("first", "last")] == ["ended", "ended"]


def test_while_no_picture_comes_for_long_it_shows_that_it_lives(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    def beats() -> int:
        return sum(isinstance(one, Beat) for one in bench.told)

    class Slow(Faulty):
        def __iter__(self) -> Iterator[Frame | StreamChanged]:
            before = beats()
            until(lambda: self.meanwhile() or beats() > before + 1, "signs of life")
            yield from super().__iter__()

    monkeypatch.setattr(recording_readers, "Decoder", Slow)
    bench.run()
    assert [bench.last(stream).state for stream in bench.streams] == ["ended"] * 3


def test_a_recording_does_not_go_on_with_another_perceive_in_the_middle(tmp_path: Path):
    """The process ends, and what perceive knew of the recording is found again by reading it again."""
    supervisor, control = link_pair()
    perceive, downstream = link_pair()
    worker = RecordingWorker(WorkerContext("decode-1", control), downstream, DecodeConfig(), 1)
    for reads in (False, True):
        worker._reads = reads
        perceive.close()
        ours, perceive = link_pair()
        supervisor.send_channel(Attach("downstream", "perceive"), ours)
        if not reads:
            worker.hear_supervisor()
            assert worker.writer.channel is not None, "one that waits for work goes on"
        else:
            with pytest.raises(ChannelClosed):
                worker.hear_supervisor()
    for channel in (supervisor, control, perceive):
        channel.close()
    worker.writer._outbox.close()


def test_a_stream_that_perceive_refuses_is_read_no_further(bench: Bench):
    bench.refuses = "bad"
    bench.run()
    bad = bench.last("bad")
    assert (bad.state, bad.reason, bad.detail) == ("failed", "model", "detect failed: no")
    assert sum(frame.stream == "bad" for frame in bench.frames) < FRAMES
    assert bench.last("last").state == "ended"


def test_the_hash_comes_before_the_end_of_its_recording(bench: Bench):
    bench.run()
    order = [(type(link).__name__, link.stream) for link in bench.said if isinstance(link, InputFile | StreamChanged)]
    for stream in bench.streams:
        own = [kind for kind, name in order if name == stream]
        assert own.count("InputFile") == 1
        assert own[-1] == "StreamChanged"


def test_frames_do_not_wait_for_the_hash_and_a_drain_neither(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    """The first frame comes while nothing has been hashed; a run that is stopped then says so at once, without a hash."""
    slow = threading.Event()

    class Slow(input_hash.InputHash):
        def _hash(self) -> InputFile | None:
            slow.wait(60)
            return None

    monkeypatch.setattr(reading, "InputHash", Slow)
    bench.drains_after = 3
    bench.run()
    slow.set()
    assert len(bench.frames) >= 3
    assert bench.last("first").reason in ("drained", "end_of_file")
    assert not any(isinstance(link, InputFile) for link in bench.said)
    assert isinstance(bench.said[-1], Drain)
    assert bench.said[-1].outcome == "drained"


def test_a_reading_that_is_broken_off_says_by_what(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    """After the death of another worker it was said to have been stopped, as if a user had."""
    monkeypatch.setattr(Faulty, "faults", {"first": lambda: bench.drains.wait(PATIENCE_SECONDS)})
    bench.drains_after, bench.drain = 2, Drain("failed", "enhance-2 hangs")
    bench.run()
    last = bench.last("first")
    assert (last.reason, last.detail) == ("drained", "the run was stopped before the end of the recording: enhance-2 hangs")


def test_what_a_dead_reader_did_not_say_comes_first(bench: Bench):
    event = StreamChanged("crashed", "failed", "worker_died", "crashed.mp4: the worker decode-1 was killed by signal SIGSEGV")
    bench.run([event])
    assert bench.said[0] == event
    assert isinstance(bench.told[0], Ready)
    assert any(isinstance(link, PoolOpened) for link in bench.said)


def test_a_dead_perceive_ends_the_worker(bench: Bench):
    _, control = link_pair()
    perceive, downstream = link_pair()
    perceive.close()
    with pytest.raises(ChannelClosed):
        recording_body(WorkerContext("decode-1", control), downstream, DecodeConfig(), 1, [StreamChanged("a", "failed")])
