import subprocess
import sys
import threading
from contextlib import closing

import pytest

from engine.errors import PublishError
from engine.lock import DirectoryLock, is_at, lock_within, try_lock
from tests.publish.samples import environment

CODE = (
    "import sys; from pathlib import Path; from engine.lock import DirectoryLock\n"
    "lock = DirectoryLock(Path(sys.argv[1])); print('locked', flush=True); sys.stdin.read()\n"
)


def test_the_lock_goes_with_its_process(tmp_path):
    command = [sys.executable, "-c", CODE, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()) as process:
        assert process.stdout.readline() == b"locked\n"
        with pytest.raises(PublishError, match=r"another run is writing to .* now: wait for it to end, or choose another"):
            DirectoryLock(tmp_path, 0.0)
        process.kill()
    DirectoryLock(tmp_path, 0.0).close()
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_is_given_back_soon_is_waited_for(tmp_path):
    first, given_back = DirectoryLock(tmp_path), threading.Event()

    def give_back() -> None:
        given_back.set()
        first.close()

    timer = threading.Timer(0.1, give_back)
    timer.start()
    with closing(DirectoryLock(tmp_path, 10.0)):
        assert given_back.is_set()
    timer.join()


def test_an_open_file_is_locked_once_and_waited_for_no_longer_than_said(tmp_path):
    with (tmp_path / "a").open("w") as ours, (tmp_path / "a").open("w") as other:
        assert try_lock(other.fileno())
        assert not try_lock(ours.fileno())
        assert not lock_within(ours.fileno(), 0.0)
        other.close()
        assert lock_within(ours.fileno(), 10.0)
        assert is_at(tmp_path / "a", ours.fileno())
        (tmp_path / "a").unlink()
        assert not is_at(tmp_path / "a", ours.fileno())
