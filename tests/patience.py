"""How long tests wait for what other threads and processes do."""

from __future__ import annotations

PATIENCE_SECONDS = 120
"""For what takes a second where nothing else runs: machines are slow and busy. Whoever measures a time waits for that time."""
