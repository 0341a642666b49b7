"""A batch of recordings, some of them bad, each in its own way."""

from __future__ import annotations

import os
import shutil
import wave
from collections.abc import Collection
from pathlib import Path

import av
import numpy as np
from skimage import data

FAULTS = Path(__file__).with_name("faults")
"""Put on ``PYTHONPATH``, it lets recordings break their decoder, see there."""
BAD: dict[str, tuple[str, str]] = {
    "audio": ("no_video", "has no video stream, only audio"),
    "crashes": ("worker_died", "was killed by signal SIGSEGV while it read this recording"),
    "empty": ("not_a_video", "is empty"),
    "encrypted": ("encrypted", "is protected (common encryption)"),
    "no_index": ("not_a_video", "its index (moov) is missing"),
    "raises": ("unexpected", "reading it failed: KeyError: 31"),
    "text": ("not_a_video", "is not a video"),
    "unreadable": ("not_a_video", "cannot be read: [Errno 5] Input/output error"),
}
"""Name to reason and sentence."""
_KEY = "76a6c65c5ea762046bd749a2e632ccbb"


def face_clip(path: Path, frames: int = 3, size_px: int = 160, options: dict[str, str] | None = None) -> Path:
    """Render a clip in which one face stands still; ``options`` are the container's."""
    picture = np.ascontiguousarray(data.astronaut()[:300, 80:380])
    with av.open(str(path), "w", options=options or {}) as output:
        stream = output.add_stream("libx264", rate=25)
        stream.width = stream.height = size_px
        stream.pix_fmt = "yuv420p"
        frame = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(size_px, size_px, "yuv420p")
        for index in range(frames):
            frame.pts = index
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def make_batch(folder: Path, good: int, frames: int = 3, bad: Collection[str] = BAD) -> list[str]:
    """Fill a folder with good recordings, and among them one of each ``bad`` kind; return the names of the good ones."""
    folder.mkdir()
    first = face_clip(folder / "a00.mp4", frames)
    names = [f"{'abcdefghijklmnopqrstuvwxyz'[number % 26]}{number:02}" for number in range(good)]
    for name in names[1:]:
        shutil.copy(first, folder / f"{name}.mp4")
    whole = first.read_bytes()
    for name in bad:
        path = folder / f"{name}.mp4"
        match name:
            case "audio":
                with wave.open(str(path), "wb") as audio:
                    audio.setparams((1, 2, 8000, 0, "NONE", ""))
                    audio.writeframes(bytes(16_000))
            case "empty":
                path.touch()
            case "encrypted":
                face_clip(
                    path, frames, options={"encryption_scheme": "cenc-aes-ctr", "encryption_key": _KEY, "encryption_kid": _KEY}
                )
            case "no_index":
                path.write_bytes(whole[: len(whole) * 6 // 10])
            case "text":
                path.write_text("this is not a video", encoding="utf-8")
            case "unreadable":
                path.symlink_to("/proc/self/mem")  # as a disk that fails: it opens, and every read is an error
            case _:
                path.write_bytes(whole)
    return names


def environment() -> dict[str, str]:
    """Return the environment of a run whose decoders break on the recordings that say so."""
    paths = [str(FAULTS), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
