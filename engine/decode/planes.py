"""Converts decoded frames of any pixel format and size to YUV 4:2:0 planes of the displayed size."""

from __future__ import annotations

import av
import numpy as np
from av.video.plane import VideoPlane
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from engine.contracts.frames import ColourMatrix, Planes, Uint8

_AS_THEY_ARE = {"yuv420p", "yuvj420p", "yuva420p"}
_MATRICES: dict[int, ColourMatrix] = {
    1: "bt709", 4: "bt601", 5: "bt601", 6: "bt601", 7: "bt709", 9: "bt2020", 10: "bt2020",
}  # fmt: skip
"""FFmpeg's AVColorSpace; 7 is SMPTE 240M, whose coefficients are close to BT.709's."""
_HD_HEIGHT_PX = 720


class PlaneConverter:
    """Turns frames into planes. Use one for each stream: it keeps the scaler's tables between frames."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()
        self._neutral: Uint8 = np.zeros((0, 0), np.uint8)

    def convert(self, frame: av.VideoFrame, size_px: tuple[int, int] | None = None) -> Planes:
        """Return the picture, in ``size_px`` (width, height; None: its own).

        4:2:0 and grey pictures of that size become read-only views, which keep the decoder's buffer alive; all others are
        converted and scaled in one step. YUV and grey pictures keep their range; RGB becomes video range. An untagged matrix
        counts as BT.709 from 720 lines up and as BT.601 below, as in players.

        Raises:
            av.error.FFmpegError: FFmpeg cannot convert the pixel format.
        """
        name = frame.format.name
        size_px = size_px or (frame.width, frame.height)
        if name in _AS_THEY_ARE and size_px == (frame.width, frame.height):
            full_range = name == "yuvj420p" or frame.color_range == ColorRange.JPEG
            return _yuv_views(frame, _matrix_of(frame), full_range)
        if name.startswith(("gray", "mono", "ya")) and not name.startswith("yaf"):
            return self._grey(frame, size_px)
        if frame.format.is_rgb or frame.format.has_palette:
            return self._from_rgb(frame, size_px)
        full_range = name.startswith("yuvj") or frame.color_range == ColorRange.JPEG
        kept = ColorRange.JPEG if full_range else ColorRange.MPEG
        return _yuv_views(self._to(frame, "yuv420p", kept, size_px), _matrix_of(frame), full_range)

    def _grey(self, frame: av.VideoFrame, size_px: tuple[int, int]) -> Planes:
        # FFmpeg treats grey as full range unless it is tagged otherwise.
        full_range = frame.color_range != ColorRange.MPEG
        grey = frame
        if frame.format.name != "gray" or size_px != (frame.width, frame.height):
            grey = self._to(frame, "gray", ColorRange.JPEG if full_range else ColorRange.MPEG, size_px)
        luma = _view(grey.planes[0])
        shape = ((luma.shape[0] + 1) // 2, (luma.shape[1] + 1) // 2)
        if self._neutral.shape != shape:
            self._neutral = np.full(shape, 128, np.uint8)
            self._neutral.flags.writeable = False
        return Planes(luma, self._neutral, self._neutral, _matrix_of(frame), full_range)

    def _from_rgb(self, frame: av.VideoFrame, size_px: tuple[int, int]) -> Planes:
        matrix = _matrix_by_height(frame.height)
        yuv = self._reformatter.reformat(
            frame,
            width=size_px[0],
            height=size_px[1],
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709 if matrix == "bt709" else Colorspace.ITU601,
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.MPEG,
            threads=1,
        )
        return _yuv_views(yuv, matrix, False)

    def _to(self, frame: av.VideoFrame, pixel_format: str, kept: ColorRange, size_px: tuple[int, int]) -> av.VideoFrame:
        width, height = size_px
        return self._reformatter.reformat(
            frame, width, height, pixel_format, src_color_range=kept, dst_color_range=kept, threads=1
        )


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
    view.flags.writeable = False  # the decoder still uses it as a reference
    return view if stride > 0 else view[::-1]  # negative stride: stored bottom-up
