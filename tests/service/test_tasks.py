"""Children that die, hang or lie: a sentence each, and nothing is left."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.config import DetectConfig
from engine.config.verify import VerifyConfig
from engine.service.refusal import Refusal
from engine.service.task_messages import SelfTested, SelfTestTask, TaskReply, encode_task_reply
from engine.service.tasks import MOST_AT_ONCE, Tasks
from tests.patience import PATIENCE_SECONDS, until
from tests.processes import open_files

TASK = SelfTestTask(detect=DetectConfig(), verify=VerifyConfig(), generator="none", strength=1.0)
READ = "import os, struct, sys; n, = struct.unpack('<Q', sys.stdin.buffer.read(8)); sys.stdin.buffer.read(n)\n"
GOOD = encode_task_reply(TaskReply(result=SelfTested(detail="done")))


def children() -> set[str]:
    return {name for name in os.listdir("/proc") if name.isdigit() and _parent(name) == os.getpid()}


def _parent(pid: str) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def tasks(program: str, said: list[str] | None = None) -> Tasks:
    return Tasks((said if said is not None else []).append, [sys.executable, "-c", READ + textwrap.dedent(program)])


def answer(content: bytes) -> str:
    return f"sys.stdout.buffer.write(struct.pack('<Q', {len(content)}) + {content!r})"


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    before, files = children(), open_files()
    yield
    assert not children() - before
    assert not open_files() - files


def test_an_answer() -> None:
    assert tasks(answer(GOOD)).run(TASK, SelfTested, 30.0).detail == "done"


@pytest.mark.parametrize(
    ("program", "code", "words"),
    [
        ("os.kill(os.getpid(), 11)", "failed", "ended by signal 11, perhaps because the picture is damaged"),
        ("os._exit(3)", "failed", "ended with exit code 3"),
        ("pass", "failed", "ended with exit code 0"),
        ("sys.stdout.buffer.write(b'abc')", "failed", "ended with exit code 0"),
        (answer(b"\xc1"), "failed", "ended"),
        ("sys.stdout.buffer.write(struct.pack('<Q', 1 << 62))", "failed", "ended"),
        (answer(GOOD)[:-3] + "[:9])", "failed", "ended"),
        (answer(encode_task_reply(TaskReply())), "failed", "gave an unexpected answer"),
    ],
)
def test_one_that_dies_or_lies(program: str, code: str, words: str) -> None:
    with pytest.raises(Refusal, match=words) as caught:
        tasks(program).run(TASK, SelfTested, 30.0)
    assert caught.value.problem.code == code


def test_one_that_hangs_is_killed_when_the_time_is_over() -> None:
    with pytest.raises(Refusal, match="not done in time") as caught:
        tasks("import threading; threading.Event().wait()").run(TASK, SelfTested, 0.5)
    assert caught.value.problem.code == "deadline"
    with pytest.raises(Refusal, match="no time left"):
        tasks("").run(TASK, SelfTested, 0.0)


def test_there_are_not_more_than_so_many() -> None:
    slow, refusals = tasks("import threading; threading.Event().wait()"), []

    def wait() -> None:
        try:
            slow.run(TASK, SelfTested, 60.0)
        except Refusal as refusal:
            refusals.append(refusal.problem.code)

    waiting = [threading.Thread(target=wait) for _ in range(MOST_AT_ONCE)]
    before = children()
    for one in waiting:
        one.start()
    until(lambda: len(children() - before) == MOST_AT_ONCE)
    with pytest.raises(Refusal, match="the most allowed") as caught:
        slow.run(TASK, SelfTested, 60.0)
    assert caught.value.problem.code == "busy"
    slow.close()
    for one in waiting:
        one.join()
    assert refusals == ["failed"] * MOST_AT_ONCE


def test_one_whose_parent_dies_ends(tmp_path: Path) -> None:
    """The real child, which waits for nothing but its standard input."""
    with subprocess.Popen(
        [sys.executable, "-m", "engine.service.task"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdin is not None
        child.stdin.write(b"\x08")
        child.stdin.close()
        assert child.wait(PATIENCE_SECONDS) == 1
