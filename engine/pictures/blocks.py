"""What decoding H.264 in software gives away: how strongly each block of a picture was compressed, and how far it moved."""

from __future__ import annotations

import av
import numpy as np
from av.sidedata.encparams import VideoEncParams, VideoEncParamsType
from av.sidedata.motionvectors import MotionVectors
from av.sidedata.sidedata import SideDataContainer
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from engine.contracts.coding import PARTS, UNKNOWN, BlockMap
from engine.contracts.frames import Uint8

_BLOCK_PX = 16
_FIELDS = 5
"""Of a block: x, y, width, height, and its difference from the picture's parameter, as 32-bit integers."""
_BIDIRECTIONAL = 3
"""AV_PICTURE_TYPE_B."""


def ask_for_blocks(context: VideoCodecContext, *, motion: bool = False) -> None:
    """Let a decoder that is not open yet tell the parameters, and with ``motion`` the vectors; others than H.264's have none of
    this scale."""
    if context.name == "h264" and not context.is_open:
        context.options = {**context.options, "export_side_data": "venc_params+mvs" if motion else "venc_params"}


class BlockReader:
    """Reads what was told of the pictures of one stream; give it each, in the order in which they are shown."""

    def __init__(self) -> None:
        self._since_anchor = 0
        """Pictures since the last one that is not bidirectional, from which the next ones are predicted."""
        self._tells_motion = False

    def read(self, picture: av.VideoFrame) -> BlockMap | None:
        """Return what was told of a picture as it was decoded, None where that is nothing or does not fit its size.

        Blocks are laid from the upper left corner: where the codec cuts less than a block off there, they lie wrong by that.
        """
        qp, vectors = None, None
        # Not the picture's own: that would tie both into a cycle, see Orientation.of.
        for data in SideDataContainer(picture):  # type: ignore[call-arg]
            if isinstance(data, VideoEncParams):
                qp = _parameters(picture, data)
            elif isinstance(data, MotionVectors):
                vectors = data.to_ndarray()
        self._since_anchor += 1
        distance = self._since_anchor
        if picture.pict_type != _BIDIRECTIONAL:
            self._since_anchor = 0
        self._tells_motion |= vectors is not None
        if qp is None:
            return None
        if picture.interlaced_frame:
            return _of_fields(qp)
        return BlockMap(qp, motion=_motion(vectors, distance, qp.shape) if self._tells_motion else None)


def _parameters(picture: av.VideoFrame, told: VideoEncParams) -> Uint8 | None:
    rows, columns = -(-picture.height // _BLOCK_PX), -(-picture.width // _BLOCK_PX)
    if told.codec_type != VideoEncParamsType.H264 or told.nb_blocks != rows * columns or told.block_size != 4 * _FIELDS:
        return None
    data = np.frombuffer(told, np.uint8)[told.blocks_offset :]  # type: ignore[call-overload]
    if len(data) < told.nb_blocks * told.block_size:
        return None
    blocks = data[: told.nb_blocks * told.block_size].view(np.int32).reshape(rows, columns, _FIELDS)
    if tuple(blocks[-1, -1, :2]) != ((columns - 1) * _BLOCK_PX, (rows - 1) * _BLOCK_PX):
        return None
    # Of pictures with more than 8 bits the scale begins higher.
    deeper = 6 * (picture.format.components[0].bits - 8)
    qp: Uint8 = np.clip(blocks[:, :, 4] + (told.qp - deeper), 0, 51).astype(np.uint8)
    return qp


def _of_fields(qp: Uint8) -> BlockMap | None:
    """Of two blocks above each other one may be of the odd and one of the even lines of both: only their mean has a place, and
    their vectors have none."""
    if len(qp) % 2:
        return None
    pairs = qp.reshape(len(qp) // 2, 2, -1).mean(axis=1)
    return BlockMap(np.rint(pairs).astype(np.uint8), block_height_px=2.0 * _BLOCK_PX)


def _motion(vectors: NDArray[np.void] | None, distance: int, shape: tuple[int, int]) -> NDArray[np.int8]:
    """Return the motion of each block: the mean of its vectors from pictures before, by their area, for one picture.

    Args:
        vectors: FFmpeg's AVMotionVector; each leads from a block's middle (``dst``) to where it was predicted from.
        distance: pictures since the one that they most likely lead to; which it was is not told.
        shape: rows and columns of blocks.
    """
    rows, columns = shape
    motion = np.full((2, rows * columns), UNKNOWN, np.int8)
    if vectors is None:
        return motion.reshape(2, rows, columns)
    back = vectors[(vectors["source"] < 0) & (vectors["motion_scale"] > 0)]
    row, column = back["dst_y"] // _BLOCK_PX, back["dst_x"] // _BLOCK_PX
    back = back[inside := (row >= 0) & (row < rows) & (column >= 0) & (column < columns)]
    block = row[inside].astype(np.intp) * columns + column[inside]
    areas = back["w"].astype(np.float64) * back["h"]
    area = np.bincount(block, areas, rows * columns)
    known = area >= _BLOCK_PX**2 / 2
    per_part = -PARTS / (_BLOCK_PX * distance * area[known])
    for axis, name in enumerate(("motion_x", "motion_y")):
        summed = np.bincount(block, areas * back[name] / back["motion_scale"], rows * columns)
        steps = np.rint(summed[known] * per_part)
        # A longer one than fits is none that a face makes.
        motion[axis, known] = np.where(np.abs(steps) > -UNKNOWN - 1, UNKNOWN, steps)
    motion[:, (motion == UNKNOWN).any(axis=0)] = UNKNOWN
    return motion.reshape(2, rows, columns)
