"""How many cameras this machine holds without a drop, and how late their faces are. Run: python -m tests.bench.capacity

For each profile and kind of camera it looks for the most streams that run with no drop, then holds them for ``--seconds``.
The RTSP server runs on the same cores; what it and others took of them stands beside each result.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import av
from rich.console import Console
from rich.table import Table

from engine.models import find_model
from engine.runtime.worker import BEAT_SECONDS
from tests.assets import SHARED
from tests.bench.camera_turn import CORES, Setting, play_turn
from tests.bench.plain_loop import plain_streams
from tests.publish.samples import environment
from tests.rtsp.clips import Clip, face_clip, recorded_clip
from tests.rtsp.server import GstServer

CLIP_SECONDS = 20.0
LEAST_FRAMES = 0.98
"""Of the cameras' frames that must have been decoded: a decoder that lags lets pictures wait where nobody counts them."""
KINDS = "640x480@15,768x432@10,1280x720@25"
LATENCY_KINDS = (("768x432@10", (1, 4)), ("640x480@25", (1,)))
_FRAME_STAGES = ("track", "crop")
_FACE_STAGES = ("super_resolve", "verify")


@dataclass(frozen=True)
class Kind:
    """Size and rate of a camera's pictures."""

    width_px: int
    height_px: int
    fps: int

    @classmethod
    def parse(cls, text: str) -> Kind:
        """Read ``640x480@15``; a ValueError where it is anything else."""
        size, _, fps = text.partition("@")
        width, _, height = size.partition("x")
        return cls(int(width), int(height), int(fps))

    def __str__(self) -> str:
        return f"{self.width_px}x{self.height_px}@{self.fps}"


class Bench:
    """Turns over one server of one kind of camera, all of which show the same, or each another moment of it."""

    def __init__(self, kind: Kind, folder: Path, console: Console, *, apart: bool) -> None:
        self.kind, self._folder, self._console = kind, folder, console
        self._clip = make_clip(kind, folder)
        self._clips = self._clip.turned(folder) if apart else [self._clip]
        self._server = GstServer({f"cam{number}": clip for number, clip in enumerate(self._clips)})
        self.decode_ms = decode_cost_ms(self._clip)

    def turn(self, setting: Setting, streams: int, hold_seconds: float) -> dict[str, Any]:
        """Run so many streams; the result has ``held``, and ``why`` where it is false."""
        with self._server as server:
            order = {
                "setting": asdict(setting), "hold_seconds": hold_seconds, "fps": self.kind.fps, "server_pid": server.pid,
                "urls": [server.url(f"cam{number % len(self._clips)}") for number in range(streams)],
                "endpoint": f"ipc://{self._folder}/faces",
            }  # fmt: skip
            command = [sys.executable, "-m", "tests.bench.capacity", "--role", json.dumps(order)]
            child = subprocess.run(command, capture_output=True, text=True, check=False, env=environment())
        if child.returncode:
            raise RuntimeError(f"a turn of {streams} streams failed: {child.stderr[-2000:]}")
        figures: dict[str, Any] = json.loads(child.stdout)
        figures |= {"streams": streams, "why": figures.get("why") or _why(figures)}
        figures["held"] = not figures["why"]
        self._console.print(f"{self.kind} {setting.profile} {setting.embedder}: {streams}, {figures['why'] or 'held'}")
        return figures

    def search(self, setting: Setting, most: int, short_seconds: float, seconds: float) -> dict[str, Any]:
        """Return the figures of the most streams that are held for ``seconds``, with the bound; 0 streams where one is not."""
        alone = self.turn(setting, 1, short_seconds)
        if "stage_ms" not in alone:
            raise RuntimeError(f"one camera of {self.kind} does not run: {alone['why']}")
        bound = CORES / self.cost_of_stream(alone)
        low, high = (1, most + 1) if alone["held"] else (0, 1)
        streams = max(2, int(0.6 * bound))
        while high - low > 1:
            streams = min(max(streams, low + 1), high - 1)
            # Whatever else runs here can cost a picture: only what fails twice is too much.
            held = any(self.turn(setting, streams, short_seconds)["held"] for _ in range(2))
            low, high = (streams, high) if held else (low, streams)
            streams = 2 * streams if held and high == most + 1 else (low + high) // 2
        best = alone | {"streams": 0}
        for streams in range(low, 0, -1):
            best = self.turn(setting, streams, seconds)
            if best["held"]:
                break
            best["streams"] = 0
        return best | {
            "kind": str(self.kind), "setting": asdict(setting), "bound_streams": bound, "ratio": best["streams"] / bound,
            "bound_streams_by_stages_under_load": CORES / self.cost_of_stream(best) if best["streams"] else None,
            "stage_ms_alone": alone["stage_ms"] | {"decode": self.decode_ms}, "limited_by_most": best["streams"] == most,
        }  # fmt: skip

    def plain_streams(self, detector: str) -> float:
        """See ``tests.bench.plain_loop``; the loop has YuNet, the default generator, and no embedder."""
        manifest = find_model("compact_fine_x4")
        assert manifest is not None
        streams = plain_streams(self._clip, detector, manifest.with_suffix(".onnx"))
        self._console.print(f"{self.kind}: a plain loop could keep up with {streams:.1f}")
        return streams

    def cost_of_stream(self, figures: dict[str, Any]) -> float:
        """Return core seconds per second that the stages of one stream cost, all overhead aside."""
        mean_ms: dict[str, float] = {name: ms or 0.0 for name, ms in figures["stage_ms"].items()}
        per_frame = self.decode_ms + sum(mean_ms.get(stage, 0.0) for stage in _FRAME_STAGES)
        per_face = sum(mean_ms.get(stage, 0.0) for stage in _FACE_STAGES)
        cost_ms = figures["frames_per_second"] * per_frame + figures["faces_per_second"] * per_face
        cost_ms += figures["detections_per_second"] * mean_ms.get("detect", 0.0)
        return float(cost_ms / 1000 / figures["streams"])


