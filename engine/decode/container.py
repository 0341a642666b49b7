"""Opens recordings, and reads what their containers say."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime
from fractions import Fraction
from math import inf
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from engine.contracts.recording import Start
from engine.decode.clock import Bridge, StreamClock
from engine.decode.cropping import Crop, crop_of
from engine.decode.edit_list import shown_pictures
from engine.decode.encryption import encryption_of_file, encryption_of_stream
from engine.decode.fragments import has_cut_index, whole_fragments
from engine.decode.playlist import is_playlist
from engine.decode.playlist_copy import finished_copy
from engine.decode.rates import FALLBACK_TIME_BASE, nominal_rate, time_base_of
from engine.decode.recording_errors import check_playlist, encrypted, explain_no_decoder, explain_open
from engine.decode.transport_stream import Piece
from engine.errors import SourceError
from engine.pictures.size import MOST_PX

_LISTS = {"concat", "dash"}
"""Excluded demuxers: what they read names files, which may lie outside its folder, behind a link, or be a pipe, and are not in
the recording's SHA-256. Playlists (HLS) are examined before."""
_FORMATS = {"format_whitelist": ",".join(sorted(av.formats_available - _LISTS))}
_OPTIONS = {**_FORMATS, "protocol_whitelist": "file", "pattern_type": "none"}
"""Protocols that stay within this machine; a picture called `a%03d.png` is that file alone."""
_OF_PLAYLISTS = {**_FORMATS, "protocol_whitelist": "file,crypto", "allowed_extensions": "ALL", "extension_picky": "0"}
"""For playlists: they are decrypted if the key lies beside them, and their segments may have any name, as they must lie in the
folder.
"""
_OF_PIECES = {**_FORMATS, "protocol_whitelist": "file,subfile"}
_TEXT_DEMUXERS = {"tty"}
"""Excluded: FFmpeg would render any .txt or .nfo file as a picture of a terminal."""
_PICTURE_DEMUXERS = "_pipe"
"""Suffix of the demuxers that read a single picture."""
MAX_GAP_SECONDS = 10.0
"""Longer steps between time stamps are jumps, as in FFmpeg's own ``dts_delta_threshold``."""
MAX_KEY_FRAME_GAP_SECONDS = 60.0
"""The same if only key frames are decoded."""
_TS_DISCONT = 0x0200
"""FFmpeg's AVFMT_TS_DISCONT: time stamps of the format may jump without a pause."""
_YEARS = range(1980, 2200)
"""Plausible years: clocks that were never set start in 1904 or 1970, and nanoseconds in 64 bits end in 2262."""
_SEARCHED_SECONDS = 2.0
"""How far before a key frame reading starts in a container without an index: by decoding times, and by any time stamp."""
_INDEXED = {"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi"}


def open_recording(
    path: Path, video_stream: int | None = None, piece: Piece | None = None
) -> tuple[InputContainer, VideoStream]:
    """Open a file and choose its video stream; the caller closes the container.

    Args:
        path: the file.
        video_stream: which of its video streams, from 0; None: FFmpeg's choice of the best.
        piece: of a transport stream; None: all of it.

    Raises:
        SourceError: it cannot be read; the reason is ``not_found``, ``permission``, ``not_a_video``, ``no_video``, ``codec`` or
            ``encrypted``.
    """
    is_list = is_playlist(path)
    if is_list:
        check_playlist(path)
    try:
        with finished_copy(path) if is_list else nullcontext(path) as place:
            container = _opened(place, _OF_PLAYLISTS if is_list else _OPTIONS, piece)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        if piece is None and (whole := whole_fragments(path)):
            return open_recording(path, video_stream, Piece(0, whole))
        raise explain_open(path, error) from error
    try:
        stream = _video_stream_of(path, container, video_stream)
        if kind := encryption_of_stream(path, container, stream):
            raise encrypted(path, kind)
        return container, stream
    except SourceError as error:
        container.close()
        if has_cut_index(path):
            raise explain_open(path, error) from error
        raise


def _opened(path: Path, options: dict[str, str], piece: Piece | None) -> InputContainer:
    # "file:" keeps FFmpeg from taking "cam:1.mkv" for a protocol.
    name = f"file:{path}" if piece is None else f"subfile,,start,{piece.begin},end,{piece.end},,:file:{path}"
    return av.open(name, metadata_errors="replace", options=options if piece is None else _OF_PIECES)


def chosen_stream(path: Path, container: InputContainer, stream: VideoStream) -> str:
    """Return a sentence on which video stream is read; empty if there is only one."""
    streams = _videos_of(container)
    if len(streams) < 2:
        return ""
    shapes = ", ".join(
        f"{index}: {s.width}x{s.height} {s.codec_context.name}" for index, s in enumerate(streams) if s.codec_context
    )
    return f"{path}: video stream {streams.index(stream)} of {len(streams)} was read ({shapes}); --video-stream N reads another"


def container_crop(path: Path, container: InputContainer, stream: VideoStream) -> Crop:
    """Return the border that the container crops."""
    return crop_of(path, container.format.name, _videos_of(container).index(stream))


def container_aspect(stream: VideoStream) -> Fraction | None:
    """Return the pixel aspect ratio if the container gives another than the pictures, otherwise None.

    It is read before the first picture; the pictures' own ratio may change.
    """
    told = stream.sample_aspect_ratio
    return told if told != stream.codec_context.sample_aspect_ratio else None


