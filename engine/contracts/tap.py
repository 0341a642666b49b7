"""What a service's own console reads of a run, beside subscribers: every message, and small pictures of the cameras.

Both come on sockets of this machine in a folder that is its user's alone. This is no part of the wire, version 1: it may change
with any version, and its only reader comes with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

_PREVIEWS = "v1/preview/"


@dataclass(frozen=True)
class Tap:
    """Where a run is listened to; both endpoints are PUB, and never hold the run back."""

    messages: str
    """Each message as ``[topic][header][part...]``, whatever ``publish`` says of sockets and keys; what it withholds of them is
    withheld here too."""
    previews: str
    """``[v1/preview/<stream>/][Preview][JPEG]``, of streams that somebody has subscribed to."""

    @classmethod
    def in_folder(cls, folder: Path) -> Tap:
        """Return the one whose sockets lie in a folder, which is made for the user alone if it is missing."""
        return cls(f"ipc://{folder}/tap.sock", f"ipc://{folder}/preview.sock")


class PreviewBox(msgspec.Struct, frozen=True):
    """A face on a preview, in pixels of the stream's picture."""

    track_id: int
    x: float
    y: float
    width: float
    height: float
    score: float
    """Of the detection, 0 to 1."""
    accepted: bool
    """False: its track is not yet taken for a face's, and may never be."""


class Preview(msgspec.Struct, frozen=True):
    """What a stream shows now; the JPEG behind it is the same picture made smaller, nothing is drawn on it."""

    stream: str
    frame_index: int
    captured_ns: int
    """As ``Face.captured_ns``."""
    width_px: int
    height_px: int
    """Of the stream's picture."""
    boxes: list[PreviewBox]
    run_id: str = ""
    """Of the run, as the process that sends it was told: track ids are unique in one run, and begin at 1 in each."""


def preview_topic(stream: str) -> str:
    """Return the topic of a stream's previews."""
    return f"{_PREVIEWS}{stream}/"


encode_preview = msgspec.msgpack.Encoder().encode
decode_preview = msgspec.msgpack.Decoder(Preview).decode