def _why(figures: dict[str, Any]) -> str:
    if figures["drops"]:
        return ", ".join(f"{name} {count}" for name, count in figures["drops"].items())
    if figures["reconnects"]:
        return f"{figures['reconnects']} reconnects"
    # Workers tell their counts twice a second, so that the first and the last may be that old.
    least = LEAST_FRAMES - 2 * BEAT_SECONDS / figures["seconds"]
    return "" if figures["frame_share"] >= least else f"{figures['frame_share']:.0%} of the frames were decoded"


def make_clip(kind: Kind, folder: Path) -> Clip:
    """Encode a signer, whose face is always in view, stretched to the size; the rendered scene where there is no footage."""
    video, size_px = SHARED / "video" / "asl_book.mkv", (kind.width_px, kind.height_px)
    if not video.exists():
        return face_clip(folder, "h264", size_px, kind.fps, CLIP_SECONDS)
    return recorded_clip(video, folder / f"{kind}.h264", "h264", size_px, kind.fps, CLIP_SECONDS)


def decode_cost_ms(clip: Clip) -> float:
    """Return the CPU milliseconds of bare decoding in one thread, per frame."""
    with av.open(str(clip.path)) as container:
        container.streams.video[0].codec_context.thread_count = 1
        start = time.process_time()
        frames = sum(1 for _ in container.decode(video=0))
        return 1000 * (time.process_time() - start) / frames


def measure_latency(options: argparse.Namespace, folder: Path, console: Console) -> Iterator[dict[str, Any]]:
    """Yield the figures of a few streams; those of the most are part of the capacity."""
    profile = options.profiles.split(",")[0]
    for text, counts in LATENCY_KINDS:
        bench = Bench(Kind.parse(text), folder, console, apart=options.apart)
        settings = [_setting(profile, engines, options) for engines in options.engines.split(",")]
        for _, streams, setting in itertools.product(range(options.rounds), counts, settings):
            figures = bench.turn(setting, streams, options.seconds)
            yield figures | {"kind": text, "setting": asdict(setting)}


