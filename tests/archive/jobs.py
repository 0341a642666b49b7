"""A job that a run carries out over recordings, as the pipeline would: in attempts, each of which may be cut anywhere.

Usage: python -m tests.archive.jobs DIRECTORY SEED PACE_SECONDS goes on with the job in a directory, or begins it.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import msgspec
import numpy as np

from engine.archive.resume import Resume, plan_resume
from engine.archive.same_job import describe_inputs
from engine.archive.writer import DirectorySink
from engine.config import OutputConfig, PublishConfig
from engine.contracts.faces import FaceResult, Sighting, TrackClosed, TrackResult
from engine.contracts.findings import Quality
from engine.contracts.frames import FrameTime, Span
from engine.contracts.messages import Face, Part, Track
from engine.contracts.recording import Recording
from engine.contracts.streams import StreamChanged
from engine.publish.encode import parts_of, track_parts_of
from engine.publish.numbering import Numbering
from tests.publish.samples import pictures

CONFIG = {"detect": {"every": 1}, "publish": {"codec": "jpeg", "parts": ["enhanced", "original", "embedding"]}}
VERSIONS = {"facestream": "1.0"}
_VARIANTS = 16
_TIME_BASE = (1, 12800)


class Cut(Exception):
    """The attempt is over here, as if it had been killed."""


@dataclass(frozen=True)
class Walk:
    """One track: the frames in which there is a face."""

    frames: tuple[int, ...]

    @property
    def last(self) -> int:
        return self.frames[-1]


@dataclass
class Job:
    """Recordings, each a list of segments at whose end no track is open."""

    segments: dict[str, list[list[Walk]]]
    lengths: dict[str, int]
    recordings: dict[str, Path] = field(default_factory=dict)

    @classmethod
    def random(cls, seed: int, folder: Path, streams: int = 3, segments: int = 4) -> Job:
        """Return a job, the same for the same seed, and write files that stand for its recordings."""
        chance, job = random.Random(seed), cls({}, {})
        for number in range(streams):
            stream, frame = f"rec{number}", 0
            job.segments[stream] = []
            for _ in range(segments):
                walks = []
                for _ in range(chance.randint(0, 3)):
                    start = frame + chance.randint(1, 5)
                    walks.append(Walk(tuple(start + 2 * step for step in range(chance.randint(0, 4) + 1))))
                frame = max([frame, *(walk.last for walk in walks)]) + chance.randint(2, 9)
                job.segments[stream].append(walks)
            job.lengths[stream] = frame
            job.recordings[stream] = folder / f"{stream}.mp4"
            if not job.recordings[stream].exists():
                job.recordings[stream].write_bytes(random.Random(f"{seed}{stream}").randbytes(1000))
        return job

    @property
    def faces(self) -> Counter[tuple]:
        """What the whole job finds."""
        return Counter(
            (stream, frame, _box(walk, frame), _original(_parts(stream, frame)[0]))
            for stream, segments in self.segments.items()
            for walks in segments
            for walk in walks
            for frame in _seen(walk)
        )

    @property
    def tracks(self) -> Counter[tuple]:
        """Likewise."""
        return Counter(
            (stream, walk.frames[0] * 512, walk.last * 512, len(walk.frames))
            for stream, segments in self.segments.items()
            for walks in segments
            for walk in walks
        )


def recordings_of(job: Job) -> dict[str, Recording]:
    return {stream: Recording(stream, path) for stream, path in job.recordings.items()}


def run_of(run_id: str, job: Job) -> dict:
    return {"run_id": run_id, "config": CONFIG, "versions": VERSIONS, "inputs": describe_inputs(recordings_of(job))}


def plan(directory: Path, job: Job) -> Resume | None:
    return plan_resume(directory, {"config": CONFIG, "versions": VERSIONS}, recordings_of(job))


def attempt(directory: Path, job: Job, seed: int, cut_after: int | None = None, pace_seconds: float = 0.0) -> Resume | None:
    """Carry out what is left of a job, until so many messages have been written; return where it went on."""
    resume, chance = plan(directory, job), random.Random(seed)
    run_id = f"run{seed}-{time.time_ns()}"
    numbering = Numbering(run_id, resume.next_seq if resume else None)
    sink = DirectorySink(OutputConfig(directory=str(directory)), run_of(run_id, job), resume=resume)
    left = cut_after
    try:
        for step, *what in _interleaved(job, resume or Resume(), chance):
            if step == "checkpoint":
                sink.checkpoint(*what)
                continue
            if step == "input":
                [stream] = what
                path = job.recordings[stream]
                sink.record_input(
                    stream, str(path), path.stat().st_size, Recording(stream, path).sha256(), path.stat().st_mtime_ns
                )
                continue
            if left is not None:
                left -= 1
                if left < 0:
                    raise Cut
            if pace_seconds:  # to sleep for no time is to wait for whoever else wants the processor
                time.sleep(pace_seconds)
            sink.write(numbering.stamp(what[0]), what[1])
    except Cut:
        sink._close_files()  # what the end of the process does
        raise
    sink.close("completed")
    return resume


def result(directory: Path) -> tuple[Counter[tuple], Counter[tuple]]:
    """Return the faces and tracks that a directory holds."""
    faces = [msgspec.json.decode(line, type=Face) for line in (directory / "faces.jsonl").read_bytes().splitlines()]
    tracks = [msgspec.json.decode(line, type=Track) for line in (directory / "tracks.jsonl").read_bytes().splitlines()]
    return (
        Counter((face.stream, face.frame_index, face.box, _original(face.parts)) for face in faces),
        Counter((track.stream, track.first_pts, track.last_pts, track.frames_seen) for track in tracks if track.ended),
    )


def _interleaved(job: Job, resume: Resume, chance: random.Random):
    """Yield the steps of all recordings, mixed as they would be; ids come from one counter."""
    ids = iter(range(resume.first_track_id, 1 << 40))
    going = {
        stream: _steps(job, stream, resume.first_frames.get(stream, 0), ids, chance)
        for stream in job.segments
        if stream not in resume.done
    }
    while going:
        stream = chance.choice(sorted(going))
        for step in (next(going[stream], None) for _ in range(chance.randint(1, 6))):
            if step is None:
                going.pop(stream, None)
                break
            yield step


def _steps(job: Job, stream: str, first_frame: int, ids, chance: random.Random):
    """Yield the steps of one recording; what a later track brings may overtake a checkpoint, as it goes another way."""
    yield "input", stream
    yield "write", _event(stream, "live"), []
    frame, held = 0, None
    for walks in job.segments[stream]:
        end = max([frame, *(walk.last for walk in walks)])
        if walks and end >= first_frame:
            steps = [step for walk in walks for step in _walk(stream, walk, next(ids))]
            overtaking = chance.randint(0, len(steps))
            yield from steps[:overtaking]
            if held:
                yield held
            yield from steps[overtaking:]
            held = ("checkpoint", stream, end, next(ids))
        frame = end
    if held:
        yield held
    yield "write", _event(stream, "ended", "end_of_file", job.lengths[stream]), []


def _walk(stream: str, walk: Walk, track_id: int):
    seen = _seen(walk)
    for number, frame in enumerate(seen):
        parts, payloads = _parts(stream, frame)
        quality = Quality(size_px=24.0, sharpness=0.4, frontal=0.9, score=(frame % 7) / 7)
        seen_at = Sighting(stream, track_id, _time(frame), _box(walk, frame), None, 0.9, quality, (6, 16, 24, 24), False)
        yield "write", FaceResult(seen_at, None, "none", [], 0, parts), payloads
        if number == 1:
            yield "write", *_track(stream, walk, track_id, ended=False)
    yield "write", *_track(stream, walk, track_id, ended=True)


def _track(stream: str, walk: Walk, track_id: int, *, ended: bool):
    """With a picture where there are two faces to make one of, as the engine does."""
    vector = np.full(128, walk.last, np.float32) if _seen(walk) else None
    original, enhanced = pictures(24, 2)
    made = (enhanced, original[..., 0], "mean_x4") if len(_seen(walk)) > 1 else ()
    parts, payloads = track_parts_of(PublishConfig(), vector, *made)
    over = TrackClosed(stream, track_id, Span(_time(walk.frames[0]), _time(walk.last)), len(walk.frames))
    return TrackResult(over, ended, 0, "none", [], 0, parts), payloads


def _time(frame: int) -> FrameTime:
    return FrameTime(frame, frame * 512, _TIME_BASE, frame / 25, 1)


def _seen(walk: Walk) -> tuple[int, ...]:
    """The frames whose face was good enough: of some tracks none."""
    return walk.frames if walk.frames[0] % 4 else ()


def _box(walk: Walk, frame: int) -> tuple[float, float, float, float]:
    return 10.0 + walk.frames[0], 20.0 + frame, 24.0, 24.0


def _event(stream: str, state: str, reason: str = "", frames: int = 0) -> StreamChanged:
    return StreamChanged(stream, state, reason, counters={"frames": frames})


@cache
def _parts(stream: str, frame: int):
    original, enhanced = pictures(24, 2)
    shift = (frame + sum(stream.encode())) % _VARIANTS
    embedding = np.roll(np.linspace(-1, 1, 128, dtype=np.float32), shift)
    return parts_of(PublishConfig(), np.roll(original, shift, 1), np.roll(enhanced, shift, 1), embedding, "compact_x4")


def _original(parts: list[Part]) -> str:
    return next(part.sha256 for part in parts if part.name == "original")


if __name__ == "__main__":
    where, number = Path(sys.argv[1]), int(sys.argv[2])
    work = Job.random(number, where.parent, segments=12)
    _ = work.faces  # encoded before the clock runs
    sys.stdout.write("go\n")
    sys.stdout.flush()
    attempt(where, work, time.time_ns(), pace_seconds=float(sys.argv[3]))
