from __future__ import annotations

import av
import numpy as np
import pytest
from av.video.reformatter import ColorPrimaries, ColorTrc

from engine.config import DecodeConfig
from engine.contracts.frames import Frame
from engine.decode.decoder import Decoder
from engine.decode.tone_map import PEAK_NITS, WHITE_NITS, cube, pq_from_nits, pq_to_nits, sdr_from_hdr
from engine.pictures.colour import bgr_from_planes
from tests.decode.clips import X265

BT2020_FROM_BT709 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
PQ, HLG, BT2020, BT2020_NCL = 16, 18, 9, 9


def ramp(width: int = 128, height: int = 64) -> np.ndarray:
    """Return BT.709 RGB for gamma 2.4, (height, width, 3), 0 to 1: greys above, a colour below."""
    steps = np.linspace(0.05, 0.95, width)
    grey = np.repeat(steps[None, :, None], 3, axis=2).repeat(height // 2, axis=0)
    skin = grey * np.array([0.9, 0.7, 0.6])
    return np.concatenate([grey, skin])


def pq_coded(rgb: np.ndarray) -> np.ndarray:
    return pq_from_nits(WHITE_NITS * (rgb**2.4) @ BT2020_FROM_BT709.T)


def hlg_coded(rgb: np.ndarray) -> np.ndarray:
    light = WHITE_NITS * (rgb**2.4) @ BT2020_FROM_BT709.T / PEAK_NITS
    luminance = np.maximum(light @ np.array([0.2627, 0.6780, 0.0593]), 1e-9)[..., None]
    scene = light * luminance ** (1 / 1.2 - 1)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), a * np.log(np.maximum(12 * scene - b, 1e-9)) + c)


def write(path, rgb: np.ndarray, transfer: int, pix_fmt: str = "yuv420p10le", codec: str = "libx265"):
    """Encode coded BT.2020 RGB (0 to 1) with its colours tagged."""
    height, width = rgb.shape[:2]
    luma = rgb @ np.array([0.2627, 0.6780, 0.0593])
    blue, red = (rgb[..., 2] - luma) / 1.8814, (rgb[..., 0] - luma) / 1.4746
    deep = 4 if "10" in pix_fmt else 1
    dtype = np.uint16 if deep == 4 else np.uint8
    y = np.round(deep * (16 + 219 * luma)).astype(dtype)
    u, v = (np.round(deep * (128 + 224 * c[::2, ::2])).astype(dtype) for c in (blue, red))
    options = {"x265-params": X265["x265-params"] + ":lossless=1"} if codec == "libx265" else {"crf": "1"}
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
        context = stream.codec_context
        context.color_primaries, context.color_trc, context.colorspace, context.color_range = BT2020, transfer, BT2020_NCL, 1
        for _ in range(2):
            frame = av.VideoFrame(width, height, pix_fmt)
            for plane, values in zip(frame.planes, (y, u, v), strict=True):
                padded = np.zeros((plane.height, plane.line_size // values.itemsize), dtype)
                padded[:, : values.shape[1]] = values
                plane.update(padded.tobytes())
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("coded", [pq_coded, hlg_coded])
@pytest.mark.parametrize(("pix_fmt", "codec", "name"), [("yuv420p10le", "libx265", "a.mkv"), ("yuv420p", "libx264", "a.mp4")])
def test_hdr_is_shown_as_sdr(tmp_path, coded, pix_fmt, codec, name):
    shown = ramp()
    path = write(tmp_path / name, coded(shown), PQ if coded is pq_coded else HLG, pix_fmt, codec)
    with Decoder("cam", path, DecodeConfig()) as decoder:
        frames = [item for item in decoder if isinstance(item, Frame)]
    got = bgr_from_planes(frames[0].planes)[..., ::-1] / 255
    dark = shown[:, :90]  # up to the knee, where nothing is compressed
    assert len(frames) == 2
    assert np.abs(got[2:30, 2:80] - dark[2:30, 2:80]).max() < 0.03
    assert np.abs(got[36:60, 2:80] - dark[36:60, 2:80]).mean() < 0.02
    assert np.all(np.diff(got[16, 4:124].mean(axis=1)) > -0.015)  # the highlights are compressed, and not cut off
    assert 0.8 < got[16, 122].mean() < shown[16, 122].mean()


def test_an_sdr_picture_of_the_same_codec_is_left_alone(tmp_path):
    path = write(tmp_path / "a.mkv", ramp(), 1)
    with Decoder("cam", path, DecodeConfig()) as decoder:
        frame = next(item for item in decoder if isinstance(item, Frame))
    assert frame.planes.matrix == "bt2020"
    assert frame.planes.y[16, 64] == pytest.approx(16 + 219 * ramp()[16, 64, 0], abs=1.5)


def test_pq_is_what_the_standard_says():
    nits = np.array([0.0, 0.1, 1.0, 100.0, 203.0, 1000.0, 10_000.0])
    assert pq_from_nits(nits) == pytest.approx([0.0, 0.0627, 0.1499, 0.5081, 0.5807, 0.7518, 1.0], abs=1e-3)
    assert pq_to_nits(pq_from_nits(nits)) == pytest.approx(nits, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("transfer", ["pq", "hlg"])
def test_brighter_stays_brighter_up_to_white(transfer):
    greys = np.repeat(np.linspace(0, 1, 257)[:, None], 3, axis=1)
    shown = sdr_from_hdr(greys, transfer)
    assert np.all(np.diff(shown.mean(axis=1)) >= -1e-9)
    assert shown[0] == pytest.approx([0, 0, 0], abs=0.01)
    assert shown[-1] == pytest.approx([1, 1, 1], abs=0.01)
    assert np.ptp(shown, axis=1).max() < 0.005  # grey stays grey


def test_the_table_has_red_running_fastest():
    lines = cube("pq").splitlines()
    assert lines[0] == "LUT_3D_SIZE 33"
    assert len(lines) == 1 + 33**3
    red, green, blue = map(float, lines[1 + 20].split())
    assert red > green
    assert red > blue


def test_pyav_names_the_same_transfers():
    assert (int(ColorTrc.SMPTE2084), int(ColorTrc.ARIB_STD_B67), int(ColorPrimaries.BT2020)) == (PQ, HLG, BT2020)
