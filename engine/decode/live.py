"""Decodes one camera for as long as it is wanted: frames and states, over any number of connections."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Generator, Iterator
from functools import partial

from engine.config import DecodeConfig
from engine.contracts.camera import Camera
from engine.contracts.frames import Frame
from engine.contracts.messages import Reason, StreamState
from engine.contracts.streams import StreamChanged
from engine.decode.backoff import Backoff
from engine.decode.camera_errors import failure
from engine.decode.connection import WAIT_SECONDS, Announce, Connection
from engine.decode.counted import Counted, of_camera
from engine.errors import ConfigError, SourceError, WorkerError
from engine.words.redaction import redact
from engine.words.text import readable

_DETAIL_SEPARATOR = "; "
Connect = Callable[[Camera, Counted, Announce], Connection]


class LiveDecoder:
    """Reads one camera. Iterate once; not thread-safe, and it cannot be sent to another process.

    Iterating gives indefinitely:

    - ``connecting`` before each attempt, with the reason of the preceding loss or failure, and when the attempt will be made;
    - ``live`` with the first frame of each connection, and with the first frame after ``stalled``: the picture size, the
    nominal frame rate if the camera gives it, and in the detail how pictures are decoded;
    - frames, whose index continues over all connections while the stream clock restarts with each;
    - ``stalled`` if no packet came for ``stalled_after_seconds``, and for longer than usual, or no key frame for long, while
    the connection is kept; before the first frame of a connection the latter is ``connecting`` with ``no_key_frame``; after a
    minute without a key frame the connection is replaced, and then after two, four, ...;
    - ``discontinuity``: ``resolution_change`` or ``timestamp_jump`` before a frame that does not continue the previous one, and
    the reason of the loss as soon as a live connection is lost, for example after ``stall_seconds`` without a packet;
    - None when nothing came for 50 ms;
    - after ``max_reconnects`` attempts in a row without a frame one last ``failed``.

    A camera that is ``silent_by_design`` never counts as stalled, and is not given up for its silence.

    ``counted`` has: ``frames`` handed over; ``packets`` and ``bytes`` received (video only); ``corrupt_packets`` marked,
    refused, or behind a gap; ``corrupt_frames`` with damage; ``reconnects`` connections that became live after another was
    lost; as dropped, ``decode_late`` packets dropped because decoding was late, ``corrupt`` damaged pictures, and
    ``no_key_frame`` packets that had to wait for a key frame; ``decode_ns``. Bad input never raises.

    Args:
        camera: the source, with its settings.
        config: only ``motion`` applies to cameras, which are decoded by one thread that holds no picture back.
        connect: makes a connection; None: one that decodes everything.
        renewed: returns the camera with its current password, before each attempt. After a ``ConfigError`` the previous
            password is used, and the error is reported if the camera refuses it; a ``SourceError`` ends the attempt.
    """

    def __init__(
        self,
        camera: Camera,
        config: DecodeConfig,
        connect: Connect | None = None,
        renewed: Callable[[Camera], Camera] = lambda camera: camera,
    ) -> None:
        self._camera, self._connect = camera, connect or partial(Connection, motion=config.motion)
        self._renewed = renewed
        self.counted = of_camera()
        self._items: Generator[Frame | StreamChanged | None, None, None] | None = None
        self._connection: Connection | None = None
        self._keyless_seconds = 0.0
        self._last_packet_monotonic = time.monotonic()
        self._backoff = Backoff(
            camera.reconnect_first_seconds, camera.reconnect_cap_seconds, camera.auth_wait_seconds, camera.stable_seconds
        )

    def __iter__(self) -> Iterator[Frame | StreamChanged | None]:
        if self._items is None:
            self._items = self._run()
        return self._items

    @property
    def counters(self) -> dict[str, int]:
        """The current counters, as in states."""
        return self.counted.named() | {"decode_ns": self.counted.decode_ns}

    @property
    def last_packet_monotonic(self) -> float:
        """When the last packet came (``time.monotonic``); before the first, when this object was created."""
        last = self._connection.last_packet_monotonic if self._connection else None
        self._last_packet_monotonic = max(self._last_packet_monotonic, last or 0.0)
        return self._last_packet_monotonic

    def wake(self) -> None:
        """Make the iteration yield now, None if there is nothing; from any thread."""
        if self._connection is not None:
            self._connection.wake()

    def close(self) -> None:
        """End the connection in whatever state it is, and wait briefly. Call it from the iterating thread; may be
        called twice.
        """
        if self._items is not None:
            self._items.close()

    def _run(self) -> Generator[Frame | StreamChanged | None, None, None]:
        camera = self._camera
        retries, was_live = 0, False
        yield self._state("connecting", "", f"{camera.shown}: attempt 1")
        while True:
            live_since, loss = yield from self._attempt(was_live)
            if live_since is not None:
                was_live, retries = True, 0
                self._backoff.lasted(time.monotonic() - live_since)
                # each connection's first picture is in a reference cycle, see Orientation.of
                gc.collect()
            if camera.max_reconnects is not None and retries >= camera.max_reconnects:
                given_up = f"{loss}{_DETAIL_SEPARATOR}given up after {retries} attempts to reconnect"
                yield self._state("failed", _reason(loss), given_up)
                return
            if live_since is not None:
                yield self._state("discontinuity", _reason(loss), str(loss))
            retries += 1
            wait = self._backoff.wait_seconds(refused=loss.reason == "auth")
            attempt = f"attempt {retries + (not was_live)}, next in {wait:.1f} s"
            yield self._state("connecting", _reason(loss), f"{loss}{_DETAIL_SEPARATOR}{attempt}")
            yield from _pause(wait)

    def _attempt(self, was_live: bool) -> Generator[Frame | StreamChanged | None, None, tuple[float | None, SourceError]]:
        """Connect once; return when the first frame came, None if none did, and why there are no more."""
        unusable = ""
        try:
            self._camera = self._renewed(self._camera)
        except ConfigError as error:
            unusable = f"{_DETAIL_SEPARATOR}{error}"
        except SourceError as error:
            return None, error
        connection = self._connection = self._connect(self._camera, self.counted, self._state)
        connection.keyless_before_seconds = self._keyless_seconds
        try:
            loss = yield from self._watched(connection, was_live)
        finally:
            connection.close()
        if loss.reason == "no_key_frame":
            self._keyless_seconds = connection.keyless_seconds
        elif connection.live_since is not None:
            self._keyless_seconds = 0.0
        if unusable and loss.reason == "auth":
            loss = SourceError(f"{loss}{unusable}", loss.reason)
        return connection.live_since, loss

    def _watched(self, connection: Connection, was_live: bool) -> Generator[Frame | StreamChanged | None, None, SourceError]:
        """Pass on a connection's items, and count the connection if it replaces a lost one."""
        counted = not was_live
        items = connection.run()
        while True:
            try:
                item = next(items)
            except StopIteration as end:
                loss: SourceError = end.value
                return loss
            except WorkerError:
                raise
            except Exception as error:  # this costs the connection: the next one has a new decoder
                what = f"broke its decoder ({type(error).__name__}: {redact(str(error))})"
                return failure(self._camera, "unexpected", what)
            if not counted and connection.live_since is not None:
                counted = True
                self.counted.counts["reconnects"] += 1
            yield item

    def _state(
        self, state: StreamState, reason: Reason, detail: str, size_px: tuple[int, int] = (0, 0), frame_rate: float = 0.0
    ) -> StreamChanged:
        return StreamChanged(
            stream=self._camera.name,
            state=state,
            reason=reason,
            detail=readable(detail),
            width_px=size_px[0],
            height_px=size_px[1],
            counters=self.counters,
            frame_rate=frame_rate,
        )


def _pause(seconds: float) -> Iterator[None]:
    """Wait, and let the caller do other things meanwhile."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(WAIT_SECONDS, left))
        yield None


def _reason(loss: SourceError) -> Reason:
    reason: Reason = loss.reason  # type: ignore[assignment]
    return reason
