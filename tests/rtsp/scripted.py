"""An RTSP server of our own that does what a script says, also what no camera should; TCP (interleaved) and UDP, one port."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Sequence
from types import TracebackType

from tests.patience import PATIENCE_SECONDS
from tests.rtsp.clips import Clip
from tests.rtsp.faults import Fault
from tests.rtsp.listener import Listener
from tests.rtsp.script import HEALTHY, Behaviour
from tests.rtsp.session import Counts, Session


class ScriptedServer:
    """Serves one clip under every path.

    Args:
        clip: H.264 or H.265.
        behaviours: one for all connections, or one for each in turn, the last for all that follow.
        limit: sessions at the same time, as cameras have; one more is answered with 453.
        hold_seconds: how long a session keeps its place when its connection ends without a TEARDOWN.
        port: 0 is chosen by the system; it stays ours, whether it accepts or refuses.
        tls: it is spoken over TLS (rtsps); None: in the clear.
    """

    def __init__(
        self,
        clip: Clip,
        behaviours: Behaviour | Sequence[Behaviour] = HEALTHY,
        *,
        limit: int | None = None,
        hold_seconds: float = 0.0,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.clip = clip
        self.counts = Counts()
        self._script = [behaviours] if isinstance(behaviours, Behaviour) else list(behaviours)
        self._limit, self._hold_seconds = limit, hold_seconds
        self._sessions: set[Session] = set()
        self._scheme = "rtsps" if tls else "rtsp"
        self._listener = Listener(self._serve, port, tls)

    def __enter__(self) -> ScriptedServer:
        self._listener.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._listener.stop()

    def url(self, mount: str = "cam", credentials: str = "") -> str:
        """``rtsp://…``, over TLS ``rtsps://…``; ``credentials`` as ``user:password``."""
        return f"{self._scheme}://{credentials}{'@' if credentials else ''}127.0.0.1:{self.port}/{mount}"

    @property
    def port(self) -> int:
        return self._listener.port

    @property
    def connections_open(self) -> int:
        return self._listener.open

    @property
    def connections_opened(self) -> int:
        return self._listener.opened

    def script(self, behaviours: Behaviour | Sequence[Behaviour]) -> None:
        """Behave so from the next connection on."""
        self._script = [behaviours] if isinstance(behaviours, Behaviour) else list(behaviours)

    def inject(self, fault: Fault) -> None:
        """Let a fault happen now, before the next picture of every connection that plays; its ``at`` is not looked at."""
        for session in list(self._sessions):
            session.injected.append(fault)

    def refuse(self) -> None:
        """Refuse new connections; those that are open stay."""
        self._listener.refuse()

    def accept(self) -> None:
        """Accept connections again."""
        self._listener.listen()

    def drop(self) -> None:
        """Reset all open connections."""
        self._listener.drop()

    def down(self) -> None:
        """Refuse new connections and reset the open ones: the camera is off."""
        self.refuse()
        self.drop()

    def wait(self, condition: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until a condition on ``counts`` or connections holds.

        Raises:
            TimeoutError: it did not within ``seconds``.
        """
        self._listener.wait(condition, seconds)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behaviour = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        session = Session(reader, writer, self.clip, behaviour, self.counts, self._has_room, self._listener.changed)
        self._sessions.add(session)
        try:
            await session.run()
        finally:
            self._sessions.discard(session)
            if session.open and self._hold_seconds:
                asyncio.get_running_loop().call_later(self._hold_seconds, session.leave)
            else:
                session.leave()

    def _has_room(self) -> bool:
        return self._limit is None or self.counts.sessions_open < self._limit
