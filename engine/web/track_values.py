"""The time line's values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from engine.contracts.findings import Basis, Candidate, Decision


@dataclass(frozen=True)
class Query:
    """Which tracks."""

    since_ns: int = 0
    """By the wall clock (Unix, nanoseconds) when the last word on a track was said."""
    until_ns: int = 0
    """0: now."""
    stream: str = ""
    person: str = ""
    decision: str = ""
    limit: int = 50
    cursor: str = ""


class TrackItem(msgspec.Struct, kw_only=True):
    """One track of a list."""

    run_id: str
    """Of its directory."""
    stream: str
    track_id: int
    first_ns: int
    last_ns: int
    """Wall clock (Unix, nanoseconds)."""
    ended: bool
    decision: Decision
    candidates: list[Candidate]
    faces: int
    """That were handed out."""
    frames_seen: int
    recorded_ns: tuple[int, int] | None = None
    """Of a recording: first and last time by its own clock."""
    basis: Basis | None = None
    """What the decision rests on, and what was missing for a name."""
    best: dict[str, Any] | None = None
    """Its best face: ``seq`` and ``pictures``; all of its message where one track is asked for."""
    picture: dict[str, Any] | None = None
    """One picture made out of many of its frames, as in its message, with ``pictures``; None: none is kept."""


class Page(msgspec.Struct):
    """Tracks, the newest first."""

    tracks: list[TrackItem]
    cursor: str = ""
    """To ask for what is older; empty: there is nothing."""


class TrackShown(TrackItem, kw_only=True):
    """One track with its faces."""

    all: list[dict[str, Any]] = []
    """Messages of its faces, each with ``pictures``; the best first."""
    settings: dict[str, Any] = {}
    """What the run was told of deciding, by ``section.key``."""
