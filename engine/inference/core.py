"""The sessions of one device, and the batches that are formed across all who ask: pure, without process, channel or clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from engine.contracts.profile import Profile
from engine.errors import DeviceLostError, DeviceMemoryError, InferenceError, error_words
from engine.sessions.session import Session, SessionSpec, open_session
from engine.sessions.tensors import Tensor

Tag = TypeVar("Tag")


Result = list[Tensor] | InferenceError


@dataclass(frozen=True)
class Request(Generic[Tag]):
    """Some items for one model."""

    tag: Tag
    """Comes back with the result."""
    tensors: Mapping[str, Tensor]
    rows: int
    """Items: the first dimension of each tensor; 0 where they differ, so that it is computed alone."""
    since: float
    """When it came, in seconds."""


@dataclass
class Bucket:
    """One model at one size: what may share a run."""

    session: Session
    title: str
    shape: str
    """Of one item, for messages."""
    profile: Profile
    largest: int
    """Items of one run: those of the profile, or less where the device had no memory for as many."""


@dataclass(frozen=True)
class Batch(Generic[Tag]):
    """What is computed in one go."""

    bucket: Bucket
    requests: list[Request[Tag]]

    @property
    def rows(self) -> int:
        """Items of all requests."""
        return sum(request.rows for request in self.requests)


class InferenceCore(Generic[Tag]):
    """Open models, put requests, compute the batches that ``take`` returns.

    Requests of one model and one size share a batch, whoever asks. It closes when it has as many items as are best for the
    model on this device, or ``max_wait_seconds`` after its first; where one item is best none waits. What has gathered beyond
    that goes with it, up to the largest batch.

    Only ``compute`` may be called from other threads.

    Args:
        max_wait_seconds: see above.
        open: opens a session on the device.
    """

    def __init__(self, max_wait_seconds: float, open: Callable[[SessionSpec], Session] = open_session) -> None:
        self._max_wait_seconds, self._open = max_wait_seconds, open
        self._sessions: dict[SessionSpec, Session] = {}
        self._buckets: dict[Hashable, Bucket] = {}
        self._waiting: dict[Hashable, deque[Request[Tag]]] = {}
        self._news: deque[str] = deque()

    def __len__(self) -> int:
        """Requests that wait."""
        return sum(map(len, self._waiting.values()))

    def open(self, spec: SessionSpec) -> Session:
        """Return the session of a spec; equal specs share one. What it says of itself may be read, and nothing computed.

        Raises:
            ModelError, MissingRuntimeError, ConfigError: see ``open_session``.
        """
        if spec not in self._sessions:
            self._sessions[spec] = self._open(spec)
        return self._sessions[spec]

    def put(self, tag: Tag, spec: SessionSpec, tensors: Mapping[str, Tensor], now: float) -> None:
        """Queue a request for a model that is open.

        Args:
            tag: comes back with the result.
            spec: of the model.
            tensors: see ``Session.run``; the first dimension of all is the same, and counts the items.
            now: seconds on any clock that does not step back.
        """
        rows = {tensor.shape[0] if tensor.ndim else 0 for tensor in tensors.values()}
        request = Request(tag, tensors, rows.pop() if len(rows) == 1 else 0, now)
        sizes = tuple((name, tensor.dtype, tensor.shape[1:]) for name, tensor in sorted(tensors.items()))
        key = (spec, sizes)
        if key not in self._buckets:
            self._buckets[key] = self._new_bucket(spec, tensors)
        self._waiting.setdefault(key, deque()).append(request)

    def take(self, now: float) -> Batch[Tag] | None:
        """Return the batch that is to be computed next, the one that waits longest first; None if none is full or due."""
        ready = [key for key in self._waiting if self._is_ready(key, now)]
        if not ready:
            return None
        key = min(ready, key=lambda one: self._waiting[one][0].since)
        bucket, waiting = self._buckets[key], self._waiting[key]
        batch = Batch(bucket, [waiting.popleft()])
        while waiting and batch.rows and waiting[0].rows and batch.rows + waiting[0].rows <= bucket.largest:
            batch.requests.append(waiting.popleft())
        if not waiting:
            del self._waiting[key]
        return batch

    def seconds_left(self, now: float) -> float | None:
        """Return how long the next batch may still wait (not below 0); None if nothing waits."""
        firsts = [waiting[0].since for waiting in self._waiting.values()]
        return max(0.0, min(firsts) + self._max_wait_seconds - now) if firsts else None

    def compute(self, batch: Batch[Tag]) -> list[tuple[Tag, Result]]:
        """Return the result of each request of a batch. Where all together fail each is computed alone, so that none costs
        another.

        Raises:
            DeviceLostError: the device is gone, and every session of it.
        """
        bucket = batch.bucket
        try:
            return list(self._together(bucket, batch.requests))
        except DeviceLostError:
            raise
        except Exception as error:
            if len(batch.requests) == 1:
                known = error if isinstance(error, InferenceError) else InferenceError(f"{bucket.title}: {error_words(error)}")
                return [(batch.requests[0].tag, known)]
        return [each for request in batch.requests for each in self.compute(Batch(bucket, [request]))]

    def take_news(self) -> list[str]:
        """Return the sentences on what the device has no memory for, once each."""
        return [self._news.popleft() for _ in range(len(self._news))]

    def close(self) -> None:
        """Free all models."""
        for session in self._sessions.values():
            session.close()
        self._sessions.clear()
        self._buckets.clear()
        self._waiting.clear()

    def _new_bucket(self, spec: SessionSpec, tensors: Mapping[str, Tensor]) -> Bucket:
        session, shape = self._sessions[spec], next((tensor.shape for tensor in tensors.values()), ())
        profile = session.profile.at(*shape[-2:]) if len(shape) == 4 else session.profile
        return Bucket(session, spec.title, "x".join(map(str, shape[1:])), profile, profile.largest)

    def _is_ready(self, key: Hashable, now: float) -> bool:
        bucket, waiting = self._buckets[key], self._waiting[key]
        best = min(bucket.profile.best, bucket.largest)
        is_full = best <= 1 or sum(request.rows for request in waiting) >= best
        return is_full or now - waiting[0].since >= self._max_wait_seconds

    def _together(self, bucket: Bucket, requests: list[Request[Tag]]) -> Iterator[tuple[Tag, Result]]:
        first = requests[0]
        if len(requests) == 1:
            yield first.tag, self._run(bucket, first.tensors, first.rows)
            return
        joined = {name: np.concatenate([request.tensors[name] for request in requests]) for name in first.tensors}
        rows = sum(request.rows for request in requests)
        outputs, at = _split_by_item(bucket.title, self._run(bucket, joined, rows), rows), 0
        for request in requests:
            yield request.tag, [np.ascontiguousarray(output[at : at + request.rows]) for output in outputs]
            at += request.rows

    def _run(self, bucket: Bucket, tensors: Mapping[str, Tensor], rows: int) -> list[Tensor]:
        """Run as many items at once as the device has memory for."""
        least, before = max(1, bucket.profile.smallest), bucket.largest
        pieces: list[list[Tensor]] = []
        at = 0
        while at < rows or not pieces:
            runs = max(1, -(-(rows - at) // bucket.largest))
            step = -(-(rows - at) // runs)  # pieces of about one size
            whole = step == rows
            part = tensors if whole else {name: tensor[at : at + step] for name, tensor in tensors.items()}
            try:
                found = bucket.session.run(part)
            except DeviceMemoryError:
                if step <= least:
                    raise
                bucket.largest = max(least, min(bucket.largest, step) // 2)
                continue
            pieces.append(found if whole else _split_by_item(bucket.title, found, step))
            at += step
        if bucket.largest < before == bucket.profile.largest:
            self._news.append(
                f"the device has no memory for {before} items of {bucket.shape} of {bucket.title} at once: "
                f"{bucket.largest} from now on"
            )
        return pieces[0] if len(pieces) == 1 else [np.concatenate(parts) for parts in zip(*pieces, strict=True)]


def _split_by_item(title: str, outputs: list[Tensor], rows: int) -> list[Tensor]:
    """Return outputs whose first dimension counts the items.

    Raises:
        InferenceError: it does not.
    """
    if any(output.ndim == 0 or output.shape[0] != rows for output in outputs):
        got = ", ".join(str(output.shape) for output in outputs)
        raise InferenceError(f"{title} returned {got} for {rows} items, so it is unclear which belongs to which")
    return outputs
