"""What a worker and the process of a device tell each other.

worker --Open, Run--> device     worker <--Opened, Ran, Refused-- device
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import numpy as np

from engine.contracts.profile import Profile
from engine.errors import (
    ConfigError,
    DeviceMemoryError,
    FacestreamError,
    InferenceError,
    MissingRuntimeError,
    ModelError,
    error_words,
)
from engine.runtime.codec import Array, Codec
from engine.sessions.precision import Precision
from engine.sessions.session import Session, SessionSpec
from engine.sessions.tensors import TensorSpec

_KINDS: dict[str, type[FacestreamError]] = {
    kind.__name__: kind for kind in (ConfigError, ModelError, MissingRuntimeError, InferenceError, DeviceMemoryError)
}


class Message(msgspec.Struct, frozen=True, array_like=True, tag=True, eq=False):
    """Base of all; ``ticket`` tells which answer belongs to which question."""

    ticket: int


class Open(Message, frozen=True):
    """Open a model; ``Run`` calls it by this ticket. The fields are those of ``SessionSpec``."""

    path: bytes
    """As the system has it: a file's name need not be text."""
    content: list[Array]
    """The model itself, (length,) uint8, where it is not a file."""
    runtime: str
    device: str
    precision: Precision
    profile: Profile
    threads: int
    name: bytes
    """As ``path``, which it may be."""
    output: str
    engine: str

    def spec(self) -> SessionSpec:
        """Return the spec that was sent."""
        model = self.content[0].tobytes() if self.content else Path(os.fsdecode(self.path))
        where = (self.runtime, self.device, self.precision, self.profile, self.threads)
        return SessionSpec(model, *where, os.fsdecode(self.name), self.output, self.engine)


class Tensors(msgspec.Struct, frozen=True, array_like=True):
    """A ``TensorSpec`` on its way."""

    name: str
    shape: tuple[int | None, ...] | None
    dtype: str

    def spec(self) -> TensorSpec:
        """Return the spec that was sent."""
        return TensorSpec(self.name, self.shape, np.dtype(self.dtype))


class Opened(Message, frozen=True):
    """What an open session says of itself."""

    runtime: str
    inputs: list[Tensors]
    outputs: list[Tensors]
    profile: Profile


class Run(Message, frozen=True):
    """Compute some items."""

    model: int
    """The ticket of its ``Open``."""
    names: list[str]
    tensors: list[Array]


class Ran(Message, frozen=True):
    """The outputs of a run, in the order of the session's."""

    outputs: list[Array]


class Refused(Message, frozen=True):
    """A question failed."""

    kind: str
    detail: str

    def error(self) -> FacestreamError:
        """Return the error that it failed with."""
        return _KINDS.get(self.kind, InferenceError)(self.detail)


MESSAGES = Codec([Open, Opened, Run, Ran, Refused])


def open_message(ticket: int, spec: SessionSpec) -> Open:
    """Return the message that opens a spec."""
    content = [np.frombuffer(spec.model, np.uint8)] if isinstance(spec.model, bytes) else []
    path = b"" if isinstance(spec.model, bytes) else os.fsencode(spec.model.absolute())
    where = (spec.runtime, spec.device, spec.precision, spec.profile, spec.threads)
    return Open(ticket, path, content, *where, os.fsencode(spec.name), spec.output, spec.engine)


def opened_message(ticket: int, session: Session) -> Opened:
    """Return what a session says of itself."""
    inputs, outputs = (
        [Tensors(one.name, one.shape, one.dtype.str) for one in specs] for specs in (session.inputs, session.outputs)
    )
    return Opened(ticket, session.runtime, inputs, outputs, session.profile)


def refusal(ticket: int, error: FacestreamError) -> Refused:
    """Return the answer to a question that failed."""
    kind = next((name for name, one in _KINDS.items() if type(error) is one), InferenceError.__name__)
    return Refused(ticket, kind, error_words(error))
