"""Which pictures of an MP4 or QuickTime file its edit list shows (ISO/IEC 14496-12).

Phones and cutting tools shorten a recording in this way: the removed pictures are still in the file.
"""

from __future__ import annotations

from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from engine.words.numbers import count

_FORMAT = "mov,mp4,m4a,3gp,3g2,mj2"


def shown_pictures(container: InputContainer, stream: VideoStream) -> int:
    """Return how many pictures a player shows, repeated ones counted again.

    For files without an edit list, and other formats, this is the number in the header; 0: unknown.
    """
    held, index = stream.frames, stream.index_entries
    if not held or container.format.name != _FORMAT:
        return held
    if len(index) == held and not index[0].is_discard:  # the list is long, and is read only if something is left out
        return held
    return sum(not entry.is_discard for entry in index)


def left_out_by_edits(path: Path, container: InputContainer, stream: VideoStream) -> str:
    """Return a sentence on pictures in a file that are not shown; empty if there are none."""
    held, shown = stream.frames, shown_pictures(container, stream)
    if shown >= held or not _are_all_there(container, stream):
        return ""
    return (
        f"{path} holds {count(held, 'picture')}, of which its edit list shows {shown or 'none'}: it was shortened, "
        "and players, too, leave out the rest; to read all of it, `ffmpeg -ignore_editlist 1 -i FILE -c copy FILE.mkv`"
    )


def _are_all_there(container: InputContainer, stream: VideoStream) -> bool:
    """Whether no pictures are hidden by damage: without its edit list the index has as many as the header says."""
    try:
        with av.open(container.name, metadata_errors="replace", options={**container.options, "ignore_editlist": "1"}) as whole:
            return len(whole.streams[stream.index].index_entries) == stream.frames
    except (av.error.FFmpegError, OSError, IndexError):
        return False
