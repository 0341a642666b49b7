"""What decoding H.264 in software gives away: how strongly each block of a picture was compressed."""

from __future__ import annotations

import av
import numpy as np
from av.sidedata.encparams import VideoEncParams, VideoEncParamsType
from av.sidedata.sidedata import SideDataContainer
from av.video.codeccontext import VideoCodecContext

from engine.contracts.coding import QpMap
from engine.contracts.frames import Uint8

_BLOCK_PX = 16
_FIELDS = 5
"""Of a block: x, y, width, height, and its difference from the picture's parameter, as 32-bit integers."""


def ask_for_qp(context: VideoCodecContext) -> None:
    """Let a decoder that is not open yet tell the parameters; others than H.264's have none of this scale."""
    if context.name == "h264" and not context.is_open:
        context.options = {**context.options, "export_side_data": "venc_params"}


def qp_map(picture: av.VideoFrame) -> QpMap | None:
    """Return the parameters of a picture as it was decoded, None where they are not told or do not fit its size.

    Blocks are laid from the upper left corner: where the codec cuts less than a block from there, they are off by that much.
    """
    # Not the picture's own: that would tie both into a cycle, see Orientation.of.
    for data in SideDataContainer(picture):  # type: ignore[call-arg]
        if isinstance(data, VideoEncParams):
            return _read(picture, data)
    return None


def _read(picture: av.VideoFrame, told: VideoEncParams) -> QpMap | None:
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
    qp = np.clip(blocks[:, :, 4] + (told.qp - deeper), 0, 51).astype(np.uint8)
    return _of_fields(qp) if picture.interlaced_frame else QpMap(qp)


def _of_fields(qp: Uint8) -> QpMap | None:
    """Of two blocks above each other one may be of the odd and one of the even lines of both: only their mean has a place."""
    if len(qp) % 2:
        return None
    pairs = qp.reshape(len(qp) // 2, 2, -1).mean(axis=1)
    return QpMap(np.rint(pairs).astype(np.uint8), block_height_px=2.0 * _BLOCK_PX)
