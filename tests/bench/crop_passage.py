"""What it costs a crop to pass from one process to the next, beside the way it took before.

Before: pixels as ``bytes`` of a flat message, through ``multiprocessing.connection``. Between the slot and the arrays of the
reader they were copied seven times: cut, encoded, joined with the length, written, read, collected, decoded. Now three times:
cut, written, read; two of them at the boundary.

Run: python -m tests.bench.crop_passage
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import struct
import sys
import time
from collections.abc import Callable
from statistics import median

import msgspec
import numpy as np

from engine.contracts.faces import FaceCrop
from engine.contracts.findings import Quality
from engine.contracts.frames import Frame, FrameTime, Planes
from engine.workers.links import link_pair

CROPS = 400
QUALITY = Quality(40.0, 0.5, 0.5, 0.5)
SIDES = (16, 32, 64, 96)
"""Of the face; the crop with its margin is 1.8 times as large. Larger ones would need a reader in another thread."""


class FlatCrop(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The message as it was."""

    stream: str
    track_id: int
    frame_index: int
    pts: int | None
    time_base: tuple[int, int]
    pts_seconds: float
    captured_ns: int
    box: tuple[float, float, float, float]
    landmarks: list[tuple[float, float]] | None
    detection_score: float
    quality: Quality
    crop_box: tuple[int, int, int, int]
    y: bytes
    u: bytes
    v: bytes
    matrix: str
    full_range: bool
    live: bool = False
    ntp_ns: int | None = None
    recorded_ns: int | None = None


def flat(frame: Frame, box: tuple[int, int, int, int]) -> FlatCrop:
    """Cut as it was cut."""
    x, y, width, height = box
    rows, columns = slice(y, y + height), slice(x, x + width)
    chroma = slice(y // 2, (y + height) // 2), slice(x // 2, (x + width) // 2)
    when, planes = frame.time, frame.planes
    return FlatCrop(
        frame.stream, 1, when.frame_index, when.pts, when.time_base, when.pts_seconds, when.captured_ns, (0.0, 0.0, 1.0, 1.0),
        None, 0.9, QUALITY, box, planes.y[rows, columns].tobytes(), planes.u[chroma].tobytes(), planes.v[chroma].tobytes(),
        planes.matrix, planes.full_range,
    )  # fmt: skip


def nested(frame: Frame, box: tuple[int, int, int, int]) -> FaceCrop:
    """Cut as it is cut."""
    x, y, width, height = box
    rows, columns = slice(y, y + height), slice(x, x + width)
    chroma = slice(y // 2, (y + height) // 2), slice(x // 2, (x + width) // 2)
    planes = frame.planes
    pixels = Planes(planes.y[rows, columns].copy(), planes.u[chroma].copy(), planes.v[chroma].copy())
    return FaceCrop(frame.stream, 1, frame.time, (0.0, 0.0, 1.0, 1.0), None, 0.9, QUALITY, box, False, planes=pixels)


def before(frame: Frame, box: tuple[int, int, int, int]) -> float:
    """Return the microseconds of processor time that a crop took."""
    encode, decode = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder(FlatCrop).decode
    ours, theirs = multiprocessing.get_context("spawn").Pipe(duplex=True)

    def pass_one() -> Planes:
        content = encode(flat(frame, box))
        os.write(ours.fileno(), struct.pack("!i", len(content)) + content)
        got = decode(theirs.recv_bytes())
        _, _, width, height = got.crop_box
        half = (height // 2, width // 2)
        y = np.frombuffer(got.y, np.uint8).reshape(height, width)
        return Planes(y, np.frombuffer(got.u, np.uint8).reshape(half), np.frombuffer(got.v, np.uint8).reshape(half))

    return _microseconds(pass_one)


def now(frame: Frame, box: tuple[int, int, int, int]) -> float:
    """Return the microseconds of processor time that a crop takes."""
    ours, theirs = link_pair()

    def pass_one() -> Planes:
        ours.send(nested(frame, box))
        return theirs.receive().planes

    return _microseconds(pass_one)


def _microseconds(pass_one: Callable[[], Planes]) -> float:
    start = time.process_time()
    for _ in range(CROPS):
        pass_one()
    return (time.process_time() - start) / CROPS * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rounds", type=int, nargs="?", default=15)
    rounds = parser.parse_args().rounds
    noise = np.random.default_rng(1)
    planes = Planes(*(noise.integers(0, 256, shape, np.uint8) for shape in ((720, 1280), (360, 640), (360, 640))))
    frame = Frame("cam", FrameTime(0, 0, (1, 25), 0.0, 0), planes)
    for side in SIDES:
        box = (200, 200, round(0.9 * side) * 2, round(0.9 * side) * 2)
        pairs = [(before(frame, box), now(frame, box)) for _ in range(rounds)]
        old, new = (median(values) for values in zip(*pairs, strict=True))
        ratio = median(new / old for old, new in pairs)
        sys.stdout.write(f"face of {side:3d} px: {old:6.1f} us before, {new:6.1f} us now, ratio {ratio:.2f}\n")


if __name__ == "__main__":
    main()
