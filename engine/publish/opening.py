"""Opens a publisher for the length of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import zmq

from engine.config import PublishConfig
from engine.publish.publisher import Publisher
from engine.runtime.descriptors import raise_limit

__all__ = ["Publisher", "open_publisher"]
_LINGER_MS = 5_000
_MOST_FILES = 65_536
"""A crowd of connections must not cost the process the files that it writes."""


def _nobody(sentence: str) -> None: ...


@contextmanager
def open_publisher(
    config: PublishConfig,
    run_id: str,
    *,
    live: bool = False,
    next_seq: Mapping[str, int] | None = None,
    warn: Callable[[str], None] = _nobody,
    tap: str = "",
    awaits: int = 1,
) -> Iterator[Publisher]:
    """Yield a publisher with a context of its own. At the end what is queued is still sent for a few seconds, and no file of a
    socket is left; for arguments and errors see ``Publisher``.
    """
    raise_limit(_MOST_FILES)
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    publisher = Publisher(config, run_id, context, live=live, next_seq=next_seq, warn=warn, tap=tap, awaits=awaits)
    try:
        yield publisher
    finally:
        publisher.remove_socket_files()
        publisher.close(_LINGER_MS)
        context.term()
