"""Two streams of one camera: how far apart in time the pictures are that are taken for one moment, how much larger faces
become, and what it costs. The camera is the real RTSP server of the tests, whose mounts show the same moment.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.codec.context import CodecContext

from engine.config import Config, DecodeConfig
from engine.contracts.faces import FaceCrop
from engine.contracts.frames import Frame, FrameTime, Uint8
from engine.contracts.streams import StreamChanged
from engine.decode import packet_reader
from engine.decode.counted import of_camera
from engine.decode.detection_pace import DetectionPace
from engine.decode.display import Display
from engine.decode.live import LiveDecoder
from engine.decode.main_connection import MainConnection
from engine.decode.main_stream import MainStream
from engine.decode.packet_queue import Arrival
from engine.decode.packet_reader import Opened
from engine.decode.picture_gate import PictureGate
from engine.perception.models import OpenModels
from engine.runtime.frame_pool import PoolWriter, slot_bytes_for
from engine.runtime.telemetry import Telemetry
from engine.sample.clip import render_sample
from tests.decode.watching import camera
from tests.real_footage import frames
from tests.rtsp.clips import NUMBER_BITS, Clip, encode, frame_number, numbered_pictures
from tests.rtsp.server import GstServer, Live

FPS = 25
LOOP_SECONDS = 8
MAIN_PX, SUB_PX = (1920, 1080), (640, 360)


TICKS = 150
"""A second: a whole number of them lies between two pictures at each rate."""
SETTLING_SECONDS = 4.0


def clock_clip(out: Path, size_px: tuple[int, int], fps: int) -> Clip:
    """Write a clip in which a patch walks, and which says its time in ticks."""

    def pictures() -> Iterator[Uint8]:
        for number, picture in enumerate(numbered_pictures(size_px, fps * LOOP_SECONDS)):
            ticks = number * TICKS // fps
            width, height = size_px
            side = width // NUMBER_BITS
            picture[:height] = 60
            for bit in range(NUMBER_BITS):
                one = ticks >> (NUMBER_BITS - 1 - bit) & 1
                picture[:side, bit * side : (bit + 1) * side] = 220 if one else 30
            angle = 2 * np.pi * ticks / TICKS / LOOP_SECONDS
            x = int((0.5 + 0.35 * np.sin(angle) + 0.05 * np.sin(7 * angle)) * width)
            picture[height // 3 : height, x - width // 16 : x + width // 16] = 200
            yield picture

    return encode(pictures(), out, fps=fps)


def clock_errors(server: GstServer, seconds: float, fps: int, *, told: bool) -> dict[str, object]:
    """Pair pictures that say their number; return the errors in frames of the main stream, and how long a pair took to come.

    Args:
        server: with mounts ``sub`` and ``main`` of clips that say their time.
        seconds: so long.
        fps: of the main stream.
        told: whether the camera's clock (RTCP) is believed.
    """
    early, errors, waits, misses = list[float](), list[float](), list[float](), Counter[str]()
    with pytest.MonkeyPatch.context() as patch:
        if not told:
            patch.setattr(packet_reader, "_ntp_ns", lambda packet: None)
        decoder = LiveDecoder(camera(server.url("sub")), DecodeConfig())
        main = MainStream(camera(server.url("main"), crop_wait_ms=800.0), DecodeConfig(), decoder.wake)
        main.is_wanted = True
        main.start()
        began, numbers = time.monotonic(), dict[int, tuple[int, float]]()
        with closing(decoder), closing(main):
            for item in decoder:
                if isinstance(item, Frame):
                    main.note(item)
                    # The first picture of a connection is an old one, by which the server describes the stream.
                    if item.detect and main.is_following and item.time.frame_index > FPS:
                        numbers[item.time.frame_index] = frame_number(item.planes.y), item.time.arrived_seconds
                        main.expect(item)
                for answer in main.take():
                    number, arrived = numbers.pop(answer.frame_index)
                    if answer.planes is None:
                        misses[str(answer.miss)] += 1
                        continue
                    apart = (frame_number(answer.planes.y) - number) / TICKS
                    error = ((apart + LOOP_SECONDS / 2) % LOOP_SECONDS - LOOP_SECONDS / 2) * fps
                    (errors if arrived - began > SETTLING_SECONDS else early).append(abs(error))
                    waits.append((time.monotonic() - arrived) * 1000)
                if time.monotonic() - began > seconds:
                    break
    return {
        "pairs": len(errors),
        "misses": dict(misses),
        "worst_at_first": round(max(early, default=0.0), 2),
        "worst": round(max(errors), 2),
        "median": round(statistics.median(errors), 2),
        "wait_ms_p50": round(statistics.median(waits)),
    }


def clocks(folder: Path, seconds: float) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield the errors for several delays and rates, with and without the camera's clock."""
    sub = clock_clip(folder / "sub.h264", (320, 240), FPS)
    for fps, delay in [(25, 0.0), (25, 0.12), (25, 0.4), (15, 0.12), (30, -0.1)]:
        main = clock_clip(folder / f"main{fps}.h264", (960, 720), fps)
        mounts = {"sub": Live(sub, 0.05 + max(0.0, -delay)), "main": Live(main, 0.05 + max(0.0, delay))}
        for told in (True, False):
            with GstServer(mounts) as server:
                yield f"{fps} fps {delay:+.2f} s {'ntp' if told else 'seen'}", clock_errors(server, seconds, fps, told=told)


