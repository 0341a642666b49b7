from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine.client import End, Face, Received, Subscriber
from engine.contracts.messages import kind_of
from tests.cli.command import complains, here
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
        with Subscriber(endpoint, socket="pull", follow=True, timeout_seconds=30) as subscriber:
            got: list[Received] = []
            for item in subscriber:
                assert isinstance(item, Received)
                got.append(item)
                if sum(isinstance(one.message, End) for one in got) == 2:
                    break
        assert process.wait(30) == 0
        assert "sent 20 messages in 2 runs" in (process.stderr.read() if process.stderr else "")
    assert [kind_of(one.message) for one in got[:10]] == [kind_of(message) for message, _ in made.sent] + ["end"]
    assert len({one.message.run_id for one in got}) == 2
    faces = [one.message for one in got if isinstance(one.message, Face)]
    assert [face.seq for face in faces] == [0, 1, 2] * 2
    assert {part.name for face in faces for part in face.parts} == {"enhanced", "original"}


def test_it_waits_for_a_reader_and_can_be_stopped_meanwhile(tmp_path: Path) -> None:
    made = make_run(tmp_path)
    with _replaying(made.run.directory, f"ipc://{tmp_path}/sock/faces") as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("waiting for a reader at ipc://")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert "sent 0 messages in 0 runs" in process.stderr.read()


def test_a_changed_picture_is_told_and_the_rest_is_sent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = make_run(tmp_path)
    path = made.run.directory / "faces/door/1/000000_enhanced.jpg"
    path.write_bytes(b"another")
    done = here(
        capsys, "replay", made.run.directory, "--publish", f"ipc://{tmp_path}/sock/faces", "--speed", "max", "--no-wait"
    )
    assert done.code == 1
    assert "sent 10 messages in 1 run" in done.err
    assert "000000_enhanced.jpg is not what was sent (SHA-256): left out" in done.err


def test_what_cannot_be_published_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = make_run(tmp_path)
    run = made.run.directory
    complains(here(capsys, "replay", run, "--publish", "tcp://127.0.0.1:*", "--speed", "fast"), 2, "a number above 0, or max")
    complains(here(capsys, "replay", run, "--publish", "tcp://127.0.0.1:*", "--loop", "-1"), 2, "--loop")
    complains(here(capsys, "replay", run, "--publish", "tcp://0.0.0.0:5599"), 2, "--insecure")
    complains(here(capsys, "replay", tmp_path, "--publish", "tcp://127.0.0.1:*"), 1, "is not the output directory of a run")
