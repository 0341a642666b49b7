"""How long faces of cameras wait for the pictures of tracks. Run: python -m tests.bench.picture_wait [STREAMS FACES_PER_SECOND]

The real core enlarges, compares and joins; its processor time moves a clock of its own, so that what else runs here counts for
nothing. The order alone differs: ``at once`` makes a picture as soon as it is due, before the face that made it due is handed
on, ``when idle`` as ``FaceLine`` does.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Literal

import cv2
import numpy as np
from msgspec.structs import replace
from skimage.data import astronaut

from engine.config import Config
from engine.config.verify import VerifyConfig
from engine.contracts.faces import FaceCrop
from engine.contracts.findings import Quality
from engine.contracts.frames import FrameTime
from engine.enhancement.enhancement import Said, has_picture
from engine.enhancement.models import OpenModels
from engine.pictures.colour import planes_from_bgr
from engine.runtime.telemetry import Telemetry
from engine.workers import face_line
from tests.super_resolve.test_enhancer import crop_of

SECONDS, TRACK_SECONDS = 12.0, 20.0
SIZE_PX = (32, 40)
LANDMARKS = ((10.0, 16.0), (21.0, 16.0), (16.0, 23.0), (11.0, 29.0), (20.0, 29.0))
Order = Literal["at once", "when idle"]


def crops(streams: int, rate: float) -> Iterator[tuple[float, FaceCrop]]:
    """Yield when each face arrives, and the face: one of each camera, with noise and qualities of its own."""
    noise, when = np.random.default_rng(1), random.Random(2)
    portrait = cv2.cvtColor(astronaut()[0:180, 130:310], cv2.COLOR_RGB2BGR)  # type: ignore[no-untyped-call]
    face = cv2.resize(portrait, SIZE_PX, interpolation=cv2.INTER_AREA)
    arrivals = ((index + when.random()) / rate for _ in range(streams) for index in range(int(SECONDS * rate)))
    for number, (seconds, stream) in enumerate(sorted((at, place % streams) for place, at in enumerate(arrivals))):
        noisy = np.clip(face + noise.normal(0, 3, face.shape), 0, 255).astype(np.uint8)
        quality = Quality(24.0, 0.5, 0.5, float(noise.uniform(0.2, 0.6)))
        time_ = FrameTime(number, None, (1, 25), seconds, 0)
        yield seconds, replace(
            crop_of(planes_from_bgr(noisy), 24.0), stream=f"cam{stream}", track_id=1 + int(seconds // TRACK_SECONDS),
            time=time_, live=True, quality=quality, landmarks=LANDMARKS,
        )  # fmt: skip


def measure(order: Order, streams: int, rate: float) -> str:
    """Return a line with what faces waited, from their arrival to their message."""
    config = Config(verify=VerifyConfig(gallery=""))
    with closing(OpenModels(config, lambda _: None, prompt=True)) as models:
        core, now, waits, pictures, busy = models.core(Telemetry("bench")), 0.0, list[float](), 0, 0.0
        calm = 0.0

        def spend(work: Callable[[], list[Said]]) -> None:
            nonlocal now, pictures, busy
            began = time.process_time()
            said = work()
            spent = time.process_time() - began
            now, busy, pictures = now + spent, busy + spent, pictures + sum(map(has_picture, said))

        for arrival, crop in crops(streams, rate):
            while order == "when idle" and now < arrival and core.has_picture_due:
                spend(core.picture_due)
                calm = now
            now = max(now, arrival)
            spend(lambda crop=crop: core.finish([crop], core.enlarge([crop])))  # type: ignore[misc]
            while order == "at once" and core.has_picture_due:
                spend(core.picture_due)
            waits.append(now - arrival)
            calm = calm if core.has_picture_due else now
            if core.has_picture_due and now - calm >= face_line._PICTURE_SECONDS:
                spend(core.picture_due)
                calm = now
    p50, p90, p99 = np.percentile(np.array(waits) * 1000, [50, 90, 99])
    waited = f"p50 {p50:.0f} ms, p90 {p90:.0f}, p99 {p99:.0f}"
    return f"{order:9}: {len(waits)} faces, {waited}; {pictures} pictures, busy {busy / SECONDS:.0%}"


def main() -> None:
    """Print both orders, twice, by turns."""
    streams, rate = (int(sys.argv[1]), float(sys.argv[2])) if len(sys.argv) > 2 else (5, 4.0)
    for order in ("at once", "when idle", "at once", "when idle"):
        sys.stdout.write(measure(order, streams, rate) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
