"""Pictures that are missing in the middle of a recording, where a part of its file cannot be read."""

from __future__ import annotations

import random
import re
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from tests.decode.clips import picture, render
from tests.decode.reading import read

_KINDS = {
    "a.mkv": ("libx264", {"g": "10"}),
    "a.webm": ("libvpx", {"g": "10", "deadline": "realtime", "cpu-used": "8"}),
    "a.wmv": ("wmv2", {"g": "10"}),
    "a.flv": ("flv", {"g": "10"}),
    "a.avi": ("mpeg4", {"g": "10", "b": "3M"}),
    "a.ts": ("mpeg2video", {"g": "10"}),
}
_SIZE, _HELD = (160, 128), 100
_LOST = 0.5, 0.75
"""Which share of a file."""


def _recording(folder: Path, name: str) -> Path:
    codec, options = _KINDS[name]
    return render(folder / name, codec, size=_SIZE, frames=_HELD, codec_options=options)


def _noise(count: int) -> bytes:
    return random.Random(count).randbytes(count)


@pytest.mark.parametrize(
    ("name", "instead"), [*((name, bytes) for name in _KINDS), ("a.mkv", _noise), ("a.flv", _noise), ("a.avi", _noise)]
)
def test_it_is_told_how_much_is_missing_and_where(tmp_path, name, instead):
    path = _recording(tmp_path, name)
    data = path.read_bytes()
    begin, end = (int(len(data) * share) for share in _LOST)
    path.write_bytes(data[:begin] + instead(end - begin) + data[end:])
    frames, states, _ = read(path)
    (told,) = re.findall(r"is damaged: ([\d.]+) s of its pictures are missing, from ([\d.]+) s on", states[-1].detail)
    lost, since = map(float, told)
    times = [frame.time.pts_seconds for frame in frames]
    steps = [after - before for before, after in pairwise(times)]
    assert lost == pytest.approx(max(steps) - 0.04, abs=0.3)  # not all of the packets next to it give a picture
    assert since == pytest.approx(times[steps.index(max(steps))], abs=0.3)
    assert times[-1] == pytest.approx((_HELD - 1) / 25, abs=0.1), "behind it the time is right"


@pytest.mark.parametrize("name", _KINDS)
def test_where_nothing_is_missing_nothing_is_said(tmp_path, name):
    assert read(_recording(tmp_path, name))[1][-1].detail == ""


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.ts", "a.flv"])
def test_a_recorder_that_paused_has_lost_nothing(tmp_path, name):
    codec = "flv" if name == "a.flv" else "libx264"
    path = render(tmp_path / name, codec, frames=50, pts=[index + (100 if index >= 25 else 0) for index in range(50)])
    assert read(path)[1][-1].detail == ""


@pytest.mark.parametrize(("codec", "rate"), [("mpeg4", 25), ("mjpeg", 25), ("libx264", 25), ("mpeg4", 50)])
@pytest.mark.parametrize("paused_seconds", [60, 600])
def test_an_avi_lets_time_pass_with_pictures_of_no_bytes(tmp_path, codec, rate, paused_seconds):
    pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    path, pts = tmp_path / "a.avi", [index + (25 * paused_seconds if index >= 25 else 0) for index in range(50)]
    path = render(path, codec, pix_fmt, frames=50, pts=pts, rate=rate, codec_options={"bf": "0"})
    frames, states, _ = read(path)
    assert frames[-1].time.pts_seconds == pytest.approx(paused_seconds + 2, abs=0.1)
    assert states[-1].detail == ""


def test_a_recorder_that_paused_and_writes_its_sound_behind_the_pictures_has_lost_nothing(tmp_path):
    """Where it read on in the sound, bytes seemed to be left out."""
    path = tmp_path / "a.mov"
    with av.open(str(path), "w", options={"max_interleave_delta": "1"}) as output:
        video, sound = output.add_stream("mjpeg", rate=25, options={"q": "2"}), output.add_stream("pcm_s16le", 48_000)
        video.width, video.height, video.pix_fmt, sound.layout = 320, 240, "yuvj420p", "mono"
        for index in range(50):
            frame = av.VideoFrame.from_ndarray(picture(index, 320, 240), "rgb24")
            frame.pts, frame.time_base = index + (50 if index >= 25 else 0), Fraction(1, 25)
            output.mux(video.encode(frame))
        for index in range(200):
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 960), np.int16), "s16", "mono")
            silence.sample_rate, silence.pts, silence.time_base = 48_000, 960 * index, Fraction(1, 48_000)
            output.mux(sound.encode(silence))
    assert read(path)[1][-1].detail == ""


def test_of_several_places_the_first_is_told(tmp_path):
    path = _recording(tmp_path, "a.mkv")
    data = bytearray(path.read_bytes())
    for place in (0.25, 0.6):
        at = int(len(data) * place)
        data[at : at + len(data) // 8] = bytes(len(data) // 8)
    path.write_bytes(data)
    assert re.search(r"[\d.]+ s of its pictures are missing, in 2 places, the first from [\d.]+ s on", read(path)[1][-1].detail)
