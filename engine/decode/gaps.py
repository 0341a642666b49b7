"""Detects missing pictures where part of a recording cannot be read: FFmpeg continues after it without a message."""

from __future__ import annotations

from typing import Any

import av
import msgspec
from av.container import InputContainer
from av.video.stream import VideoStream

from engine.decode.rates import nominal_rate

_LEAST_SECONDS, _LEAST_STEPS = 0.2, 3.0
"""A gap is at least this many steps between pictures, and at least this many seconds long."""
_LEAST_BYTES = 8192
"""More bytes than lie between two packets of a recording that merely paused."""
_EMPTY_BYTES = 8
"""Bytes in AVI for each picture that only repeats the one before; it gives no packet, but time passes."""
_HAS_FILLING = {"mpegts", "mpeg"}
"""Formats whose bytes between packets may mean nothing; decoders report damage if something is lost."""
_MAY_JUMP_SECONDS = 10.0
"""Formats in which longer steps of time stamps are jumps."""


class Missing(msgspec.Struct, frozen=True):
    """What the packets of a recording that was read to its end show."""

    places: list[tuple[float, float]] = []
    """(second after which pictures are missing, number of missing seconds) of each gap."""
    is_sure: bool = False
    """Whether bytes were skipped. If not, and nothing is damaged, the recorder paused."""

    def told(self, *, looks_damaged: bool) -> str:
        """Return the end of a sentence that begins with the recording's name; empty if no pictures are missing.

        Args:
            looks_damaged: whether some of it could not be decoded.
        """
        if not self.places or not (looks_damaged or self.is_sure):
            return ""
        where = "" if len(self.places) == 1 else f"in {len(self.places)} places, the first "
        seconds = sum(seconds for _, seconds in self.places)
        return f"is damaged: {seconds:.1f} s of its pictures are missing, {where}from {self.places[0][0]:.1f} s on"


class Gaps:
    """Finds the gaps of one recording: ``note`` each packet as it is read.

    Args:
        container: of the recording, open.
        stream: its video.
    """

    def __init__(self, container: InputContainer, stream: VideoStream) -> None:
        self._index, self._has_filling = stream.index, container.format.name in _HAS_FILLING
        self._origin_seconds = (container.start_time or 0) / av.time_base
        self._empty_bytes_a_second = 0.0
        if container.format.name == "avi" and stream.time_base:
            self._empty_bytes_a_second = float(_EMPTY_BYTES / stream.time_base)
        self._read_seconds = 0.0
        """The newest time stamp of any stream."""
        self._to_byte = 0
        self._has_hole = False
        """Whether many bytes were skipped somewhere."""
        self._jumps_back = False
        """Whether packets do not come in the file's order, for instance because sound lies behind the pictures: bytes that seem
        skipped then come later.
        """
        self._newest_seconds: float | None = None
        self._step_seconds = float(1 / nominal_rate(stream))
        """Step to the newest picture; at first the nominal one."""
        self._found: list[tuple[float, float]] = []

    def note(self, packet: av.Packet[Any]) -> None:
        """Note a packet of any stream."""
        if packet.pos is not None:
            hole_bytes: float = packet.pos - self._to_byte if self._to_byte else 0
            if self._empty_bytes_a_second:
                hole_bytes -= self._passed_seconds(packet) * self._empty_bytes_a_second
            self._has_hole |= hole_bytes >= _LEAST_BYTES and not self._has_filling
            end = packet.pos + packet.size
            self._jumps_back |= end + _LEAST_BYTES < self._to_byte
            self._to_byte = max(self._to_byte, end)
        if packet.stream.index != self._index or packet.dts is None:
            return
        now, before = float(packet.dts * packet.time_base), self._newest_seconds
        self._newest_seconds = now
        if before is None:
            return
        step, usual, self._step_seconds = now - before, self._step_seconds, now - before
        is_jump = self._has_filling and step > _MAY_JUMP_SECONDS
        if step > max(_LEAST_SECONDS, _LEAST_STEPS * usual) and not is_jump:
            self._found.append((before - self._origin_seconds, step - usual))

    def _passed_seconds(self, packet: av.Packet[Any]) -> float:
        """Return how much time passed with a packet."""
        before = self._read_seconds
        if packet.dts is not None:
            self._read_seconds = max(before, float(packet.dts * packet.time_base))
        return self._read_seconds - before

    @property
    def missing(self) -> Missing:
        """Return what was found so far."""
        return Missing(self._found, self._has_hole and not self._jumps_back)
