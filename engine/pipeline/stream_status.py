"""How one stream of a run stands."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field, replace

from engine.contracts.counts import StreamCount
from engine.contracts.messages import Reason, StreamState
from engine.contracts.streams import StreamChanged
from engine.control.answers import Funnel
from engine.runtime.protocol import StageBeat

_RATE_WINDOW_SECONDS = 5.0
IN_FUNNEL: tuple[StreamCount, ...] = (
    "found", "unconfirmed", "too_small", "outranked", "blurred", "late", "enhanced", "passed_through"
)  # fmt: skip
"""What is counted for the funnel alone."""
_FRESH_SECONDS = 1.5
"""Workers beat more often than this."""


class Rate:
    """How fast a total grew over the last seconds."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()

    def add(self, total: int) -> None:
        """Note what the total is now."""
        now = time.monotonic()
        self._samples.append((now, total))
        while len(self._samples) > 2 and self._samples[1][0] <= now - _RATE_WINDOW_SECONDS:
            self._samples.popleft()

    def copy(self) -> Rate:
        """Return one that later totals leave as it is."""
        other = Rate()
        other._samples = self._samples.copy()
        return other

    @property
    def per_second(self) -> float:
        """0 where nothing was heard for longer than the window."""
        now = time.monotonic()
        if len(self._samples) < 2 or now - self._samples[-1][0] > _RATE_WINDOW_SECONDS:
            return 0.0
        (first, before), (last, total) = self._samples[0], self._samples[-1]
        until = last if now - last < _FRESH_SECONDS else now
        return (total - before) / max(until - first, 1e-3)


@dataclass
class StreamStatus:
    """The life of one source so far."""

    name: str
    state: StreamState = "connecting"
    reason: Reason = ""
    detail: str = ""
    width_px: int = 0
    height_px: int = 0
    frames_expected: int = 0
    frames: int = 0
    """Decoded since the start of the run, as all totals below."""
    faces: int = 0
    dropped: int = 0
    """Frames and faces, for any cause."""
    errored: int = 0
    """Calls of models that failed."""
    reconnects: int = 0
    reconnects_by: dict[Reason, int] = field(default_factory=dict)
    """By the reason for which the connection before was lost."""
    rejected: int = 0
    """Tracks of no face."""
    detections: int = 0
    """Times that the detector ran."""
    latency_p50_ms: float | None = None
    """From the arrival of a picture to the sending of its faces, over the newest faces; None before the first."""
    latency_p99_ms: float | None = None
    worst_latency_ms: float | None = None
    """The highest ``latency_p99_ms`` so far."""
    since: float = field(default_factory=time.monotonic)
    """Monotonic seconds when ``state`` was entered."""
    dark_since: float = field(default_factory=time.monotonic)
    """Monotonic seconds since when there is no picture; of no meaning while there are some."""
    _in_funnel: dict[str, int] = field(default_factory=dict, repr=False)
    _frames_before: int = 0
    _was_live: bool = False
    _is_heard: bool = False
    _lost: Reason = ""
    _frame_rate: Rate = field(default_factory=Rate, repr=False)
    _detection_rate: Rate = field(default_factory=Rate, repr=False)

    def copy(self) -> StreamStatus:
        """Return one that later news leaves as it is."""
        return replace(
            self,
            reconnects_by=self.reconnects_by.copy(),
            _in_funnel=self._in_funnel.copy(),
            _frame_rate=self._frame_rate.copy(),
            _detection_rate=self._detection_rate.copy(),
        )

    @property
    def was_live(self) -> bool:
        """Whether there ever was a picture."""
        return self._was_live

    @property
    def seconds_dark(self) -> float:
        """How long there has been no picture; 0 while there are some, after the end, and of a recording that waits its turn."""
        is_dark = self._is_heard and self.state in ("connecting", "stalled")
        return time.monotonic() - self.dark_since if is_dark else 0.0

    @property
    def is_over(self) -> bool:
        return self.state in ("ended", "failed")

    @property
    def standing(self) -> StreamState:
        """The state, where a discontinuity that frames have followed is ``live`` again."""
        return "live" if self.state == "discontinuity" and self.frames > self._frames_before else self.state

    @property
    def funnel(self) -> Funnel:
        """Where the faces went since the start of the run."""
        return Funnel(frames=self.frames, detected_frames=self.detections, rejected=self.rejected, **self._in_funnel)

    @property
    def seconds_in_state(self) -> float:
        return time.monotonic() - self.since

    @property
    def fps(self) -> float:
        """Frames per second now."""
        return 0.0 if self.is_over else self._frame_rate.per_second

    @property
    def detections_per_second(self) -> float:
        """Times that the detector runs per second now."""
        return 0.0 if self.is_over else self._detection_rate.per_second

    def enter(self, event: StreamChanged) -> bool:
        """Take over a new state; return whether it tells anything new."""
        is_news = (self.state, self.reason, self.detail) != (event.state, event.reason, event.detail)
        if self.state != event.state:
            self.since = time.monotonic()
            self.dark_since = self.since if self.state in ("live", "discontinuity") else self.dark_since
        if not self._is_heard:
            self.dark_since, self._is_heard = time.monotonic(), True
        self._frames_before = self.frames
        self._count_reconnect(event)
        self.state, self.reason, self.detail = event.state, event.reason, event.detail
        self.width_px = event.width_px or self.width_px
        self.height_px = event.height_px or self.height_px
        self.frames_expected = event.frames_expected or self.frames_expected
        return is_news

    def _count_reconnect(self, event: StreamChanged) -> None:
        """Of several attempts, each of which failed for a reason of its own, the first one has that of the loss."""
        if event.state == "connecting" and self._was_live:
            self._lost = self._lost or event.reason
        elif event.state == "live":
            if self._lost:
                self.reconnects_by[self._lost] = self.reconnects_by.get(self._lost, 0) + 1
            self._was_live, self._lost = True, ""

    def count(self, name: str, total: int) -> None:
        """Take over a new total of one of the counters that ``RunStatus`` keeps for each stream, as ``frames``."""
        if name in IN_FUNNEL:
            self._in_funnel[name] = total
            return
        setattr(self, name, total)
        if name == "frames":
            self._frame_rate.add(total)
        elif name == "detections":
            self._detection_rate.add(total)

    def measure(self, latency: StageBeat) -> None:
        """Take over the newest latency."""
        self.latency_p50_ms, self.latency_p99_ms = latency.p50_ms, latency.p99_ms
        self.worst_latency_ms = max(self.worst_latency_ms or 0.0, latency.p99_ms)
