"""Addresses of the time line."""

from __future__ import annotations

from engine.web.table import Entry

TRACK_ENTRIES: tuple[Entry, ...] = ()
