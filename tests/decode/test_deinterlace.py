from __future__ import annotations

import av
import numpy as np
import pytest

from engine.config import DecodeConfig
from engine.contracts.frames import Frame
from engine.contracts.recording import Appearance, Reading
from engine.crop.combs import combed
from engine.decode.decoder import Decoder
from engine.decode.deinterlace import Deinterlacer
from tests.decode.clips import X265, render

STEP_PX = 6
"""Between two fields."""


def moving(count: int, width: int = 160, height: int = 120) -> list[np.ndarray]:
    """Return grey pictures of a blob that moves to the right, one for each field."""
    y, x = np.mgrid[:height, :width].astype(float)
    return [
        (40 + 180 * np.exp(-((x - 30 - STEP_PX * n) ** 2 + (y - height / 2) ** 2) / 300)).astype(np.uint8) for n in range(count)
    ]


def woven(fields: list[np.ndarray]) -> list[np.ndarray]:
    """Return pictures whose even lines are of one field and whose odd lines are of the next."""
    pictures = []
    for top, bottom in zip(fields[::2], fields[1::2], strict=True):
        both = top.copy()
        both[1::2] = bottom[1::2]
        pictures.append(both)
    return pictures


def write(path, pictures, codec="libx264", **options):
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=25, options=options)
        stream.height, stream.width = pictures[0].shape
        stream.pix_fmt = "yuv420p"
        for grey in pictures:
            rgb = np.repeat(grey[:, :, None], 3, axis=2)
            output.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, "rgb24").reformat(format="yuv420p")))
        output.mux(stream.encode(None))
    return path


def interlaced(path, count: int = 12):
    return write(path, woven(moving(2 * count)), "libx264", **{"x264-params": "interlaced=1:tff=1:crf=10"})


def read(path, **appearance) -> list[Frame]:
    with Decoder("cam", path, DecodeConfig(), reading=Reading(Appearance(**appearance))) as decoder:
        return [item for item in decoder if isinstance(item, Frame)]


def combs_of(frame: Frame, n: int) -> float:
    centre = 30 + 2 * STEP_PX * n
    return combed(frame.planes.y[30:90, max(0, centre - 30) : centre + 30])


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.avi"])
def test_flagged_pictures_lose_their_combs_and_nothing_else(tmp_path, name):
    path = interlaced(tmp_path / name)
    raw, frames = read(path, deinterlace="off"), read(path)
    assert len(raw) == len(frames) == 12
    assert [f.time.pts for f in frames] == [f.time.pts for f in raw]
    assert [f.time.pts_seconds for f in frames] == [f.time.pts_seconds for f in raw]
    assert min(combs_of(f, n) for n, f in enumerate(raw)) > 0.5
    assert max(combs_of(f, n) for n, f in enumerate(frames)) < 0.05
    fields = [field.astype(float) * 219 / 255 + 16 for field in moving(24)]
    for n, frame in enumerate(frames):  # one moment, that of the field that is flagged as the first
        assert min(np.abs(frame.planes.y - fields[at]).mean() for at in (2 * n, 2 * n + 1)) < 0.5


def test_combs_that_are_not_flagged_go_only_where_the_user_says_so(tmp_path):
    path = write(tmp_path / "a.mkv", woven(moving(24)), crf="10")
    assert min(combs_of(f, n) for n, f in enumerate(read(path))) > 0.5
    assert max(combs_of(f, n) for n, f in enumerate(read(path, deinterlace="on"))) < 0.05


def test_progressive_pictures_are_not_touched_nor_held_back(tmp_path):
    path = write(tmp_path / "a.mkv", moving(3))
    with av.open(str(path)) as container:
        deinterlacer: Deinterlacer[int] = Deinterlacer("auto")
        for n, picture in enumerate(container.decode(video=0)):
            assert deinterlacer.take(picture, n) == [(picture, n)]
    assert deinterlacer.flush() == []


@pytest.mark.parametrize("count", [1, 2, 3])
def test_even_a_single_picture_comes_out(tmp_path, count):
    frames = read(interlaced(tmp_path / "a.mkv", count))
    assert [f.time.frame_index for f in frames] == list(range(count))


def test_a_new_size_begins_anew(tmp_path):
    pictures = []
    for name, size in (("a", (160, 120)), ("b", (192, 144))):
        fields = moving(8, *size)
        path = write(tmp_path / f"{name}.mkv", woven(fields), **{"x264-params": "interlaced=1"})
        with av.open(str(path)) as container:
            pictures += list(container.decode(video=0))
    deinterlacer: Deinterlacer[int] = Deinterlacer("auto")
    out = [pair for n, picture in enumerate(pictures) for pair in deinterlacer.take(picture, n)] + deinterlacer.flush()
    assert [n for _, n in out] == list(range(8))
    assert [p.width for p, _ in out] == [160] * 4 + [192] * 4


def test_fields_of_h265_are_shown_at_their_full_height_and_not_deinterlaced(tmp_path):
    """Each is a picture of its own: half as high, and of one time."""
    options = {"x265-params": "log-level=none:bframes=0:interlace=tff"}
    path = render(tmp_path / "a.mkv", "libx265", size=(192, 72), codec_options=options, rate=50)
    assert [(frame.planes.width_px, frame.planes.height_px) for frame in read(path)] == [(192, 144)] * 12
    whole = render(tmp_path / "b.mkv", "libx265", size=(192, 72), codec_options=X265)
    assert {(frame.planes.width_px, frame.planes.height_px) for frame in read(whole)} == {(192, 72)}
