"""Finished runs over a small recording, as a run leaves them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from engine.archive.writer import DirectorySink
from engine.client.results import Run, load_run
from engine.config import OutputConfig
from engine.contracts.envelope import Body
from engine.contracts.frames import FrameTime, Span
from engine.contracts.messages import AnyMessage
from engine.contracts.recording import Recording
from engine.publish.numbering import Numbering
from tests.footage.moving import record
from tests.publish.samples import face, stream_event, track

SIZE = (96, 64)


@dataclass(frozen=True)
class Made:
    """A run and what was sent."""

    run: Run
    recording: Path
    sent: list[tuple[AnyMessage, list[bytes]]]


def make_run(
    folder: Path,
    tracks: dict[int, tuple[str, list[float]]] | None = None,
    *,
    recording: Path | None = None,
    camera: str = "",
    record_of: dict[str, Any] | None = None,
    spread_seconds: float = 0.1,
) -> Made:
    """Write a run of the stream ``door``.

    Args:
        folder: for recording and result.
        tracks: number to decision, and the times of its faces in seconds; by default two, known and unknown.
        recording: by default two seconds of video with sound.
        camera: name of another stream, a camera, with a track 9.
        record_of: more for ``run.json``.
        spread_seconds: from one message to the next, as they were sent.
    """
    folder.mkdir(exist_ok=True)
    path = recording or record(folder / "door.mp4", sound="aac", size=SIZE)
    numbering, messages = Numbering("run1"), list[tuple[Body, list[bytes]]]()
    messages.append((stream_event("door"), []))
    chosen = {1: ("known", [0.4, 1.2]), 2: ("unknown", [0.8])} if tracks is None else tracks
    for number, (decision, times) in chosen.items():
        for seconds in times:
            messages.append(_face("door", number, decision, seconds))
        body, payloads = track("door", number, times[0], times[-1], decision, ended=False)
        messages.append((body, payloads))
        messages.append(_track("door", number, decision, times))
    if camera:
        messages += [(stream_event(camera), []), _track(camera, 9, "none", [1.0])]
    messages.append((stream_event("door", "ended", "end_of_file"), []))
    out = folder / "result"
    known = {"run_id": "run1"} | (record_of or {})
    facts = {"inputs": {"door": Recording("door", path).facts()}}
    sink, sent = DirectorySink(OutputConfig(directory=str(out)), known), []
    for index, (body, payloads) in enumerate(messages):
        message = replace(numbering.stamp(body), sent_ns=10**18 + round(index * spread_seconds * 1e9))
        sink.write(message, payloads)
        sent.append((message, payloads))
    sink.close("completed", facts)
    return Made(load_run(out), path, sent)


def _face(stream: str, number: int, decision: str, seconds: float) -> tuple[Body, list[bytes]]:
    body, payloads = face(stream, number, round(seconds * 25), 0.5, decision=decision, pts_seconds=seconds)
    width, height = SIZE
    seen = replace(body.face, box=(10.0 + 40 * seconds, 10.0, 12.0, 16.0), width_px=width, height_px=height)
    return replace(body, face=seen), payloads


def _track(stream: str, number: int, decision: str, times: list[float]) -> tuple[Body, list[bytes]]:
    body, payloads = track(stream, number, times[0], times[-1], decision)
    span = Span(*(FrameTime(round(s * 25), round(s * 25) * 512, (1, 12800), s, 0) for s in (times[0], times[-1])))
    return replace(body, track=replace(body.track, span=span)), payloads
