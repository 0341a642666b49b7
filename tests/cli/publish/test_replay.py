from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import zmq

from engine.archive.writer import DirectorySink
from engine.cli.publish.replay import _Stop
from engine.client import End, Face, Received, Subscriber
from engine.config import OutputConfig
from engine.contracts.messages import kind_of
from tests.cli.command import complains, here
from tests.patience import PATIENCE_SECONDS
from tests.publish.samples import environment
from tests.results.runs import make_run


@contextmanager
def _replaying(directory: Path, endpoint: str, *options: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "engine", "replay", str(directory), "--publish", endpoint, *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment()) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def test_a_reader_gets_the_run_twice_each_with_its_end(tmp_path: Path) -> None:
    made = make_run(tmp_path)
    endpoint = f"ipc://{tmp_path}/sock/faces"
    with _replaying(made.run.directory, endpoint, "--socket", "push", "--speed", "max", "--loop", "2") as process:
        with Subscriber(endpoint, socket="pull", follow=True, timeout_seconds=PATIENCE_SECONDS) as subscriber:
            got: list[Received] = []
            for item in subscriber:
                assert isinstance(item, Received)
                got.append(item)
                if sum(isinstance(one.message, End) for one in got) == 2:
                    break
        assert process.wait(PATIENCE_SECONDS) == 0
        assert "sent 20 messages in 2 runs" in (process.stderr.read() if process.stderr else "")
    assert [kind_of(one.message) for one in got[:10]] == [kind_of(message) for message, _ in made.sent] + ["end"]
    assert len({one.message.run_id for one in got}) == 2
    faces = [one.message for one in got if isinstance(one.message, Face)]
    assert [face.seq for face in faces] == [0, 1, 2] * 2
    assert {part.name for face in faces for part in face.parts} == {"enhanced", "original"}


def test_passes_of_a_run_without_messages_do_not_flood_who_reads(tmp_path: Path) -> None:
    DirectorySink(OutputConfig(directory=str(tmp_path / "empty")), {"run_id": "run1"}).close("completed")
    endpoint = f"ipc://{tmp_path}/sock/faces"
    with (
        _replaying(tmp_path / "empty", endpoint, "--socket", "push", "--speed", "4", "--loop", "3"),
        Subscriber(endpoint, socket="pull", follow=True, timeout_seconds=PATIENCE_SECONDS) as subscriber,
    ):
        first, second, third = (item.message.sent_ns for _, item in zip(range(3), subscriber, strict=False))
    assert min(second - first, third - second) >= 250_000_000


def test_it_waits_for_a_reader_and_can_be_stopped_meanwhile(tmp_path: Path) -> None:
    made = make_run(tmp_path)
    with _replaying(made.run.directory, f"ipc://{tmp_path}/sock/faces") as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("waiting for a reader at ipc://")
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 0
        assert "sent 0 messages in 0 runs" in process.stderr.read()


def test_a_closed_terminal_ends_it_but_not_under_nohup() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with _Stop() as stop:
            signal.raise_signal(signal.SIGHUP)
            assert not stop.is_asked()
    finally:
        signal.signal(signal.SIGHUP, before)
    with _Stop() as stop:
        signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGHUP)
        assert stop.is_asked()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_a_changed_picture_is_told_and_the_rest_is_sent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = make_run(tmp_path)
    path = made.run.directory / "faces/door/1/000000_enhanced.jpg"
    path.write_bytes(b"another")
    done = here(
        capsys, "replay", made.run.directory, "--publish", f"ipc://{tmp_path}/sock/faces", "--speed", "max", "--no-wait"
    )
    assert done.code == 1
    assert "sent 10 messages in 1 run" in done.err
    assert "000000_enhanced.jpg is no longer what was sent (SHA-256 differs): left out" in done.err


def test_what_cannot_be_published_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = make_run(tmp_path)
    run = made.run.directory
    complains(here(capsys, "replay", run, "--publish", "tcp://127.0.0.1:*", "--speed", "fast"), 2, "a number above 0, or max")
    complains(here(capsys, "replay", run, "--publish", "tcp://127.0.0.1:*", "--loop", "-1"), 2, "--loop")
    complains(here(capsys, "replay", run, "--publish", "tcp://0.0.0.0:5599"), 2, "--insecure")
    complains(here(capsys, "replay", tmp_path, "--publish", "tcp://127.0.0.1:*"), 2, "is not the output directory of a run")


def test_it_waits_for_as_many_readers_as_are_asked_for(tmp_path: Path) -> None:
    """All ask for the same, and one asks for several things: a subscription is no reader."""
    made = make_run(tmp_path)
    endpoint = f"ipc://{tmp_path}/sock/faces"

    def read() -> list[str]:
        with Subscriber(endpoint, timeout_seconds=PATIENCE_SECONDS) as subscriber:
            return [kind_of(item.message) for item in subscriber if isinstance(item, Received)]

    options = ("--wait-readers", "3", "--speed", "100", "--wait-seconds", "60")
    with _replaying(made.run.directory, endpoint, *options) as process, ThreadPoolExecutor(3) as pool:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("waiting for 3 readers at ipc://")
        with zmq.Context() as context, context.socket(zmq.SUB) as other:
            other.setsockopt(zmq.LINGER, 0)
            for topic in (b"v1/face/", b"v1/track/", b"v1/end/"):
                other.subscribe(topic)
            other.connect(endpoint)
            first = pool.submit(read)
            assert not other.poll(700), "two are there"
        readers = [first, pool.submit(read), pool.submit(read)]
        got = [one.result(PATIENCE_SECONDS) for one in readers]
        assert process.wait(PATIENCE_SECONDS) == 0
    assert [kinds[0] for kinds in got] == ["stream"] * 3
    assert got == [got[0]] * 3


def test_it_gives_up_waiting_with_who_came(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = make_run(tmp_path)
    place = ("replay", made.run.directory, "--publish", f"ipc://{tmp_path}/sock/faces")
    done = here(capsys, *place, "--wait-readers", 2, "--wait-seconds", 0.1)
    assert (done.code, "0 of 2 subscribed at ipc://" in done.err, "within 0.1 s: nothing was sent" in done.err) == (
        1,
        True,
        True,
    )
    done = here(capsys, *place, "--socket", "push", "--wait-seconds", 0)
    assert (done.code, "nobody read at ipc://" in done.err) == (1, True)
    for wrong in (("--wait-readers", 0), ("--wait-seconds", -1), ("--wait-seconds", "nan"), ("--wait-readers", 2, "--no-wait")):
        assert here(capsys, *place, *wrong).code == 2
    assert here(capsys, *place, "--wait-readers", 2, "--socket", "push").code == 2
