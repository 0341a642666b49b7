"""What gives no frame at all, with its reason."""

from __future__ import annotations

import wave
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.decode.clips import cut, render
from tests.decode.reading import open_in, read


def bad_file(folder: Path, kind: str) -> Path:
    path = folder / f"{kind}.mp4"
    match kind:
        case "empty":
            path.touch()
        case "random":
            path.write_bytes(np.random.default_rng(0).bytes(50_000))
        case "text":
            path = folder / "notes.txt"
            path.write_text("this is not a video\n" * 50)
        case "no_index":
            cut(render(folder / "whole.mp4"), 0.6, path)
        case "no_index_quicktime" | "no_index_mdat":
            whole = render(folder / "whole.mov").read_bytes()
            begin = whole.index(b"wide" if kind == "no_index_quicktime" else b"mdat") - 4
            path.write_bytes(whole[begin : whole.rindex(b"moov") - 4])
        case "directory":
            path.mkdir()
        case "audio":
            with wave.open(str(path), "wb") as audio:
                audio.setparams((1, 2, 8000, 0, "NONE", ""))
                audio.writeframes(bytes(16_000))
        case "cover":
            with av.open(str(path := folder / "song.flac"), "w") as output:
                sound = output.add_stream("flac", rate=8000, layout="mono")
                cover = output.add_stream("mjpeg", rate=1)
                cover.width, cover.height, cover.pix_fmt = 96, 64, "yuvj420p"
                cover.disposition = av.stream.Disposition.attached_pic
                output.mux(cover.encode(av.VideoFrame(96, 64, "yuvj420p")))
                output.mux(cover.encode(None))
                heard = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.int16), "s16", "mono")
                heard.sample_rate = 8000
                output.mux(sound.encode(heard))
                output.mux(sound.encode(None))
        case "playlist":
            path = folder / "list.m3u8"
            path.write_text("#EXTM3U\n#EXTINF:1,\nmissing.ts\n#EXT-X-ENDLIST\n")
        case "list":
            render(folder / "a.mp4")
            path.write_text("ffconcat version 1.0\nfile a.mp4\n")
        case "list_in_playlist":
            path = folder / "list.m3u8"
            path.write_text("#EXTM3U\n#EXTINF:1,\nlist.mp4\n#EXT-X-ENDLIST\n")
            bad_file(folder, "list")
        case "locked":
            path = folder / "list.m3u8"
            path.write_text('#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="gone.bin"\n#EXTINF:1,\na.ts\n#EXT-X-ENDLIST\n')
            render(folder / "a.ts")
    return path


@pytest.mark.parametrize(
    ("kind", "reason", "sentence"),
    [
        ("missing", "not_found", "does not exist"),
        ("empty", "not_a_video", "is empty"),
        ("random", "not_a_video", "is not a video"),
        ("text", "not_a_video", "is not a video"),
        ("no_index", "not_a_video", "its index (moov) is missing"),
        ("no_index_quicktime", "not_a_video", "begins as a QuickTime file but its index (moov) is missing"),
        ("no_index_mdat", "not_a_video", "begins as a QuickTime file but its index (moov) is missing"),
        ("directory", "not_a_video", "is a directory"),
        ("audio", "no_video", "has no video stream, only audio"),
        ("cover", "no_video", "has no video stream, only a cover and audio"),
        ("playlist", "not_a_video", "of which nothing can be read (missing.ts not there): keep its segments beside it"),
        ("list", "not_a_video", "is a list of files (ffconcat), which is not read: give the files themselves"),
        ("list_in_playlist", "not_a_video", "is a playlist of which nothing can be read"),
        ("locked", "encrypted", "is protected (HLS"),
    ],
)
def test_what_is_not_a_video_fails_with_its_reason(tmp_path, kind, reason, sentence):
    frames, states, order = read(bad_file(tmp_path, kind))
    assert (order, frames, states[-1].reason) == (["connecting", "failed"], [], reason)
    assert sentence in states[-1].detail
    assert open_in(tmp_path) == []


def test_a_picture_with_the_name_of_a_pattern_is_itself_alone(tmp_path):
    for number, name in enumerate(("f%03d.png", "f000.png", "f001.png", "f?.png")):
        cv2.imwrite(str(tmp_path / name), np.full((32, 48 + 2 * number, 3), 90, np.uint8))
    for name, width in (("f%03d.png", 48), ("f?.png", 54)):
        frames, _, _ = read(tmp_path / name)
        assert [frame.planes.width_px for frame in frames] == [width]


def test_a_file_that_ends_before_its_first_picture_is_truncated(tmp_path):
    whole = render(tmp_path / "whole.mkv", frames=100)
    with av.open(str(whole)) as container:
        first = next(p for p in container.demux(video=0) if p.size).pos
    (tmp_path / "start.mkv").write_bytes(whole.read_bytes()[:first])
    _, states, order = read(tmp_path / "start.mkv")
    assert (order, states[-1].reason) == (["connecting", "failed"], "truncated")
    assert "ends before its first picture" in states[-1].detail


