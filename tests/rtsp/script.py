"""What the scripted server does to one connection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tests.rtsp.clips import Clip
from tests.rtsp.dialect import PLAIN, Dialect
from tests.rtsp.faults import Fault

REASONS = {
    200: "OK",
    301: "Moved Permanently",
    302: "Found",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    453: "Not Enough Bandwidth",
    454: "Session Not Found",
    461: "Unsupported Transport",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


@dataclass(frozen=True)
class Behaviour:
    """One connection's script; the default is a healthy camera that loops its clip for ever in real time."""

    clip: Clip | None = None
    """None: the server's."""
    dialect: Dialect = PLAIN
    """How all of it is said."""
    answers: Mapping[str, int] = field(default_factory=dict)
    """Status of a method, as ``{"DESCRIBE": 404}``; ``"*"`` is every method. Those not named are served."""
    silent: frozenset[str] = frozenset()
    """Methods that are read and never answered; ``"*"`` is every method."""
    credentials: str = ""
    """``user:password`` that every method but OPTIONS needs; empty: nobody is asked."""
    auth: Literal["basic", "digest"] = "digest"
    """Not looked at where the dialect has challenges: then either is taken, as far as it was offered."""
    sdp: Literal["video", "audio", "both", "nothing", "garbage", "wrong_codec", "no_parameters"] = "video"
    """``both`` adds a track of silence; ``nothing`` has no track; ``wrong_codec`` says H.265 for H.264 and the reverse;
    ``no_parameters`` leaves the parameter sets to the stream."""
    faults: tuple[Fault, ...] = ()
    speed: float = 1.0
    """How many times faster than real time; the time stamps are those of real time."""
    first_timestamp: int = 900_000
    """RTP time of the first picture, 0 to 2**32 - 1; the time wraps."""
    ntp_offset_seconds: float | None = 0.0
    """The camera's clock minus ours, in its sender reports; None: it sends none."""
    report_every_seconds: float = 1.0
    loss: float = 0.0
    """Share of the RTP packets that UDP loses."""
    reorder: float = 0.0
    """Share of the RTP packets that UDP delivers after the one behind them."""
    seed: int = 0
    """Of loss and reordering."""
    session_seconds: int = 60
    """Time-out of a session, as the client is told; FFmpeg says that it is there after half of it."""
    teardown_closes: bool = True
    """Close the connection after a TEARDOWN."""


HEALTHY = Behaviour()
