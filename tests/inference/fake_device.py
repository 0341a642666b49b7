"""A device of our own: ONNX Runtime computes behind it, and it has little memory and falls over when it is told to."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import numpy as np
from msgspec.structs import replace

from engine.contracts.profile import Profile
from engine.errors import DeviceLostError, DeviceMemoryError, InferenceError
from engine.inference.process import inference_body
from engine.runtime.listener import Listener
from engine.runtime.worker import WorkerContext
from engine.sessions.onnxruntime_providers import ON_CUDA, ON_RTX
from engine.sessions.session import Session, SessionSpec, open_session
from engine.sessions.tensors import Tensor
from tests.onnx_models import grey_model
from tests.patience import PATIENCE_SECONDS

DEVICE = "cuda:0"
GREY = SessionSpec(grey_model(), device=DEVICE, profile=Profile(1, 4, 8), name="grey")
KILL, LOSE = 251, 252
"""First value of a uint8 tensor that ends the process, or loses the device: once, where ``FUSE`` names a file."""
FUSE = "FACESTREAM_TEST_FUSE"


def lumas(count: int, first: int = 100, side: int = 32) -> dict[str, np.ndarray]:
    """Return the input of ``GREY``: ``first`` is the first value of each item."""
    items = np.random.default_rng(first).integers(0, 200, (count, 1, side, side)).astype(np.uint8)
    items[:, :, 0, 0] = first
    return {"luma": items}


class FakeSession:
    """See ``Session``; remembers how many items each run had."""

    def __init__(self, spec: SessionSpec, most_items: int = 1000) -> None:
        runtime = "onnxruntime" if spec.runtime in (ON_CUDA, ON_RTX) else spec.runtime  # of which a CPU has no others
        self._session = open_session(replace(spec, device="cpu", runtime=runtime))
        self.runtime = f"fake over {self._session.runtime}"
        self.inputs, self.outputs = self._session.inputs, self._session.outputs
        self.profile = spec.profile_of(self.inputs)
        self.most_items = most_items
        self.runs: list[int] = []
        self.refuses: set[int] = set()
        """First values of tensors that fail."""
        self.gate: threading.Event | None = None

    def run(self, tensors: Mapping[str, Tensor]) -> list[Tensor]:
        """See ``Session.run``."""
        tensor = next(iter(tensors.values()))
        self.runs.append(len(tensor))
        if self.gate is not None:
            assert self.gate.wait(PATIENCE_SECONDS)
        if len(tensor) > self.most_items:
            raise DeviceMemoryError(f"no memory for {len(tensor)}")
        firsts = {int(item.flat[0]) for item in tensor}
        if tensor.dtype == "uint8" and KILL in firsts and _burn():
            os.kill(os.getpid(), signal.SIGKILL)
        if tensor.dtype == "uint8" and LOSE in firsts and _burn():
            raise DeviceLostError("the device that computes grey is lost: Xid 79")
        if firsts & self.refuses:
            raise InferenceError("it refuses this")
        return self._session.run(tensors)

    def close(self) -> None:
        """See ``Session.close``."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_fake(spec: SessionSpec) -> Session:
    """Open what a process of the device computes."""
    return FakeSession(spec)


def _burn() -> bool:
    """Whether it happens: always, or once, where a fuse is there."""
    path = os.environ.get(FUSE)
    if path is None:
        return True
    fuse = Path(path)
    if not fuse.exists():
        return False
    fuse.unlink()
    return True


def fake_inference_body(context: WorkerContext, listener: Listener, max_wait_ms: float, stuck_seconds: float) -> None:
    """What a crew starts, over this device."""
    inference_body(context, listener, max_wait_ms, stuck_seconds, open_fake)
