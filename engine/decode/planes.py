"""From a decoded frame of any pixel format to upright YUV 4:2:0 planes."""

from __future__ import annotations

import struct
from typing import Any

import av
import numpy as np
from av.video.plane import VideoPlane
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from engine.contracts.frames import ColourMatrix, Planes, Uint8

_AS_THEY_ARE = {"yuv420p", "yuvj420p", "yuva420p"}
_MATRICES: dict[int, ColourMatrix] = {
    1: "bt709", 4: "bt601", 5: "bt601", 6: "bt601", 7: "bt709", 9: "bt2020", 10: "bt2020",
}  # fmt: skip
"""FFmpeg's AVColorSpace; 7 is SMPTE 240M, whose coefficients are near BT.709's."""
_HD_HEIGHT_PX = 720


class PlaneConverter:
    """Turn frames into planes. One for each stream: it keeps the scaler's tables between frames."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()
        self._neutral: Uint8 = np.zeros((0, 0), np.uint8)
        self._upright = False

    def convert(self, frame: av.VideoFrame) -> Planes:
        """Return the picture, with its rotation metadata applied.

        4:2:0 and grey pictures that lie upright are read-only views which keep the decoder's buffer alive; all others are
        converted once. YUV and grey pictures keep their range; RGB becomes video range. An untagged matrix is BT.709 from
        720 lines up and BT.601 below, as players do.

        Raises:
            av.error.FFmpegError: FFmpeg cannot convert the pixel format.
        """
        name = frame.format.name
        if name in _AS_THEY_ARE:
            full_range = name == "yuvj420p" or frame.color_range == ColorRange.JPEG
            planes = _yuv_views(frame, _matrix_of(frame), full_range)
        elif name.startswith(("gray", "mono", "ya")) and not name.startswith("yaf"):
            planes = self._grey(frame)
        elif frame.format.is_rgb or frame.format.has_palette:
            planes = self._from_rgb(frame)
        else:
            full_range = name.startswith("yuvj") or frame.color_range == ColorRange.JPEG
            kept = ColorRange.JPEG if full_range else ColorRange.MPEG
            planes = _yuv_views(self._to(frame, "yuv420p", kept), _matrix_of(frame), full_range)
        turn = self._turn(frame)
        return planes if turn is None else _turned(planes, *turn)

    def _turn(self, frame: av.VideoFrame) -> tuple[bool, bool, bool] | None:
        # Looking at a frame's side data ties frame and side data into a cycle, which keeps the picture until the garbage
        # collector comes by; a stream that has begun upright turns only with an angle, which PyAV tells without.
        if self._upright and frame.rotation == 0:
            return None
        turn = _turn_of(frame)
        self._upright = turn is None
        return turn

    def _grey(self, frame: av.VideoFrame) -> Planes:
        # FFmpeg takes grey for full range unless it is tagged otherwise.
        full_range = frame.color_range != ColorRange.MPEG
        grey = frame
        if frame.format.name != "gray":
            grey = self._to(frame, "gray", ColorRange.JPEG if full_range else ColorRange.MPEG)
        luma = _view(grey.planes[0])
        shape = ((luma.shape[0] + 1) // 2, (luma.shape[1] + 1) // 2)
        if self._neutral.shape != shape:
            self._neutral = np.full(shape, 128, np.uint8)
            self._neutral.flags.writeable = False
        return Planes(luma, self._neutral, self._neutral, _matrix_of(frame), full_range)

    def _from_rgb(self, frame: av.VideoFrame) -> Planes:
        matrix = _matrix_by_height(frame.height)
        yuv = self._reformatter.reformat(
            frame,
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709 if matrix == "bt709" else Colorspace.ITU601,
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.MPEG,
            threads=1,
        )
        return _yuv_views(yuv, matrix, False)

    def _to(self, frame: av.VideoFrame, pixel_format: str, kept: ColorRange) -> av.VideoFrame:
        return self._reformatter.reformat(frame, format=pixel_format, src_color_range=kept, dst_color_range=kept, threads=1)


def _matrix_of(frame: av.VideoFrame) -> ColourMatrix:
    return _MATRICES.get(frame.colorspace) or _matrix_by_height(frame.height)


def _matrix_by_height(height_px: int) -> ColourMatrix:
    return "bt709" if height_px >= _HD_HEIGHT_PX else "bt601"


def _yuv_views(frame: av.VideoFrame, matrix: ColourMatrix, full_range: bool) -> Planes:
    y, u, v = frame.planes[:3]
    return Planes(_view(y), _view(u), _view(v), matrix, full_range)


def _view(plane: VideoPlane) -> Uint8:
    stride = plane.line_size
    view = np.ndarray((plane.height, plane.width), np.uint8, memoryview(plane), strides=(abs(stride), 1))
    view.flags.writeable = False  # the decoder still predicts from it
    return view if stride > 0 else view[::-1]  # negative: stored from the bottom up


def _turn_of(frame: av.VideoFrame) -> tuple[bool, bool, bool] | None:
    """Return (transpose, then mirror left to right, then top to bottom) of the display matrix, None if it changes nothing.

    The matrix maps a stored point (x, y) to the shown point (a x + c y, b x + d y), in 16.16 fixed point, see FFmpeg's
    libavutil/display.h; angles other than multiples of 90 degrees go to the nearest.
    """
    if not frame.side_data:
        return None
    data: Any = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return None
    a, b, _, c, d = struct.unpack("=5i", bytes(data)[:20])
    turn = (True, c < 0, b < 0) if abs(b) + abs(c) > abs(a) + abs(d) else (False, a < 0, d < 0)
    return turn if any(turn) else None


def _turned(planes: Planes, transpose: bool, mirror: bool, flip: bool) -> Planes:
    def turn(plane: Uint8) -> Uint8:
        plane = plane.T if transpose else plane
        return np.ascontiguousarray(plane[:: -1 if flip else 1, :: -1 if mirror else 1])

    return Planes(turn(planes.y), turn(planes.u), turn(planes.v), planes.matrix, planes.full_range)
