"""What travels between the processes of a run, as MessagePack; frames themselves stay in the shared pool.

decode --PoolOpened, FrameReady--> perceive --FaceCrop, TrackClosed--> enhance xN --Outgoing--> publish
decode <--SlotReleased, Refused-- perceive <--Taken-- enhance
StreamChanged, Checkpoint, InputFile and Drain go all the way, in order
every worker --Ready, Beat, Warned, Failed--> supervisor    supervisor --Assign--> decode, --Begin, Outgoing(stats)--> publish
supervisor --Attach--> the neighbours of a worker that was restarted
"""

from __future__ import annotations

from typing import Literal

import msgspec
import numpy as np

from engine.contracts.counts import Counts
from engine.contracts.frames import ColourMatrix, FrameTime, Planes
from engine.contracts.messages import (
    Clock,
    Face,
    Outcome,
    Quality,
    Reason,
    Stats,
    StreamState,
    Track,
)
from engine.contracts.recording import Appearance, Reading


class Link(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Base of everything that travels between processes."""


class PoolOpened(Link, frozen=True):
    """A decode process has a new frame pool; readers map it through ``/proc/<pid>/fd/<fd>``."""

    pool_id: int
    pid: int
    fd: int
    slots: int
    slot_bytes: int


class FrameReady(Link, frozen=True):
    """A slot holds a picture until the reader answers with SlotReleased."""

    stream: str
    pool_id: int
    slot: int
    generation: int
    """The slot's generation when it was written: a reader that finds another one after reading must not use what it read."""
    width_px: int
    height_px: int
    frame_index: int
    pts: int | None
    time_base: tuple[int, int]
    pts_seconds: float
    captured_ns: int
    matrix: ColourMatrix
    full_range: bool
    detect: bool
    live: bool = False
    """From a camera: it may be dropped when it is late, a recording's frame may not."""
    ntp_ns: int | None = None
    recorded_ns: int | None = None
    damaged: bool = False

    @property
    def time(self) -> FrameTime:
        return FrameTime(
            self.frame_index, self.pts, self.time_base, self.pts_seconds, self.captured_ns, self.ntp_ns, self.recorded_ns
        )


class SlotReleased(Link, frozen=True):
    """The reader is done with a slot."""

    pool_id: int
    slot: int


class Calls(Link, frozen=True):
    """How often a model was called for a stream."""

    total: int = 0
    failed: int = 0
    error: str = ""
    """What the first failure said."""


class StreamChanged(Link, frozen=True):
    """A stream entered a state; passes through all processes in order, so that ``ended`` is really last."""

    stream: str
    state: StreamState
    reason: Reason = ""
    detail: str = ""
    width_px: int = 0
    height_px: int = 0
    counters: dict[str, int] = {}
    frame_rate: float = 0.0
    """Frames per second, 0 where unknown."""
    frames_expected: int = 0
    """Length of a recording, 0 where unknown: for progress."""
    started_ns: int | None = None
    """When a recording begins (wall clock, Unix, nanoseconds), where that is known."""
    clock: Clock = ""
    """Where ``started_ns`` comes from."""
    event_id: int = 0
    """Given by perceive, growing: the copies that come through several enhance workers have the same."""
    lanes: tuple[int, ...] = ()
    """The enhance workers to which perceive sent a copy."""
    calls: dict[str, Calls] = {}
    """In the last state: stage to calls of its model, as counted by the workers that this has passed."""


class Checkpoint(Link, frozen=True):
    """No track of this recording is open after this frame: a run that is cut can go on here. Passes like StreamChanged."""

    stream: str
    frame_index: int
    next_track_id: int
    """The tracks of the recording up to this frame have smaller ids, those after it have not."""
    rejected: int = 0
    """Tracks of the recording up to this frame that were of no face."""
    event_id: int = 0
    lanes: tuple[int, ...] = ()


class FaceCrop(Link, frozen=True):
    """One upright face with margin, cut from the planes at its native scale."""

    stream: str
    track_id: int
    frame_index: int
    pts: int | None
    time_base: tuple[int, int]
    pts_seconds: float
    captured_ns: int
    box: tuple[float, float, float, float]
    """x, y, width, height of the face in source pixels."""
    landmarks: list[tuple[float, float]] | None
    """Five points in source pixels."""
    detection_score: float
    quality: Quality
    crop_box: tuple[int, int, int, int]
    """x, y, width, height of this crop in source pixels; x and y are even."""
    y: bytes
    """Luma, height x width, row by row."""
    u: bytes
    v: bytes
    matrix: ColourMatrix
    full_range: bool
    live: bool = False
    ntp_ns: int | None = None
    recorded_ns: int | None = None

    @property
    def planes(self) -> Planes:
        """The crop as arrays, without a copy."""
        _, _, width, height = self.crop_box
        chroma = ((height + 1) // 2, (width + 1) // 2)
        return Planes(
            np.frombuffer(self.y, np.uint8).reshape(height, width),
            np.frombuffer(self.u, np.uint8).reshape(chroma),
            np.frombuffer(self.v, np.uint8).reshape(chroma),
            self.matrix,
            self.full_range,
        )

    def landmarks_in_crop(self, scale: float = 1.0) -> np.ndarray | None:
        """Return the landmarks as (5, 2) float32 pixel centres of the crop enlarged ``scale`` times, None if there are none."""
        if self.landmarks is None:
            return None
        origin = np.array(self.crop_box[:2], np.float32)
        points = np.array(self.landmarks, np.float32) - origin
        return (points + 0.5) * np.float32(scale) - 0.5


class TrackClosed(Link, frozen=True):
    """A track is over and all its crops have been sent."""

    stream: str
    track_id: int
    first_pts: int | None
    first_pts_seconds: float
    last_pts: int | None
    last_pts_seconds: float
    time_base: tuple[int, int]
    frames_seen: int
    first_recorded_ns: int | None = None
    last_recorded_ns: int | None = None


class Drain(Link, frozen=True):
    """No more input: finish what is held, pass this on, and stop."""

    outcome: Outcome = "completed"
    detail: str = ""
    counts: Counts = Counts()
    """Totals of the workers that this has passed; each adds its own."""


class InputFile(Link, frozen=True):
    """What was read: for the record of the run."""

    stream: str
    path: str
    size_bytes: int
    sha256: str
    mtime_ns: int
    """See ``Recording.facts``."""


class Begin(Link, frozen=True):
    """Every worker is ready: the supervisor tells the publisher what they loaded, worker by worker, and the cameras' workers
    to connect."""

    facts: dict[str, dict[str, str]]


class CountedBefore(Link, frozen=True):
    """The supervisor to the publisher: what workers had counted that died, as of their last beats; replaces what it said
    before."""

    counts: Counts


class WantRecording(Link, frozen=True):
    """A decode worker has finished its recording and can take another."""

    worker: str


class Assign(Link, frozen=True):
    """The supervisor's answer to WantRecording."""

    stream: str
    path: bytes
    """As the system has it: a file's name need not be text."""
    first_frame: int = 0
    """Frames before this one were processed by an earlier attempt: decode them, hand over none."""
    pictures: list[bytes] = []
    """A series: its files, in their order."""
    fps: float = 0.0
    """Pictures per second of a series."""
    reading: Reading = Reading()


class Refused(Link, frozen=True):
    """Perceive to decode: a model fails on all of this stream; read no further, it has failed."""

    stream: str
    detail: str


class Warned(Link, frozen=True):
    """A worker to the supervisor: something goes wrong that ends nothing; for the log."""

    stream: str
    """Empty where it is no single stream's."""
    detail: str


class Camera(Link, frozen=True):
    """A live source with all its settings. ``url`` may hold credentials: show ``shown`` instead."""

    name: str
    url: str
    """As FFmpeg opens it, or the path of a V4L2 device."""
    shown: str
    """The same without credentials, for messages."""
    transport: str = "tcp"
    connect_seconds: float = 10.0
    stalled_after_seconds: float = 2.0
    stall_seconds: float = 10.0
    silent_by_design: bool = False
    reconnect_first_seconds: float = 0.5
    reconnect_cap_seconds: float = 8.0
    auth_wait_seconds: float = 30.0
    stable_seconds: float = 60.0
    max_reconnects: int | None = None
    hwaccel: str = "auto"
    detect_fps: float = 10.0
    appearance: Appearance = Appearance()
    options: dict[str, str] = {}

    @property
    def is_device(self) -> bool:
        """Whether it is a V4L2 device of this machine."""
        return self.url.startswith("/dev/")

    def __repr__(self) -> str:
        return f"Camera({self.name!r}, {self.shown!r})"


class Taken(Link, frozen=True):
    """The reader of a pipe tells its writer how many messages it is done with: room for as many more.

    Enhance to perceive: the first one, after start or re-attachment, grants as many as it can work on. Publish to enhance:
    what was handed out, so that a death of publish leaves an account of what it took along.
    """

    count: int


class Attach(Link, frozen=True):
    """The supervisor to a worker: your neighbour was restarted; the new channel's handle follows on the same pipe."""

    side: Literal["upstream", "downstream"]
    index: int


class Outgoing(Link, frozen=True):
    """One message for the publisher, still without ``seq`` and ``sent_ns``, with its payloads."""

    message: Face | Track | Stats
    payloads: list[bytes]


class Ready(Link, frozen=True):
    """A worker has loaded what it needs and waits for input."""

    worker: str
    facts: dict[str, str] = {}
    """What it loaded: model names, hashes, runtimes."""


class StageBeat(Link, frozen=True):
    """One stage of one worker since its start; the percentiles are over its newest items."""

    items: int
    busy_seconds: float
    p50_ms: float
    p99_ms: float
    queue_depth: int = 0
    """Items that wait for this stage now."""


class Beat(Link, frozen=True):
    """A sign of life, at least once a second, with what was done since the start."""

    worker: str
    stages: dict[str, StageBeat]
    counts: Counts
    """Totals since the start of the worker."""
    finished: bool = False
    """The last beat of a worker that stops as it should."""


class Failed(Link, frozen=True):
    """A worker cannot go on."""

    worker: str
    message: str
    exit_code: int
    fatal: bool = False
    """Another process would fail in the same way (wrong configuration, missing model, full disk): do not restart."""


AnyLink = (
    PoolOpened | FrameReady | SlotReleased | StreamChanged | Checkpoint | InputFile | FaceCrop | Taken | TrackClosed
    | Drain | Outgoing | Ready | Begin | CountedBefore | WantRecording | Assign | Attach | Beat | Failed | Refused | Warned
)  # fmt: skip

encode_link = msgspec.msgpack.Encoder().encode
decode_link = msgspec.msgpack.Decoder(AnyLink).decode
