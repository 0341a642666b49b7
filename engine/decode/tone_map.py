"""Tone mapping of HDR pictures (PQ, HLG) for SDR screens.

Light is computed from the coded values (SMPTE ST 2084; ITU-R BT.2100 HLG on a screen of 1,000 cd/m²), compressed by the EETF of
ITU-R BT.2390 so that HDR's reference white (203 cd/m², ITU-R BT.2408) is close to SDR's, converted from BT.2020 to BT.709
colours, and coded for a screen of gamma 2.4. All of this is one colour table, applied by libavfilter's ``lut3d``.
"""

from __future__ import annotations

import tempfile
from fractions import Fraction
from functools import cache
from typing import Literal

import av
import numpy as np
from av.filter import Graph
from av.video.reformatter import ColorRange
from numpy.typing import NDArray

Transfer = Literal["pq", "hlg"]
_TRANSFERS: dict[int, Transfer] = {16: "pq", 18: "hlg"}
"""FFmpeg's AVColorTransferCharacteristic."""
_MATRICES = {1: "bt709", 5: "bt601", 6: "bt601"}
"""FFmpeg's AVColorSpace of pictures that are not BT.2020."""
GRID = 33
"""Steps of each channel in the colour table."""
PEAK_NITS, WHITE_NITS = 1000.0, 203.0
_M1, _M2, _C1, _C2, _C3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
"""Constants of ST 2084."""
_HLG_A, _HLG_B, _HLG_C = 0.17883277, 0.28466892, 0.55991073
_BT2020_LUMA = np.array([0.2627, 0.6780, 0.0593])
_BT709_FROM_BT2020 = np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]])
_WORKING_FORMAT = "gbrp12"
Array = NDArray[np.float64]


def hdr_transfer(picture: av.VideoFrame) -> Transfer | None:
    """Return a picture's HDR transfer function; None if it is SDR."""
    return _TRANSFERS.get(int(picture.color_trc))


class ToneMapper:
    """Tone-maps the HDR pictures of one stream. Do not give it SDR pictures."""

    def __init__(self) -> None:
        self._graph: Graph | None = None
        self._key: tuple[object, ...] = ()

    def show(self, picture: av.VideoFrame) -> av.VideoFrame:
        """Return the picture as full-range BT.709 RGB.

        Raises:
            av.error.FFmpegError: the picture cannot be converted.
        """
        transfer = hdr_transfer(picture) or "pq"
        full = picture.color_range == ColorRange.JPEG
        key = (picture.width, picture.height, picture.format.name, transfer, int(picture.colorspace), full)
        if self._graph is None or key != self._key:
            self._graph, self._key = _graph(picture, transfer, full), key
        self._graph.vpush(picture)
        return self._graph.vpull()


def _graph(picture: av.VideoFrame, transfer: Transfer, full: bool) -> Graph:
    graph = Graph()
    graph.threads = 1
    matrix = _MATRICES.get(int(picture.colorspace), "bt2020")
    with tempfile.NamedTemporaryFile("w", suffix=".cube") as table:
        table.write(cube(transfer))
        table.flush()
        nodes = [
            graph.add_buffer(
                width=picture.width,
                height=picture.height,
                format=picture.format,
                time_base=picture.time_base or Fraction(1, 25),
            ),
            graph.add("scale", f"in_color_matrix={matrix}:in_range={'full' if full else 'limited'}:out_range=full"),
            graph.add("format", _WORKING_FORMAT),
            graph.add("lut3d", f"file={table.name}:interp=tetrahedral"),
            graph.add("buffersink"),
        ]
        graph.link_nodes(*nodes)
        graph.configure()
    return graph


@cache
def cube(transfer: Transfer) -> str:
    """Return the colour table in the .cube format."""
    lines = [f"LUT_3D_SIZE {GRID}", *(f"{r:.6f} {g:.6f} {b:.6f}" for r, g, b in colours(transfer))]
    return "\n".join(lines) + "\n"


@cache
def colours(transfer: Transfer) -> Array:
    """Return the colour table, (``GRID`` ** 3, 3), see ``sdr_from_hdr``: for evenly spaced codes, red varying fastest."""
    steps = np.linspace(0.0, 1.0, GRID)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    return sdr_from_hdr(np.stack([red.ravel(), green.ravel(), blue.ravel()], axis=1), transfer)


def sdr_from_hdr(coded: Array, transfer: Transfer) -> Array:
    """Return colours for an SDR screen.

    Args:
        coded: (n, 3) BT.2020 RGB as coded, 0 to 1.
        transfer: its transfer function.

    Returns:
        (n, 3) BT.709 RGB as coded for gamma 2.4, 0 to 1.
    """
    nits = pq_to_nits(coded) if transfer == "pq" else _hlg_to_nits(coded)
    brightest = np.maximum(nits.max(axis=1, keepdims=True), 1e-6)
    light = nits * (_compressed(brightest) / brightest) / WHITE_NITS
    return np.asarray(np.clip(light @ _BT709_FROM_BT2020.T, 0.0, 1.0) ** (1 / 2.4))


def pq_to_nits(coded: Array) -> Array:
    """Return the light of PQ-coded values (0 to 1) in cd/m², 0 to 10,000 (ST 2084)."""
    power = np.clip(coded, 0.0, 1.0) ** (1 / _M2)
    return np.asarray(10_000 * (np.maximum(power - _C1, 0.0) / (_C2 - _C3 * power)) ** (1 / _M1))


def pq_from_nits(nits: Array) -> Array:
    """Return the PQ code (0 to 1) of light in cd/m²."""
    power = (np.clip(nits, 0.0, 10_000.0) / 10_000) ** _M1
    return np.asarray(((_C1 + _C2 * power) / (1 + _C3 * power)) ** _M2)


def _hlg_to_nits(coded: Array) -> Array:
    coded = np.clip(coded, 0.0, 1.0)
    scene = np.where(coded <= 0.5, coded**2 / 3, (np.exp((coded - _HLG_C) / _HLG_A) + _HLG_B) / 12)
    luminance = np.maximum(scene @ _BT2020_LUMA, 1e-9)[:, None]
    return np.asarray(PEAK_NITS * luminance**0.2 * scene)


def _compressed(nits: Array) -> Array:
    """The EETF of BT.2390: unchanged up to a knee, above it a Hermite spline up to the target's white."""
    source_peak, target = pq_from_nits(np.array(PEAK_NITS)), pq_from_nits(np.array(WHITE_NITS))
    value = np.minimum(pq_from_nits(nits) / source_peak, 1.0)
    most = target / source_peak
    knee = 1.5 * most - 0.5
    t = np.clip((value - knee) / (1 - knee), 0.0, 1.0)
    spline = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (-2 * t**3 + 3 * t**2) * most
    return pq_to_nits(np.where(value < knee, value, spline) * source_peak)
