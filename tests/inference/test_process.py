"""The process of a device, real ones, and sessions that compute there."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from engine.contracts.orders import Warned
from engine.contracts.profile import Profile
from engine.errors import ConfigError, DeviceLostError, InferenceError, ModelError
from engine.inference import process
from engine.inference.client import InferenceClient
from engine.inference.messages import MESSAGES, Run, open_message
from engine.inference.process import inference_body
from engine.runtime.channel import ChannelClosed
from engine.runtime.listener import Listener, connect
from engine.runtime.protocol import Beat, Drain
from engine.runtime.worker import WorkerContext, start_worker
from engine.sessions.session import Session, SessionSpec, open_session
from engine.workers.links import LINKS, link_pair
from tests.inference.fake_device import DEVICE, FUSE, GREY, KILL, LOSE, FakeSession, lumas, open_fake
from tests.onnx_models import grey_model
from tests.patience import PATIENCE_SECONDS

WAIT_MS, STUCK = 5.0, 30.0


HERE = open_session(SessionSpec(grey_model()))
EXPECTED = HERE.run(lumas(2))


class Device:
    """A listener, and behind it what a supervisor starts, and starts again: here in a thread of this process."""

    def __init__(self, open: Callable[[SessionSpec], Session] = open_fake) -> None:
        self.listener = Listener(MESSAGES)
        self._open = open
        self.error: BaseException | None = None
        self.start()

    def start(self) -> None:
        """Start what answers."""
        self.supervisor, control = link_pair()
        self._thread = threading.Thread(target=self._work, args=(WorkerContext("inference-fake", control),), daemon=True)
        self._thread.start()

    def wait_for_its_end(self) -> None:
        """Return when what answers is gone."""
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive()

    def drain(self) -> Beat:
        """Let it finish; return what it did."""
        self.supervisor.send(Drain())
        self.wait_for_its_end()
        return self._context.telemetry.beat(finished=True)

    def close(self) -> None:
        if self._thread.is_alive():
            self.drain()
        self.listener.close()
        self.supervisor.close()
        self._context.control.close()

    def said(self) -> list[object]:
        """Return what the supervisor has heard."""
        heard = []
        while self.supervisor.has_message():
            heard.append(self.supervisor.receive())
        return heard

    def _work(self, context: WorkerContext) -> None:
        self._context = context
        again = Listener(MESSAGES, self.listener._socket.dup())  # a child process has its own
        try:
            inference_body(context, again, WAIT_MS, STUCK, self._open)
        except BaseException as error:
            self.error = error


@pytest.fixture
def device() -> Iterator[Device]:
    one = Device()
    yield one
    one.close()


@pytest.fixture
def client(device: Device) -> Iterator[InferenceClient]:
    one = InferenceClient(device.listener.address)
    yield one
    one.close()


def same(found: list[np.ndarray], expected: list[np.ndarray]) -> None:
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_a_session_there_is_like_one_here(client: InferenceClient, device: Device, tmp_path: Path):
    here = open_session(SessionSpec(grey_model(), name="grey"))
    with client.open(GREY) as there:
        assert (there.inputs, there.outputs) == (here.inputs, here.outputs)
        assert there.profile == Profile(1, 4, 8)
        assert there.runtime.startswith("fake over onnxruntime")
        for one, other in zip(there.run(lumas(2)), EXPECTED, strict=True):
            assert one.dtype == other.dtype
            assert np.array_equal(one, other)
            one += 1  # it belongs to the caller
        with pytest.raises(InferenceError, match=r"grey: input tensor luma, got luma \(32x32, uint8\)"):
            there.run({"luma": np.zeros((32, 32), np.uint8)})
    with pytest.raises(InferenceError, match="grey is closed"):
        there.run(lumas(1))
    with pytest.raises(ModelError, match=r"there is no model file .*gone\.onnx"):
        client.open(SessionSpec(tmp_path / "gone.onnx", device=DEVICE))
    with pytest.raises(ConfigError, match="unknown runtime 'tflite'"):
        client.open(SessionSpec(grey_model(), "tflite", DEVICE))
    path = tmp_path / os.fsdecode(b"gr\xff.onnx")
    with pytest.raises(ModelError, match="there is no model file"):
        client.open(SessionSpec(path, device=DEVICE))
    path = tmp_path / "grün.onnx"
    path.write_bytes(grey_model())
    same(client.open(SessionSpec(path, device=DEVICE)).run(lumas(2)), EXPECTED)
    client.close()
    assert device.drain().stages["inference"].items == 4


def test_several_workers_share_batches_and_each_gets_its_own(device: Device):
    clients = [InferenceClient(device.listener.address) for _ in range(3)]
    wrong: list[str] = []

    def ask(number: int) -> None:
        session = clients[number % 3].open(GREY)
        for turn in range(5):
            tensors = lumas(1 + turn % 2, 1 + 10 * number + turn)
            for one, other in zip(session.run(tensors), HERE.run(tensors), strict=True):
                if not np.allclose(one, other, rtol=1e-5, atol=1e-6):
                    wrong.append(f"{number} {turn}")

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    for client in clients:
        client.close()
    assert wrong == []
    last = device.drain()
    assert last.stages["inference"].items == 6 * 7
    assert last.counts.run["inference.batches"] < 6 * 5, "some shared one"


def test_what_was_in_hand_when_a_device_was_lost_is_asked_again_of_the_successor(
    device: Device, client: InferenceClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    fuse = tmp_path / "fuse"
    fuse.touch()
    monkeypatch.setenv(FUSE, str(fuse))
    session, found = client.open(GREY), dict[int, list[np.ndarray]]()
    threads = [
        threading.Thread(target=lambda one=first: found.update({one: session.run(lumas(2, one))})) for first in (LOSE, 100)
    ]
    for thread in threads:
        thread.start()
    device.wait_for_its_end()
    assert isinstance(device.error, DeviceLostError)
    device.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    for first in (LOSE, 100):
        same(found[first], HERE.run(lumas(2, first)))


def test_a_question_of_which_two_devices_are_lost_has_failed_and_the_next_works(device: Device, client: InferenceClient):
    session, said = client.open(GREY), list[str]()

    def ask() -> None:
        with pytest.raises(InferenceError) as error:
            session.run(lumas(1, LOSE))
        said.append(str(error.value))

    thread = threading.Thread(target=ask)
    thread.start()
    for _ in range(2):
        device.wait_for_its_end()
        device.start()
    thread.join(PATIENCE_SECONDS)
    assert said == ["grey was not computed: 2 processes of its device died one after the other"]
    same(session.run(lumas(2)), EXPECTED)


def test_a_process_that_is_killed_is_followed_by_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    fuse = tmp_path / "fuse"
    fuse.touch()
    monkeypatch.setenv(FUSE, str(fuse))
    listener = Listener(MESSAGES)
    client, found = InferenceClient(listener.address), list[list[np.ndarray]]()
    workers = [start_worker("inference-fake", inference_body, listener, WAIT_MS, STUCK, open_fake, codec=LINKS)]
    thread = threading.Thread(target=lambda: found.append(client.open(GREY).run(lumas(2, KILL))))
    thread.start()  # it waits until there is somebody
    workers[0].process.join(PATIENCE_SECONDS)
    assert workers[0].process.exitcode == -signal.SIGKILL
    workers.append(start_worker("inference-fake", inference_body, listener, WAIT_MS, STUCK, open_fake, codec=LINKS))
    thread.join(PATIENCE_SECONDS)
    same(found[0], HERE.run(lumas(2, KILL)))
    client.close()
    workers[1].control.send(Drain())
    workers[1].process.join(PATIENCE_SECONDS)
    assert workers[1].process.exitcode == 0
    for worker in workers:
        worker.close()
    listener.close()


def test_who_waits_while_the_line_is_closed_gets_an_error():
    gate, session = threading.Event(), FakeSession(GREY)
    session.gate = gate
    device = Device(lambda spec: session)
    client = InferenceClient(device.listener.address)
    remote, said = client.open(GREY), list[str]()

    def ask() -> None:
        with pytest.raises(InferenceError) as error:
            remote.run(lumas(1))
        said.append(str(error.value))

    thread = threading.Thread(target=ask)
    thread.start()
    while not session.runs:
        assert thread.is_alive()
    client.close()
    thread.join(PATIENCE_SECONDS)
    gate.set()
    assert said == ["the connection to the device's process is closed"]
    device.close()


def test_what_a_device_has_no_memory_for_is_told_to_the_supervisor():
    device = Device(lambda spec: FakeSession(spec, most_items=3))
    client = InferenceClient(device.listener.address)
    same(client.open(GREY).run(lumas(6)), HERE.run(lumas(6)))
    client.close()
    device.drain()
    told = [one for one in device.said() if isinstance(one, Warned)]
    assert told == [Warned("", "the device has no memory for 8 items of 1x32x32 of grey at once: 3 from now on")]
    device.close()


def test_a_device_that_does_not_answer_makes_its_process_silent():
    one = process._InferenceProcess.__new__(process._InferenceProcess)
    one._since, one._stuck_seconds = {1: 100.0, 2: 125.0}, 7.0
    assert not one._is_stuck(107.0)
    assert one._is_stuck(107.1)


def test_who_reads_no_answers_holds_up_no_other(device: Device, client: InferenceClient):
    """It used to stop the device for all: an answer waited for room in the pipe of a worker that hung."""
    deaf, taken = connect(device.listener.address, MESSAGES), threading.Event()

    def ask() -> None:
        deaf.send(open_message(1, GREY))
        with suppress(ChannelClosed):
            for ticket in range(2, 40):
                deaf.send(Run(ticket, 1, ["luma"], [lumas(8, side=64)["luma"]]))
            taken.set()

    threads = [threading.Thread(target=ask, daemon=True)]
    found = list[list[np.ndarray]]()
    threads.append(
        threading.Thread(
            target=lambda: taken.wait(PATIENCE_SECONDS) and found.append(client.open(GREY).run(lumas(2))), daemon=True
        )
    )
    for thread in threads:
        thread.start()
    threads[1].join(PATIENCE_SECONDS)
    deaf.hang_up()
    threads[0].join(PATIENCE_SECONDS)
    deaf.close()
    same(found[0], EXPECTED)
