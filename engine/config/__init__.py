"""The configuration: typed, unknown keys forbidden, and pure; ``engine.config.file`` reads it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from engine.config.fleet import FleetConfig
from engine.config.section import Device, Positive, Section
from engine.config.serve import ServeConfig
from engine.config.supervise import SuperviseConfig
from engine.config.verify import VerifyConfig
from engine.contracts.camera import CameraDefaults, HardwareDecoding, NonNegative, Seconds, Transport
from engine.contracts.engine_manifest import Target
from engine.contracts.messages import Deinterlace, Rotate

Redact = Literal["none", "vectors", "blur"]
Runtime = Literal["auto", Target]
Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]


class SourceConfig(Section, frozen=True):
    """Recordings (a file, a directory, a glob, a series of pictures), or one camera: the keys up to ``aspect`` are for both,
    those up to ``fps`` for recordings, all others for cameras."""

    uri: str
    """A path, a directory, a glob such as ``archive/*.mkv`` or ``seq/*.jpg``, a pattern such as ``seq/f%04d.jpg``;
    a camera as ``rtsp://host/path``, ``rtsps://``, ``http(s)://``,
    ``udp://``, ``srt://`` or ``/dev/video0``."""
    name: str = ""
    """The stream's name on the wire; made from the file's or host's name when empty. Not for several recordings."""
    rotate: Rotate = 0
    """Turn the picture, in addition to what the file says: degrees clockwise, ``flip`` (top to bottom) or ``mirror`` (left to
    right); 180 for a camera that hangs upside down."""
    deinterlace: Deinterlace = "auto"
    """``auto``: pictures that are flagged as interlaced; ``on``: all, for combs that are not flagged."""
    aspect: str = ""
    """Width to height of the whole picture, as ``4:3``, where faces are squashed; empty: as the file says."""
    video_stream: NonNegative | None = None
    """Which of the video streams of a file, from 0; None: the best one."""
    start_time: str = ""
    """When the recording begins, as ``2026-03-01T14:05:00+01:00``; without an offset in this machine's time zone."""
    clock_from: str = ""
    """By what the beginning is known: ``creation_time`` (of the file's metadata; the default), ``none``, or ``name:`` and a
    pattern of ``strptime`` that is looked for in the file's name, as ``name:%Y%m%d_%H%M%S``."""
    fps: Seconds | None = None
    """Pictures per second of a series; None: 25. Not for videos, which have a clock of their own."""
    crop_uri: str = ""
    """The main stream of the same camera, where ``uri`` is its sub-stream: faces are looked for and followed in the small
    pictures of ``uri`` and cut from the large ones of ``crop_uri``. Empty: all is done with ``uri``."""
    credentials: str = ""
    """A file with one line ``user:password``, so that no password stands in a configuration or process list."""
    transport: Transport = "tcp"
    """RTSP only: how the pictures travel. UDP loses packets where TCP waits."""
    stall_seconds: Seconds | None = None
    """Reconnect when nothing came for so long; None: ``live.stall_seconds``."""
    silent_by_design: bool = False
    """An event camera, which sends only when something happens: silence is neither a stall nor a reason to reconnect."""
    max_reconnects: NonNegative | None = None
    """Attempts in a row after which the camera is given up; None: ``live.max_reconnects``."""
    hwaccel: HardwareDecoding | None = None
    """None: ``live.hwaccel``."""
    detect_fps: Seconds | None = None
    """Detections per second at most; None: ``live.detect_fps``."""
    options: dict[str, str] = {}
    """FFmpeg's own options of the protocol or device, as ``{"tls_verify": "1"}`` or ``{"video_size": "1280x720"}``."""


class DecodeConfig(Section, frozen=True):
    """How recordings are read."""

    skip_frame: Literal["none", "nonref", "nonkey"] = "none"
    """Frames the decoder itself leaves out: ``nonref`` those that no other needs, ``nonkey`` all but key frames."""
    realtime: bool = False
    """Pace by the time stamps instead of as fast as possible."""
    parallel_files: Positive = 2
    """Recordings that are read at the same time."""
    pool_slots: Annotated[int, msgspec.Meta(ge=2, le=64)] = 8
    """Frames of one recording that may wait for the detector."""
    thread_count: Annotated[int, msgspec.Meta(ge=0, le=64)] = 1
    """Threads of one decoder; 0 lets FFmpeg choose."""
    motion: bool = False
    """Of H.264 that is decoded in software, also of cameras: faces are carried by its motion vectors over the frames on which
    the detector does not run (``detect.every``, ``detect_fps``), which have none otherwise."""


class LiveConfig(CameraDefaults, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How cameras are read (the keys of ``CameraDefaults``), and what gives way when the machine is too slow for them."""

    budget_ms: Annotated[float, msgspec.Meta(ge=20.0)] = 500.0
    """A picture or face that has waited longer is dropped, and counted, instead of delivered late."""
    waiting_frames: Positive = 2
    """Pictures of one camera that may wait for the detector; the oldest gives way."""
    adapt: bool = True
    """Under overload enhance fewer faces, then detect less often, and recover; False: only drop."""
    preview_seconds: Annotated[float, msgspec.Meta(ge=0.0)] = 1.0
    """Of a service: the least time between two small pictures of a camera that its console shows, while somebody looks; 0: none
    are made."""


class DetectConfig(Section, frozen=True):
    """Which detector, how often."""

    detector: str = "auto"
    """``auto`` (YuNet where it was fetched, else grey), ``grey``, ``yunet``, ``dlib-hog``, ``scrfd:PACK``, or the path of a
    YuNet-format ONNX file or of the manifest of a grey one."""
    every: Positive = 1
    """Detect on every n-th frame; tracks are carried over the frames between."""
    min_score: Share | None = None
    """Smallest detector score; each detector has its own default."""
    upsample: Annotated[int, msgspec.Meta(ge=0, le=3)] = 1
    """dlib-hog only: doublings of the picture; 0 finds faces from 80 px, 1 from 40 px, 2 from 20 px at 4 times the cost."""
    runtime: Literal["auto", "onnxruntime", "openvino"] = "auto"
    """``auto``: on a CPU the faster one of those that are installed, measured once for each model."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """bfloat16: OpenVINO only, where the CPU has it."""
    device: Device = "cpu"
    """``cpu``, or ``cuda:N``: one process then computes for all workers, in batches of what they ask together."""
    workers: Annotated[int, msgspec.Meta(ge=0, le=64)] = 0
    """Frames that are detected at the same time; 0: one for each core."""
    second_look: bool = True
    """A small network looks again at what the detector found: tracks of what is no face are not published. Without it a track
    needs ``track.min_detections`` and nothing else, so a photograph has none unless that is 1."""


class TrackConfig(Section, frozen=True):
    """How detections become tracks."""

    method: Literal["bytetrack", "ocsort"] = "bytetrack"
    """``ocsort`` needs the extra of this name."""
    lost_seconds: Seconds = 1.5
    """A track that is not seen for longer is over."""
    min_detections: Positive = 2
    """Detections that make a track; with fewer it is one only where the second look is sure."""
    scene_cuts: bool = True
    """End all tracks where the picture changes to another scene."""
    same_person: bool = True
    """Compare faces where a track may have changed to another person, as after a gap or where two people crossed."""


class CropConfig(Section, frozen=True):
    """Which faces of a track are worth enhancing."""

    policy: Literal["auto", "prompt", "best", "interval", "every"] = "auto"
    """``best``: the top_k of the whole track; ``interval``: the best of each interval, at its end; ``prompt``: the first of
    each interval at once, and any that is clearly better; ``every``: all. ``auto``: prompt for cameras, else interval."""
    interval_seconds: Seconds = 1.0
    """Length of an interval of ``interval`` and ``prompt``."""
    top_k: Positive = 5
    """Faces of a track that ``best`` keeps."""
    margin: Annotated[float, msgspec.Meta(ge=0.1, le=2.0)] = 0.4
    """Added on each side, as a share of the face box."""
    min_size_px: Annotated[float, msgspec.Meta(ge=4)] = 12
    """Smaller faces are not enhanced, compared or published."""
    max_size_px: Annotated[float, msgspec.Meta(ge=16)] = 80
    """Faces larger than this need no enhancement: they are published as they are."""


class SuperResolveConfig(Section, frozen=True):
    """Which generator, how strong."""

    generator: str = "compact_fine_x4"
    """The name of a model, the path of its manifest or ONNX file, ``bicubic``, or ``none``."""
    strength: Share = 1.0
    """0 is bicubic, 1 the generator's whole residual."""
    runtime: Runtime = "auto"
    """``auto``: ONNX Runtime, or what computes the fastest of the engines that there are, measured once. All others but
    ``onnxruntime`` and ``openvino`` compute engines alone, see ``trt-build build``."""
    precision: Literal["auto", "float32", "bfloat16", "float16", "float8", "int8"] = "auto"
    """``auto``: float32, or that of an engine which is faster and passed the gate; ``float32``: no other, whatever is built."""
    engines: str = "auto"
    """The folder of engines; ``auto``: that of ``trt-build build``; ``none``: none is used."""
    device: Device = "cpu"
    """As of ``detect``."""
    max_batch: Positive | None = None
    """Faces that are enlarged together at most. None: as many as pay where they are computed, on a CPU one."""
    max_wait_ms: Annotated[float, msgspec.Meta(ge=0.0)] = 20.0
    """A batch closes this long after its first face, or when it is full."""
    workers: Annotated[int, msgspec.Meta(ge=0, le=64)] = 0
    """Processes that enhance and verify, each with tracks of its own; 0: one for each core, at most 4."""
    track_pictures: bool = True
    """Also make one picture of the best faces of each track. It goes where ``enhanced`` goes, see ``publish``."""


class PublishConfig(Section, frozen=True):
    """Where messages go."""

    endpoint: str = ""
    """ZeroMQ endpoint to bind, as ``tcp://127.0.0.1:5556`` or ``ipc:///run/facestream/faces``; empty: no socket."""
    socket: Literal["pub", "push"] = "pub"
    """``pub`` never blocks and may drop, ``push`` loses nothing and blocks back to the decoder."""
    replay: str = ""
    """Endpoint of the replay service; empty: none."""
    keys: str = ""
    """Folder of `facestream keys`: who is not in it gets nothing, and all that is sent is encrypted; empty: no keys."""
    insecure: bool = False
    """Send in the clear to whoever comes, beyond this machine too."""
    embeddings: bool = False
    """Send the vectors, which can identify a person; the output directory has them either way, as ``parts`` says."""
    redact: Redact = "none"
    """Of pictures of faces, sent and written: ``none`` is hidden; ``vectors``: there are none, only vectors and scores;
    ``blur``: a face whose decision is not ``known`` is made coarse beyond recognition."""
    replay_bytes: Positive = 64 * 1024 * 1024
    """Bound of the replay ring."""
    send_hwm: NonNegative = 0
    """Messages that may wait for one subscriber; 0: 32 if a source is a camera, 256 otherwise."""
    send_buffer_bytes: Positive = 64 * 1024
    """Kernel buffer for one subscriber: small keeps a slow reader's data fresh."""
    traces: str = ""
    """Where traces of faces go by OTLP over HTTP, as ``http://127.0.0.1:4318/v1/traces``; empty: nowhere. Needs the extra
    ``otel``."""
    traces_ratio: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] = 0.01
    """Share of the faces that are traced."""
    wait_seconds: Annotated[float, msgspec.Meta(ge=0.0)] = 0.0
    """Wait this long for a first subscriber before the run starts."""
    codec: Literal["jpeg", "png"] = "jpeg"
    """Of pictures in messages and in the output directory, except a ``scene``, which is always JPEG; ``png`` loses nothing and
    is several times as large."""
    jpeg_quality: Annotated[int, msgspec.Meta(ge=1, le=100)] = 92
    """1 to 100, as libjpeg counts it."""
    mark: bool = True
    """Mark the pixels of enhanced pictures, so that `facestream mark verify` knows them also where what their files say is
    lost; it stands there either way. Originals are never marked."""
    parts: tuple[Literal["enhanced", "original", "embedding", "scene"], ...] = ("enhanced", "original", "embedding")
    """``scene``: the whole picture, at most 960 px wide or high, with a track's best face so far; without it they are only
    written, see ``output.scenes``."""

    @property
    def traced(self) -> float:
        """Share of the faces that are traced; 0 without an address."""
        return self.traces_ratio if self.traces else 0.0


class OutputConfig(Section, frozen=True):
    """The output directory: crops, faces.jsonl, tracks.jsonl, report.html, run.json."""

    directory: str = ""
    """Empty: nothing is written."""
    overwrite: bool = False
    """Replace an earlier run in the directory; else it is refused."""
    resume: bool = False
    """Go on with the interrupted run in the directory; begin one where there is none."""
    report: bool = True
    """Write report.html at the end of the run."""
    report_tracks: Positive = 200
    """Tracks that the report shows at length, those that matter most; the others have a line each."""
    report_video: Literal["auto", "always", "never"] = "auto"
    """Whether the report plays recordings: ``auto`` where a browser can, and they lie near the directory."""
    scenes: bool = True
    """Keep the whole picture, at most 960 px wide or high, with a track's best face so far; not under ``publish.redact``."""
    rejected_pictures: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 200
    """Of tracks that the second look rejected and that came near to a face's, keep so many pictures at most, of the likeliest;
    0: none. Not under ``publish.redact``."""
    sign: str = ""
    """File with the key (`facestream keys sign new`) that signs what is written; empty: it is not signed."""
    keep_pictures_days: Annotated[float, msgspec.Meta(ge=0.0)] = 0.0
    """Where a source is a camera: the pictures of older tracks are deleted while the run goes on; 0: none are. Their lines and
    vectors stay."""
    keep_pictures_gb: Annotated[float, msgspec.Meta(ge=0.0)] = 0.0
    """The same for the oldest pictures where all of them take more than so many gigabytes (10^9 bytes); 0: any size."""
    keep_records_days: Annotated[float, msgspec.Meta(ge=0.0)] = 0.0
    """Where a source is a camera: older lines of faces, tracks and streams, with their vectors and pictures, are emptied while
    the run goes on; 0: none are."""
    keep_records_gb: Annotated[float, msgspec.Meta(ge=0.0)] = 0.0
    """The same for the oldest of them where lines and vectors take more than so many gigabytes (10^9 bytes); 0: any size."""


class Config(Section, frozen=True):
    """All of it."""

    profile: str = "balanced"
    """``fast``, ``balanced`` or ``thorough``: other defaults, see ``PROFILES``."""
    sources: list[SourceConfig] = []
    """Recordings and cameras."""
    decode: DecodeConfig = DecodeConfig()
    live: LiveConfig = LiveConfig()
    supervise: SuperviseConfig = SuperviseConfig()
    detect: DetectConfig = DetectConfig()
    track: TrackConfig = TrackConfig()
    crop: CropConfig = CropConfig()
    super_resolve: SuperResolveConfig = SuperResolveConfig()
    verify: VerifyConfig = VerifyConfig()
    publish: PublishConfig = PublishConfig()
    output: OutputConfig = OutputConfig()
    serve: ServeConfig = ServeConfig()
    fleet: FleetConfig = FleetConfig()


PROFILES: dict[str, dict[str, Any]] = {
    "fast": {"detect": {"every": 3, "upsample": 0}, "live": {"detect_fps": 4.0}, "crop": {"interval_seconds": 3.0}},
    "balanced": {},
    "thorough": {"detect": {"upsample": 2}, "crop": {"policy": "every", "min_size_px": 8}},
}
"""Overrides of the defaults, by name."""