def measure_capacity(options: argparse.Namespace, folder: Path, console: Console) -> Iterator[dict[str, Any]]:
    """Yield the figures of each kind, round, profile and choice of engines."""
    for text in options.kinds.split(","):
        bench = Bench(Kind.parse(text), folder, console, apart=options.apart)
        for _ in range(options.rounds):
            plain = {"plain_streams": bench.plain_streams(detector_of("yunet"))} if options.plain else {}
            for profile, engines in itertools.product(options.profiles.split(","), options.engines.split(",")):
                setting = _setting(profile, engines, options)
                if options.hold:
                    found = bench.turn(setting, options.hold, options.seconds) | {"kind": text, "setting": asdict(setting)}
                else:
                    found = bench.search(setting, options.most, options.short, options.seconds)
                yield found | plain


def _setting(profile: str, engines: str, options: argparse.Namespace) -> Setting:
    detector = detector_of(options.detector)
    return Setting(profile, detector, options.embedder, options.warm_up, engines, options.bare)


def detector_of(name: str) -> str:
    """Return the shared YuNet for ``yunet`` where it is there, so that nothing needs to be fetched."""
    model = SHARED / "models" / "face_detection_yunet_2023mar.onnx"
    return str(model) if name == "yunet" and model.exists() else name


def _print(console: Console, rows: list[dict[str, Any]], title: str) -> None:
    table = Table(title=title, box=None)
    for heading in ("kind", "profile", "embedder", "engines", "streams", "plain", "bound", "ratio", "detect/s", "faces/s",
                    "p50 ms", "p99 ms", "CPU", "server", "all", "level", "not held"):  # fmt: skip
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(
            row["kind"], row["setting"]["profile"], row["setting"]["embedder"], row["setting"]["engines"], str(row["streams"]),
            f"{row['plain_streams']:.1f}" if "plain_streams" in row else "-",
            *(f"{row[name]:.2f}" if name in row else "-" for name in ("bound_streams", "ratio")),
            *(f"{row.get(name) or 0:.1f}" for name in ("detections_per_second", "faces_per_second")),
            *("-" if row.get(name) is None else f"{row[name]:.0f}" for name in ("latency_p50_ms", "latency_p99_ms")),
            *(f"{row.get(name) or 0:.0%}" for name in ("cpu_share", "server_cpu_share", "all_cpu_share")),
            str(row.get("overload_level", "-")), row["why"],
        )  # fmt: skip
    console.print(table)


def main() -> None:
    """Print the table, or be the process of a turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0, help="how long the result is held")
    parser.add_argument("--short", type=float, default=15.0, help="how long each attempt of the search is held")
    parser.add_argument("--warm-up", type=float, default=10.0, help="seconds that do not count, from all cameras live on")
    parser.add_argument("--kinds", default=KINDS)
    parser.add_argument("--profiles", default="balanced,fast")
    parser.add_argument("--detector", default="grey")
    parser.add_argument("--embedder", default="dlib")
    parser.add_argument("--most", type=int, default=12, help="streams at most")
    parser.add_argument("--hold", type=int, default=0, help="hold so many streams for --seconds, and look for no others")
    parser.add_argument("--engines", default="auto", help="super_resolve.engines; several, as `none,auto`, take turns")
    parser.add_argument("--rounds", type=int, default=1, help="turns of each")
    parser.add_argument("--plain", action="store_true", help="also say with how many of them a plain loop could keep up")
    parser.add_argument("--bare", action="store_true", help="no pictures of tracks, no marks: the work of a version without")
    parser.add_argument(
        "--apart", action="store_true", help="cameras show other moments of the clip, as those of several places do"
    )
    parser.add_argument("--latency", action="store_true", help="measure how late the faces of 1 and 4 streams are")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--role", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.role:
        play_turn(json.loads(options.role))
        return
    console = Console(highlight=False, width=140)
    with tempfile.TemporaryDirectory() as folder:
        measure = measure_latency if options.latency else measure_capacity
        rows = list(measure(options, Path(folder), console))
    title = "latency from packet to message" if options.latency else "streams without a drop"
    _print(console, rows, f"{title}, {CORES} cores, {options.detector}")
    if options.json:
        options.json.write_text(json.dumps({"cores": CORES, "rows": rows}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
