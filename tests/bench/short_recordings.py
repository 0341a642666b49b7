"""Many short recordings of different content, cheaply: pieces of a few clips, copied out of them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av

from engine.sample.clip import render_sample

FPS = 5
"""Of a recorder that keeps little."""
_KEY_SECONDS = 2
_CLIP_SECONDS = 10
_SPANS = tuple((at, length) for length in (2, 3, 4) for at in range(0, _CLIP_SECONDS - length + 1, _KEY_SECONDS))
"""Where a piece begins and how long it is, in seconds."""


def short_recordings(folder: Path, number: int) -> list[Path]:
    """Return so many recordings of 2 to 4 s in a folder; those that are there are not made again."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [folder / f"clip-{index:03d}.mp4" for index in range(number)]
    if not all(path.exists() for path in wanted):
        with tempfile.TemporaryDirectory() as scratch:
            clips = _clips(Path(scratch), -(-number // len(_SPANS)))
            for path, (clip, begin, length) in zip(wanted, _pieces(clips), strict=False):
                _copy(clip, path, begin, length)
    return wanted


def _pieces(clips: Iterator[Path]) -> Iterator[tuple[Path, int, int]]:
    return ((clip, *span) for clip in clips for span in _SPANS)


def _clips(folder: Path, number: int) -> Iterator[Path]:
    for seed in range(number):
        rendered, clip = folder / f"rendered-{seed}.mp4", folder / f"{seed}.mp4"
        render_sample(rendered, seconds=float(_CLIP_SECONDS), seed=seed, size_px=(320, 240))
        _thin(rendered, clip)
        yield clip


def _thin(rendered: Path, clip: Path) -> None:
    """Write some frames of a clip, with a key frame each ``_KEY_SECONDS``."""
    with av.open(str(rendered)) as source, av.open(str(clip), "w") as output:
        video = source.streams.video[0]
        every = round(float(video.average_rate or FPS) / FPS)
        stream = output.add_stream("libx264", rate=FPS, options={"g": str(FPS * _KEY_SECONDS), "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = video.width, video.height, "yuv420p"
        stream.codec_context.thread_count = 1
        for index, frame in enumerate(source.decode(video)):
            if index % every == 0:
                frame.pts, frame.time_base = index // every, Fraction(1, FPS)
                output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


def _copy(clip: Path, path: Path, begin: int, length: int) -> None:
    """Copy the packets of a part, which begins with a key frame."""
    with av.open(str(clip)) as source, av.open(str(path), "w") as output:
        video = source.streams.video[0]
        stream = output.add_stream_from_template(video)
        assert video.time_base is not None
        for packet in source.demux(video):
            if packet.pts is None or not begin <= packet.pts * video.time_base < begin + length:
                continue
            packet.stream = stream
            output.mux(packet)