def origin_seconds(container: InputContainer) -> float:
    """Return the time stamp that a player shows as 0."""
    return 0.0 if container.start_time is None else container.start_time / av.time_base


def bridges(container: InputContainer) -> Bridge:
    """Return the kinds of jumps over which a player's time continues."""
    return "both" if container.format.flags & _TS_DISCONT else "backward"


def recording_clock(
    container: InputContainer, stream: VideoStream, skip_frame: str = "none", start: Start | None = None
) -> StreamClock:
    """Return the clock of a recording's pictures, which starts with the first picture it is given."""
    return StreamClock(
        time_base_of(stream),
        float(1 / nominal_rate(stream)),
        MAX_KEY_FRAME_GAP_SECONDS if skip_frame == "nonkey" else MAX_GAP_SECONDS,
        starts_at_seconds=start.origin_seconds if start else inf if container.start_time is None else origin_seconds(container),
        bridge=bridges(container),
        unstamped_first=True,
        unstamped_repeats=True,
    )


def seek_to_key(container: InputContainer, stream: VideoStream, ticks: int, *, exact: bool) -> None:
    """Seek to the key frame at or before a time stamp.

    Args:
        container: open.
        stream: its video.
        ticks: time stamp of a key frame, in the stream's units.
        exact: that very key frame must be read; a container without an index may land after it.

    Raises:
        SourceError: the file cannot be sought.
    """
    back = _SEARCHED_SECONDS if exact and container.format.name not in _INDEXED else 0.0
    try:
        container.seek(ticks - round(back / (stream.time_base or FALLBACK_TIME_BASE)), backward=True, stream=stream)
    except av.error.FFmpegError as error:
        raise SourceError(f"{container.name} can only be read from its beginning: {error.strerror}", "codec") from error


def creation_time(container: InputContainer, stream: VideoStream) -> int | None:
    """Return the time of recording in the file's metadata (Unix, nanoseconds); None if it is missing or implausible.

    MP4 and QuickTime have ``creation_time``, Matroska ``DateUTC``, both in UTC by definition; some devices write their local
    time.
    """
    for metadata in (container.metadata, stream.metadata):
        text = metadata.get("creation_time") or metadata.get("com.apple.quicktime.creationdate") or ""
        try:
            when = datetime.fromisoformat(text.strip())
        except ValueError:
            continue
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
        if when.year in _YEARS:
            return round(when.timestamp() * 1e6) * 1000
    return None


def is_cut(container: InputContainer, stream: VideoStream) -> bool:
    """Tell whether the container's index, if it has one of file positions, points beyond the end of the file."""
    entries = stream.index_entries
    if container.format.name not in _INDEXED or len(entries) == 0:
        return False
    last = entries[-1]
    return bool(last.pos + last.size > container.size)


def expected_frames(container: InputContainer, stream: VideoStream) -> int:
    """Return the approximate number of frames of the stream; 0 if the file does not say."""
    if container.format.name.endswith(_PICTURE_DEMUXERS):
        return 1
    if stream.frames and container.format.name != "matroska,webm":  # there it comes from a tag, which may be outdated
        return shown_pictures(container, stream)
    if stream.duration and stream.time_base:
        seconds = stream.duration * stream.time_base
    elif container.duration:
        # Matroska's duration counts from time 0 even if the recording begins later.
        late = max(0, container.start_time or 0) if container.format.name == "matroska,webm" else 0
        seconds = Fraction(container.duration - late, av.time_base)
    else:
        return 0
    return max(0, round(seconds * nominal_rate(stream)))


def _videos_of(container: InputContainer) -> list[VideoStream]:
    """Return the video streams, without cover art of music files."""
    return [s for s in container.streams.video if not s.disposition & av.stream.Disposition.attached_pic]


def _video_stream_of(path: Path, container: InputContainer, wanted: int | None) -> VideoStream:
    if container.format.name in _TEXT_DEMUXERS or not container.streams:
        raise SourceError(f"{path} is not a video", "not_a_video")
    streams = _videos_of(container)
    if not streams:
        kinds = sorted({"a cover" if stream.type == "video" else stream.type or "unknown" for stream in container.streams})
        raise SourceError(f"{path} has no video stream, only {' and '.join(kinds)}", "no_video")
    if wanted is not None and wanted >= len(streams):
        held = "one video stream, 0" if len(streams) == 1 else f"{len(streams)} video streams, 0 to {len(streams) - 1}"
        raise SourceError(f"{path} has {held}: there is no video stream {wanted}", "no_video")
    moving = [stream for stream in streams if stream.frames != 1] or streams  # others are thumbnails
    best = container.streams.best("video")
    stream = streams[wanted] if wanted is not None else best if best in moving else moving[0]
    if stream.codec_context is None:
        if kind := encryption_of_file(path):
            raise encrypted(path, kind)
        raise explain_no_decoder(path)
    if stream.width * stream.height > MOST_PX:
        size = f"{stream.width}x{stream.height} pixels"
        most = f"more than {MOST_PX // 10**6} megapixels are not read, scale it down first"
        raise SourceError(f"{path} has pictures of {size}: {most}", "codec")
    return stream
