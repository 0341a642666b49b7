"""H.265 tells of damage where its encoder wrote hashes of its pictures, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from engine.config import DecodeConfig
from engine.contracts.frames import Frame
from engine.decode.decoder import Decoder
from engine.decode.strictness import ask_to_refuse
from tests.decode.clips import render


def hashed(path: Path, pix_fmt: str = "yuv420p", kind: int = 1) -> Path:
    options = {"x265-params": f"log-level=none:hash={kind}:keyint=10:bframes=2"}
    return render(path, "libx265", pix_fmt, size=(160, 128), frames=30, codec_options=options)


def frames_of(path: Path) -> tuple[dict[int | None, Frame], str]:
    *items, last = Decoder("cam", path, DecodeConfig())
    frames = {item.time.pts: item for item in items if isinstance(item, Frame)}
    return frames, getattr(last, "detail", "")


@pytest.mark.parametrize("name", ["a.mkv", "a.ts"])
@pytest.mark.parametrize("seed", range(2))
def test_every_picture_that_a_flipped_bit_harms_is_marked(tmp_path, name, seed):
    path = hashed(tmp_path / name)
    whole, detail = frames_of(path)
    assert (len(whole), detail) == (30, "")
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size > 300]
        hit = packets[np.random.default_rng(seed).integers(len(packets))]
        inside = bytes(hit)[150:250]
    data = path.read_bytes()
    at = max(data.find(inside[at : at + 8]) for at in range(0, 96, 8)) + 4  # packets of a transport stream part it
    path.write_bytes(data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :])
    frames, detail = frames_of(path)
    wrong = {pts for pts, frame in frames.items() if not np.array_equal(frame.planes.y, whole[pts].planes.y)}
    assert wrong
    assert wrong <= {pts for pts, frame in frames.items() if frame.damaged}
    assert len(frames) == 30
    assert ("could not be decoded" in detail, "does not report" in detail) == (True, False)


@pytest.mark.parametrize("pix_fmt", ["yuv420p10le", "yuv444p", "gray"])
def test_whole_pictures_of_any_kind_are_not_refused(tmp_path, pix_fmt):
    frames, detail = frames_of(hashed(tmp_path / "a.mkv", pix_fmt))
    assert (len(frames), sum(frame.damaged for frame in frames.values()), detail) == (30, 0, "")


@pytest.mark.parametrize(("kind", "compared"), [(0, False), (1, True), (2, False), (3, False)])
def test_only_where_there_are_hashes_that_are_compared(tmp_path, kind, compared):
    with av.open(str(hashed(tmp_path / "a.mkv", kind=kind))) as container:
        first = next(container.demux(video=0))
        assert ask_to_refuse(container.streams.video[0].codec_context, first) == compared
        assert not ask_to_refuse(container.streams.video[0].codec_context)