def scenes(folder: Path) -> dict[str, tuple[Clip, Clip]]:
    """Return (main, sub) of a hall with people, and of one that is empty but for a second in eight; made where they are not
    there."""
    paths = {name: (folder / f"{name}-main.h264", folder / f"{name}-sub.h264") for name in ("people", "empty")}
    if not all(path.exists() for pair in paths.values() for path in pair):
        video = folder / "sample.mp4"
        render_sample(video, seconds=2.0, size_px=MAIN_PX, bits_per_second=12_000_000)
        people = [np.concatenate([p.y, p.u.reshape(-1, MAIN_PX[0]), p.v.reshape(-1, MAIN_PX[0])]) for _, p in frames(video)]
        people += people[::-1]
        grey = np.full((MAIN_PX[1] * 3 // 2, MAIN_PX[0]), 110, np.uint8)
        pictures = {"people": people, "empty": [*people[:FPS], *[grey] * (FPS * (LOOP_SECONDS - 1))]}
        for name, (large, small) in paths.items():
            encode(pictures[name], large, fps=FPS, kbps=4000)
            encode(map(_reduced, pictures[name]), small, fps=FPS, kbps=500)
    return {name: (Clip(a, "h264", FPS, MAIN_PX, FPS), Clip(b, "h264", FPS, SUB_PX, FPS)) for name, (a, b) in paths.items()}


def _reduced(i420: Uint8) -> Uint8:
    bgr = cv2.resize(cv2.cvtColor(i420, cv2.COLOR_YUV2BGR_I420), SUB_PX, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420), np.uint8)


@dataclass
class Spent:
    """CPU time of stages, in all threads of this process: how busy the machine is otherwise does not count."""

    seconds: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def on(self, stage: str) -> Iterator[None]:
        before = time.process_time()
        yield
        self.seconds[stage] += time.process_time() - before


def arrivals(clip: Clip) -> Iterator[tuple[Arrival, CodecContext]]:
    """Yield the packets of a clip as they would come."""
    with av.open(str(clip.path), format="h264", options={"framerate": str(clip.fps)}) as container:
        stream = container.streams.video[0]
        for number, packet in enumerate(packet for packet in container.demux(stream) if packet.size):
            packet.pts = packet.dts = number * 3600
            yield Arrival(packet, packet.is_keyframe, packet.size, 0, number / clip.fps), stream.codec_context


class Main(MainConnection):
    """A main stream whose packets are given by hand."""

    def __init__(self, context: CodecContext) -> None:
        super().__init__(camera("rtsp://x"), of_camera(), lambda *_: StreamChanged("", "live"), lambda stamp: None)
        self._reader.opened = Opened(context, Fraction(1, 90_000), Fraction(FPS))

    def give(self, arrival: Arrival) -> None:
        for _ in self._take(arrival):
            pass


def cost(which: str, large: Clip, small: Clip) -> dict[str, object]:
    """Let the cores of the product do what they do of one camera, over ``main``, ``sub`` or ``both``.

    Returns:
        CPU by stage in thousandths of a core, and the sizes of the faces that were cut.
    """
    spent, sizes, wanted_until, decoded = Spent(), list[float](), -1.0, 0
    looked_at = large if which == "main" else small
    mains = list(arrivals(large)) if which == "both" else []
    main = Main(mains[0][1]) if mains else None
    with closing(OpenModels(Config(), lambda warned: None)) as models:
        core = models.core(Telemetry("bench"))
        pools = [PoolWriter(number + 1, 2, slot_bytes_for(*MAIN_PX)) for number in range(2)]
        slots = [pool.acquire() or 0 for pool in pools]
        pace, gate, display = DetectionPace(10.0), None, Display[None]()
        for number, (arrival, context) in enumerate(arrivals(looked_at)):
            gate = gate or PictureGate(context, "none", of_camera())
            with spent.on("decode"):
                ((planes, _),) = (shown for picture, _ in gate.pictures(arrival) for shown in display.show(picture, None, None))
                pools[0].write(slots[0], planes)
            seconds, other = number / FPS, None
            if main is not None:
                main.give(mains[number][0])
            detect, found = pace.mark(seconds), None
            if detect:
                with spent.on("detect"):
                    (found,) = core.detect([planes])
                if main is not None and main.kept is not None and seconds < wanted_until:
                    with spent.on("decode main"):
                        other = main.picture(number, lambda: False)
                        if other is not None:
                            pools[1].write(slots[1], other)
                    decoded += other is not None
                if found.detections:
                    wanted_until = seconds + 2.0
            when = FrameTime(number, number, (1, FPS), seconds, 0)
            with spent.on("follow and cut"):
                items = core.take(
                    Frame("cam", when, planes, detect, main=other, has_main=main is not None), found, seconds, live=True
                )
            sizes += [item.quality.size_px for item in items if isinstance(item, FaceCrop)]
        for pool in pools:
            pool.close()
    length = (number + 1) / FPS
    return {
        "cpu_per_mille": {stage: round(1000 * one / length) for stage, one in spent.seconds.items()},
        "all": round(1000 * sum(spent.seconds.values()) / length),
        "faces": len(sizes),
        "size_px": [round(float(value)) for value in np.percentile(sizes, [10, 50, 90])] if sizes else [],
        "main_pictures": decoded,
    }


def main() -> None:
    """Print one line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=15.0, help="of each arrangement")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "facestream-two-streams", help="of clips")
    parser.add_argument("what", choices=["clips", "clock", "cost"])
    options = parser.parse_args()
    folder: Path = options.folder
    folder.mkdir(exist_ok=True)
    if options.what == "clock":
        for name, figures in clocks(folder, options.seconds):
            sys.stdout.write(f"{name}: {json.dumps(figures)}\n")
            sys.stdout.flush()
        return
    for scene, (large, small) in scenes(folder).items():
        for which in ("main", "sub", "both") if options.what == "cost" else ():
            sys.stdout.write(f"{scene}, {which}: {json.dumps(cost(which, large, small))}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