@pytest.mark.parametrize(("name", "length"), [("a.mkv", 80), ("a.avi", 600), ("a.wmv", 60)])
def test_a_file_that_ends_within_its_header_is_told_so(tmp_path, name, length):
    path = render(tmp_path / name, "libx264" if name != "a.wmv" else "wmv2")
    path.write_bytes(path.read_bytes()[:length])
    _, states, _ = read(path)
    assert (states[-1].state, states[-1].reason) == ("failed", "not_a_video")
    kind = path.suffix[1:].upper()
    assert states[-1].detail == f"{path} begins as {kind}, but its header is cut off or damaged: give another copy of it"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"<!doctype html><html></html>", "is not a recording but a web page: save the recording itself"),
        (b"PK\3\4" + bytes(500), "is not a recording but an archive or office document: take the recording out of it"),
        (b"%PDF-1.7\n", "is not a recording but a PDF document"),
        (b"\xff\x0a" + bytes(range(200)), "is of a format that is not read (JPEG XL): export it as PNG or JPEG"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(500), "is of a format that is not read (JPEG XL): export it as PNG or JPEG"),
    ],
)
def test_what_is_never_a_recording_is_told_as_what_it_is(tmp_path, content, says):
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    _, states, _ = read(path)
    assert (states[-1].state, states[-1].reason, states[-1].detail) == ("failed", "not_a_video", f"{path} {says}")


def test_a_forbidden_file_fails_with_permission(tmp_path, monkeypatch):
    def refuse(*_: object, **__: object):
        raise av.error.PermissionError(13, "Permission denied")

    monkeypatch.setattr(av, "open", refuse)  # the superuser may read everything
    _, states, _ = read(tmp_path / "a.mp4")
    assert (states[-1].reason, states[-1].detail) == ("permission", f"{tmp_path / 'a.mp4'} may not be read: permission denied")


def test_a_stream_whose_packets_are_rubbish_fails_with_codec(tmp_path):
    path = render(tmp_path / "a.mp4")
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packets = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    for start, size in packets:
        data[start : start + size] = b"\xff" * size
    path.write_bytes(data)
    frames, states, _ = read(path)
    assert (frames, states[-1].state, states[-1].reason) == ([], "failed", "codec")
    assert "no picture could be decoded from its 12 h264 packets" in states[-1].detail


@pytest.mark.parametrize("is_over", [True, False])
def test_a_playlist_is_read_from_its_first_segment(tmp_path, is_over):
    """Also where whoever wrote it was killed before its end."""
    options = {"hls_time": "0.4", "hls_list_size": "0"}
    path = render(tmp_path / "a.m3u8", container="hls", frames=50, codec_options={"g": "10"}, container_options=options)
    if not is_over:
        path.write_text(path.read_text().replace("#EXT-X-ENDLIST\n", ""))
    frames, states, _ = read(path)
    assert (len(frames), states[-1].state, states[-1].detail) == (50, "ended", "")
    assert [frame.time.pts_seconds for frame in frames] == pytest.approx([index / 25 for index in range(50)])


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.flv"])
def test_a_clip_that_was_copied_without_its_key_frame_is_told_so(tmp_path, name):
    """As where packets without a time of decoding are left out: Matroska's first has none."""
    with av.open(render(tmp_path / "whole.mp4", frames=20)) as whole, av.open(tmp_path / name, "w") as clip:
        stream = whole.streams.video[0]
        copied = clip.add_stream_from_template(stream)
        for packet in whole.demux(stream):
            if packet.size and not packet.is_keyframe:
                packet.stream = copied
                clip.mux(packet)
    _, states, _ = read(tmp_path / name)
    assert states[-1].reason == "codec"
    assert "h264 packets (none is a key frame, with which a clip must begin)" in states[-1].detail


def test_pictures_of_immense_size_are_not_read(tmp_path, monkeypatch):
    """Half a megabyte that claimed 256 megapixels a picture took gigabytes and minutes."""
    clip = render(tmp_path / "a.mp4")
    monkeypatch.setattr("engine.decode.container.MOST_PX", 1000)
    _, states, _ = read(clip)
    assert (states[-1].state, states[-1].reason) == ("failed", "codec")
    assert "more than 0 megapixels are not read, scale it down first" in states[-1].detail


def test_a_decoder_refuses_them_whatever_the_container_says(tmp_path, monkeypatch):
    clip = render(tmp_path / "a.mp4")
    monkeypatch.setattr("engine.decode.strictness.MOST_PX", 1000)
    frames, states, _ = read(clip)
    assert (frames, states[-1].state, states[-1].reason) == ([], "failed", "codec")
