"""The luma of clips, from real files."""

import av
import numpy as np
import pytest

from trt_build.data.clips import count_frames, luma_frames
from trt_build.errors import DataError


@pytest.fixture
def clip(tmp_path):
    """Five frames, each brighter than the one before."""
    path = tmp_path / "clip.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=5)
        stream.width, stream.height, stream.pix_fmt = 34, 18, "yuv420p"
        for level in range(20, 120, 20):
            planes = np.full((27, 34), 128, np.uint8)
            planes[:18] = level
            container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
        container.mux(stream.encode(None))
    return path


def test_every_frame_comes_as_luma(clip):
    frames = list(luma_frames(clip))
    assert [frame.shape for frame in frames] == [(18, 34)] * 5
    assert [int(frame[0, 0]) for frame in frames] == [20, 40, 60, 80, 100]
    assert all((frame == frame[0, 0]).all() for frame in frames)


def test_every_second_frame(clip):
    assert [int(frame[0, 0]) for frame in luma_frames(clip, 2)] == [20, 60, 100]


def test_frames_are_counted_without_decoding(clip):
    assert count_frames(clip) == 5


@pytest.mark.parametrize("read", [count_frames, lambda clip: list(luma_frames(clip))])
@pytest.mark.parametrize("content", [None, b"no video"])
def test_what_is_no_clip_is_named(tmp_path, read, content):
    path = tmp_path / "bad.mkv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=r"bad\.mkv.* cannot be read: "):
        read(path)


def test_sound_alone_is_no_clip(tmp_path):
    path = tmp_path / "sound.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    with pytest.raises(DataError, match="cannot be read"):
        list(luma_frames(path))


def test_odd_sizes_are_read(tmp_path):
    path = tmp_path / "odd.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=5)
        stream.width, stream.height, stream.pix_fmt = 33, 17, "gray"
        rows = np.arange(17, dtype=np.uint8)[:, None].repeat(33, 1) * 4 + 40
        container.mux(stream.encode(av.VideoFrame.from_ndarray(rows, format="gray")))
        container.mux(stream.encode(None))
    (frame,) = luma_frames(path)
    assert frame.shape == (17, 33)
    assert np.abs(np.diff(frame[:, 0].astype(int)) - 4).max() <= 1
