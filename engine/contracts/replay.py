"""The replay service: how a subscriber asks for messages that it missed.

A DEALER sends ``[request]`` to the publisher's ROUTER (``publish.replay``), a MessagePack map. The answer is a series of
multiparts ``[answer]``, or ``[answer][topic][header][part...]`` for each message that is sent again: first at most one
``gone``, then the messages in order, then one ``done``; or a single ``refused``. An answer may cover less than was asked for
(``done.last_seq``): ask again from there. Who does not read is not waited for, and gets no ``done``.
After ``end`` the service answers until nobody has asked for 5 s, 30 s at most.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal["face", "track", "stream", "stats", "end"]


class ReplayRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Send these messages of one stream and kind again; ``to_seq``, ``run_id`` and ``deadline_ns`` may be left out."""

    request_id: int
    """Chosen by the asker, unique on its socket; every answer repeats it."""
    stream: str
    """Empty for ``stats`` and ``end``."""
    kind: Kind
    from_seq: int
    to_seq: int | None = None
    """Inclusive; None: everything up to the newest."""
    run_id: str = ""
    """When given, a publisher of another run refuses."""
    deadline_ns: int = 0
    """Wall clock (Unix, nanoseconds) after which the asker no longer waits; 0: none."""


class ReplayAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One step of an answer."""

    request_id: int
    """-1 where the request could not be read."""
    status: Literal["gone", "message", "done", "refused"]
    first_seq: int = 0
    last_seq: int = -1
    """``gone``: the range that has left the ring. ``message``: its seq, twice. ``done``: the range that was dealt with."""
    newest_seq: int = -1
    """``done``: the newest seq that was sent of this stream and kind; -1: none yet."""
    detail: str = ""
    """``refused``: why, in one sentence."""


encode_replay = msgspec.msgpack.Encoder().encode
decode_request = msgspec.msgpack.Decoder(ReplayRequest).decode
decode_answer = msgspec.msgpack.Decoder(ReplayAnswer).decode
