"""Pictures, their times, and what is found in them, as values: none of them knows how it travels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.contracts.coding import BlockMap

Uint8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]
ColourMatrix = Literal["bt601", "bt709", "bt2020"]


class Value(msgspec.Struct, frozen=True, array_like=True):
    """Base of values that are parts of others."""


class Planes(Value, frozen=True, eq=False):
    """One picture as YUV 4:2:0 planes. The arrays may be views into shared memory: copy what must outlive the slot."""

    y: Uint8
    """Luma, (height, width), 0 to 255."""
    u: Uint8
    """Blue difference, (ceil(height / 2), ceil(width / 2)), 128 is neutral."""
    v: Uint8
    """Red difference, as ``u``."""
    matrix: ColourMatrix = "bt601"
    full_range: bool = False
    """False: luma 16 to 235 (video), True: 0 to 255 (JPEG)."""
    blocks: BlockMap | None = None
    """What its decoder told of each part of it, where that can be mapped to these pixels."""

    def __post_init__(self) -> None:
        if self.y.ndim != 2:
            raise ValueError(f"the luma plane must have 2 dimensions, got shape {self.y.shape}")
        height, width = self.y.shape
        chroma = ((height + 1) // 2, (width + 1) // 2)
        if self.u.shape != chroma or self.v.shape != chroma:
            raise ValueError(
                f"chroma planes of a {width}x{height} picture must be {chroma}, got {self.u.shape}, {self.v.shape}"
            )

    @property
    def width_px(self) -> int:
        return int(self.y.shape[1])

    @property
    def height_px(self) -> int:
        return int(self.y.shape[0])

    def __repr__(self) -> str:
        return f"Planes({self.width_px}x{self.height_px}, {self.matrix}, {'full' if self.full_range else 'video'} range)"


class FrameTime(Value, frozen=True):
    """When a frame was shown and when it arrived."""

    frame_index: int
    """Counts the decoded frames of the stream from 0, those skipped by the decoder not included."""
    pts: int | None
    """As the container gave it, in units of ``time_base``; some frames have none."""
    time_base: tuple[int, int]
    """Seconds per tick, as (numerator, denominator)."""
    pts_seconds: float
    """Of a recording: seconds from its beginning as a player shows it, growing through wraps and joins. Of a camera: seconds
    of the stream's clock. Continued from the frame rate where ``pts`` is missing."""
    captured_ns: int
    """Wall clock (Unix, nanoseconds) taken after the packet was read."""
    ntp_ns: int | None = None
    """When the camera took the picture by its own clock (Unix, nanoseconds), where it says so (RTCP sender reports)."""
    recorded_ns: int | None = None
    """Of a recording: when the picture was taken (Unix, nanoseconds), as far as the recording's clock is known."""
    arrived_seconds: float = 0.0
    """Of a camera: as ``captured_ns``, by the monotonic clock, which all processes of a machine share and nobody sets; it is
    not on the wire."""


class Span(Value, frozen=True):
    """From one frame of a stream to another."""

    first: FrameTime
    last: FrameTime


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One decoded picture of one stream, as a player shows it: upright, with square pixels, without combs, SDR."""

    stream: str
    time: FrameTime
    planes: Planes
    detect: bool = True
    """False: the tracker bridges this frame, the detector does not run."""
    damaged: bool = False
    """The decoder had to make up parts of it, or of a picture that it builds on."""
    main: Planes | None = None
    """Of a camera with two streams: the larger picture of the same moment, where there is one."""
    has_main: bool = False
    """It is of a camera with two streams."""


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """The N faces of one frame, best score first, in source pixels."""

    boxes: Float32
    """(N, 4) as x, y, width, height; may reach over the picture's border."""
    scores: Float32
    """(N,), 0 to 1."""
    landmarks: Float32
    """(N, 5, 2) as x, y: right eye, left eye, nose tip, right and left mouth corner (of the person); NaN where unknown."""
    faceness: Float32 | None = None
    """(N,) of the second look, 0 to 1; None where nobody took one."""

    def __post_init__(self) -> None:
        n = len(self.boxes)
        if self.faceness is not None and self.faceness.shape != (n,):
            raise ValueError(f"boxes {self.boxes.shape} and faceness {self.faceness.shape} do not agree")
        if self.boxes.shape != (n, 4) or self.scores.shape != (n,) or self.landmarks.shape != (n, 5, 2):
            raise ValueError(
                f"boxes {self.boxes.shape}, scores {self.scores.shape}, landmarks {self.landmarks.shape} do not agree"
            )

    def __len__(self) -> int:
        return len(self.boxes)

    def only(self, kept: NDArray[np.bool_] | NDArray[np.int64] | list[int]) -> Detections:
        """Return some of them: a mask or their numbers."""
        index = np.asarray(kept, None if len(kept) else np.int64)
        faceness = None if self.faceness is None else self.faceness[index]
        return Detections(self.boxes[index], self.scores[index], self.landmarks[index], faceness)

    @classmethod
    def empty(cls) -> Detections:
        """No face: not the same as a failed detector, which raises."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros((0, 5, 2), np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class TrackedFace:
    """One face of one frame that belongs to a track."""

    track_id: int
    """Unique within a run and over all its streams; never used again."""
    box: Float32
    """(4,) x, y, width, height in source pixels."""
    landmarks: Float32 | None
    """(5, 2) in source pixels, None where the detector gave none."""
    score: float
    """Of the detection that this box comes from, 0 to 1."""
    faceness: float | None = None
    """Of that detection, by the second look; None where nobody took one."""


@dataclass(frozen=True, slots=True, eq=False)
class TrackEnd:
    """A track that is over: left the picture, or its stream ended or was cut."""

    track_id: int
    span: Span
    frames_seen: int
    """Frames in which a detection supported the track."""


# Landmarks of an upright frontal face in a 112x112 crop, the alignment template of ArcFace (Deng et al. 2019), in the order
# of Detections.landmarks as seen in the picture: left eye of the picture first, which is the person's right eye.
ARCFACE_TEMPLATE_112: Float32 = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float32
)
