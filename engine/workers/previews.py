"""The way of previews from perceive to whoever watches: a socket of perceive's own, past all queues of faces.

A worker that gets little done so hands out no old pictures, and a reader of messages that blocks publish stops none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec
import zmq

from engine.contracts.frames import Frame
from engine.contracts.tap import Tap, encode_preview, preview_topic
from engine.perception.perception import Perception
from engine.publish.tap import TapSocket

_LOOK_SECONDS = 0.2


class Previews:
    """Makes previews of the streams that somebody asks for.

    Args:
        core: makes them.
        socket: where they go.
        run_id: of the run, for who reads them.
    """

    def __init__(self, core: Perception, socket: TapSocket, run_id: str) -> None:
        self._core, self._socket, self._run_id = core, socket, run_id
        self._next_look = 0.0

    def show(self, frame: Frame) -> None:
        """Send a preview of a frame that the core has just taken, if one is due and wanted."""
        now = time.monotonic()
        if now >= self._next_look:
            self._next_look = now + _LOOK_SECONDS
            self._socket.poll()
        if not self._socket.is_heard or not self._socket.wants(topic := preview_topic(frame.stream)):
            return
        if (made := self._core.preview(frame, now)) is not None:
            preview, picture = made
            named = msgspec.structs.replace(preview, run_id=self._run_id)
            self._socket.send([topic.encode(), encode_preview(named), picture])


@contextmanager
def watched(tap: Tap | None, core: Perception, run_id: str) -> Iterator[Callable[[Frame], None] | None]:
    """Yield ``Previews.show`` of a tap; None where there is none. Its file is gone at the end.

    Raises:
        ConfigError, PublishError: see ``TapSocket``.
    """
    if tap is None:
        yield None
        return
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    try:
        socket = TapSocket(context, tap.previews)
        try:
            yield Previews(core, socket, run_id).show
        finally:
            socket.remove_socket_file()
            socket.close()
    finally:
        context.term()
