"""Reading a recording to its end in a test."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from engine.config import DecodeConfig
from engine.contracts.frames import Frame
from engine.contracts.streams import StreamChanged
from engine.decode.decoder import Decoder
from tests.carried import carried


def read(path: Path, config: DecodeConfig | None = None, every: int = 1) -> tuple[list[Frame], list[StreamChanged], list[str]]:
    """Return the frames, the states and the order of both; checks what must hold for any input."""
    with Decoder("cam", path, config or DecodeConfig(), every) as decoder:
        items = list(decoder)
    frames = [item for item in items if isinstance(item, Frame)]
    states = [item for item in items if isinstance(item, StreamChanged)]
    assert [f.time.frame_index for f in frames] == list(range(len(frames)))
    assert states[0].state == "connecting"
    assert [s.state for s in states].count("live") == bool(frames)
    assert states[-1].state in {"ended", "failed"}
    assert sum(s.state in {"ended", "failed"} for s in states) == 1
    assert items[-1] is states[-1]
    assert states[-1].counters["frames"] == len(frames)
    if states[-1].state == "ended" and states[-1].detail:
        known = (
            "may be cut",
            "could not be decoded",
            "damaged",
            "were assumed",
            "its edit list shows",
            "holds another recording",
            "of its pictures are missing",
        )
        assert any(words in states[-1].detail for words in known)
    for state in states:
        assert carried(state) == state
        assert "\n" not in state.detail
    order = [item.state if isinstance(item, StreamChanged) else "frame" for item in items]
    return frames, states, order


def open_in(folder: Path) -> list[str]:
    """Return the files of a folder that this process holds open. Sockets of other tests come and go meanwhile."""
    found = []
    for number in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            found.append(os.readlink(f"/proc/self/fd/{number}"))
    return [path for path in found if Path(path).is_relative_to(folder)]
