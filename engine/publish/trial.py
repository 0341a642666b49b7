"""Whether a run can open its sockets, asked before it loads anything."""

from __future__ import annotations

import zmq

from engine.config import PublishConfig
from engine.publish.publisher import Publisher


def try_sockets(config: PublishConfig) -> None:
    """Open the sockets that the configuration names, and let go of them at once.

    Raises:
        ConfigError, PublishError: see ``Publisher``.
    """
    with zmq.Context() as context:
        publisher = Publisher(config, "", context)
        publisher.remove_socket_files()
        publisher.close()
