"""Playlists name what lies beside them, and nothing else of this machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.config import DecodeConfig
from engine.contracts.frames import Frame
from engine.contracts.streams import StreamChanged
from engine.decode.decoder import Decoder
from engine.decode.playlist import missing_from, segments_of, trouble_of
from tests.decode.clips import render

SEGMENTS = {"hls_time": "0.4", "hls_list_size": "0"}


def playlist(folder: Path, monkeypatch: pytest.MonkeyPatch, **options: str) -> Path:
    folder.mkdir(exist_ok=True)
    monkeypatch.chdir(folder)  # FFmpeg writes some of the files where it is
    path = folder / "a.m3u8"
    return render(path, container="hls", frames=50, codec_options={"g": "10"}, container_options={**SEGMENTS, **options})


def read(path: Path) -> tuple[int, StreamChanged]:
    *items, last = Decoder("a", path, DecodeConfig())
    assert isinstance(last, StreamChanged)
    return sum(isinstance(item, Frame) for item in items), last


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("/{private}", "{name}"),
        ("../private.ts", "{name}"),
        ("x/../../private.ts", "{name}"),
        ("FILE:{private}", '#EXT-X-MAP:URI="{name}"'),
        ("file:///{private}", '#EXT-X-KEY:METHOD=AES-128,URI="{name}"'),
        ("{private}", "#EXT-X-MAP:URI={name}"),
        ("a\\/..\\/..\\/private.ts", '#EXT-X-MAP:URI="{name}"'),
        ("crypto:/{private}", "{name}"),
        ("crypto:../private.ts", "{name}"),
        ("Crypto+file:{private}", '#EXT-X-MAP:URI="{name}"'),
        ("crypto:crypto+file:///{private}", "{name}"),
        ("file:cam:1/../../private.ts", "{name}"),
    ],
)
def test_it_does_not_lead_out_of_its_folder(tmp_path, monkeypatch, name, line):
    private = render(tmp_path / "private.ts")
    path = playlist(tmp_path / "seq", monkeypatch)
    name = name.format(private=str(private).lstrip("/") if "/{" in name else private)
    path.write_text(path.read_text().replace("#EXTINF", line.format(name=name) + "\n#EXTINF", 1))
    frames, end = read(path)
    assert (frames, end.state, end.reason) == (0, "failed", "permission")
    told = f"{path} is a playlist that leads out of its folder ({name}): put what it names beside it, or give that itself"
    assert end.detail == told.replace("\\/", "/")


def test_nor_does_a_link_in_it(tmp_path, monkeypatch):
    """Whoever unpacks an archive gets links that somebody else made."""
    path = playlist(tmp_path / "seq", monkeypatch)
    for name in ("a1.ts", "a2.ts"):
        (path.parent / name).rename(tmp_path / name)
    (path.parent / "inside.ts").write_bytes((tmp_path / "a1.ts").read_bytes())
    (path.parent / "a1.ts").symlink_to("inside.ts")
    (path.parent / "a2.ts").symlink_to(tmp_path / "a2.ts")
    frames, end = read(path)
    assert (frames, end.reason, "leads out of its folder (a2.ts)" in end.detail) == (0, "permission", True)
    (tmp_path / "link").symlink_to(path.parent)
    (path.parent / "a2.ts").unlink()
    (path.parent / "a2.ts").write_bytes((tmp_path / "a2.ts").read_bytes())
    assert read(tmp_path / "link" / "a.m3u8")[0] == 50


def test_what_is_too_long_to_be_looked_at_is_not_opened(tmp_path, monkeypatch):
    path = playlist(tmp_path / "seq", monkeypatch)
    path.write_text(path.read_text() + "#" * (17 << 20) + "\n/private.ts\n")
    _, end = read(path)
    assert (end.state, end.reason) == ("failed", "permission")
    assert end.detail == f"{path} is a playlist that has more than 16,777,216 bytes: give its segments by themselves"


def test_nor_does_one_that_it_names(tmp_path, monkeypatch):
    (tmp_path / "top").mkdir()
    inner = playlist(tmp_path / "top" / "low", monkeypatch)
    top = tmp_path / "top" / "top.m3u8"
    top.write_text("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow/a.m3u8\n")
    assert read(top)[0] == 50
    inner.write_text(inner.read_text().replace("a0.ts", "../../private.ts"))
    assert "(../../private.ts)" in trouble_of(top)
    assert read(top)[1].reason == "permission"


@pytest.mark.parametrize("name", ["{folder}/a1.ts", "file:{folder}/a1.ts", "./a1.ts", "../seq/a1.ts"])
def test_names_may_be_whole_where_they_stay_inside(tmp_path, monkeypatch, name):
    path = playlist(tmp_path / "seq", monkeypatch)
    path.write_text(path.read_text().replace("a1.ts", name.format(folder=tmp_path / "seq")))
    frames, end = read(path)
    assert (frames, end.state, end.detail) == (50, "ended", "")


@pytest.mark.parametrize(
    "text",
    ["#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n", "#EXTINF:1,\na.m3u8\n", "#EXT-X-STREAM-INF:BANDWIDTH=1\nb.m3u8\n"],
)
def test_one_that_names_itself_is_refused(tmp_path, text):
    """FFmpeg reads it again and again, and waits for a segment."""
    for name in ("a.m3u8", "b.m3u8"):
        (tmp_path / name).write_text("#EXTM3U\n" + text.replace("b.m3u8", "a.m3u8" if name == "b.m3u8" else "b.m3u8"))
    _, end = read(tmp_path / "a.m3u8")
    assert (end.state, "is a playlist that leads in a circle" in end.detail) == ("failed", True)


@pytest.mark.parametrize("playlists", [1, 2, 5, 6, 7, 40])
@pytest.mark.parametrize(
    "line", ["#EXT-X-STREAM-INF:BANDWIDTH=1\n{name}\n", "#EXTINF:1,\n{name}\n", '#EXT-X-MEDIA:TYPE=AUDIO,URI="{name}"\n']
)
def test_what_is_too_deep_to_be_looked_at_is_no_circle(tmp_path, playlists, line):
    for number in range(playlists):
        name = "a.ts" if number == playlists - 1 else f"{number + 1}.m3u8"
        (tmp_path / f"{number}.m3u8").write_text("#EXTM3U\n" + line.format(name=name))
    told = "names playlists within playlists, over 4 deep (5.m3u8): give one of the inner ones itself"
    assert trouble_of(tmp_path / "0.m3u8") == ("" if playlists <= 5 else told)


def test_what_is_missing_of_one_of_which_nothing_can_be_read_is_named(tmp_path, monkeypatch):
    path = playlist(tmp_path / "seq", monkeypatch, hls_segment_type="fmp4")
    assert read(path)[0] == 50
    (tmp_path / "seq" / "init.mp4").unlink()
    frames, end = read(path)
    assert (frames, end.reason) == (0, "not_a_video")
    assert "of which nothing can be read (init.mp4 not there): keep its segments beside it" in end.detail


def test_ranges_of_one_file_are_read(tmp_path, monkeypatch):
    path = playlist(tmp_path / "seq", monkeypatch, hls_flags="single_file")
    frames, end = read(path)
    assert (frames, end.state, end.detail, len(segments_of(path))) == (50, "ended", "", 1)


def locked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder.mkdir()
    (folder / "key.bin").write_bytes(os.urandom(16))
    (folder / "info").write_text(f"key.bin\n{folder / 'key.bin'}\n")
    return playlist(folder, monkeypatch, hls_key_info_file=str(folder / "info"))


def test_one_whose_key_lies_beside_it_is_read(tmp_path, monkeypatch):
    frames, end = read(locked(tmp_path / "seq", monkeypatch))
    assert (frames, end.state, end.detail) == (50, "ended", "")


@pytest.mark.parametrize("key", [None, b"short", bytes(16)])
def test_without_the_key_it_is_encrypted(tmp_path, monkeypatch, key):
    path = locked(tmp_path / "seq", monkeypatch)
    (tmp_path / "seq" / "key.bin").unlink()
    if key is not None:
        (tmp_path / "seq" / "key.bin").write_bytes(key)
    frames, end = read(path)
    assert (frames, end.state, end.reason) == (0, "failed", "encrypted")


def test_a_segment_of_it_alone_is_encrypted_too(tmp_path, monkeypatch):
    path = locked(tmp_path / "seq", monkeypatch)
    frames, end = read(path.parent / "a1.ts")
    assert (frames, end.state, end.reason) == (0, "failed", "encrypted")
    assert "(HLS encryption)" in end.detail


def test_what_another_machine_holds_is_missing(tmp_path):
    path = tmp_path / "a.m3u8"
    path.write_text('#EXTM3U\n#EXT-X-MAP:URI="i.mp4"\n#EXTINF:1,\nhttp://192.0.2.1/a.ts\n#EXTINF:1,\nb.ts\n#EXTINF:1,\nb.ts\n')
    (tmp_path / "b.ts").touch()
    assert segments_of(path) == ["http://192.0.2.1/a.ts", "b.ts"]
    assert missing_from(path) == ["http://192.0.2.1/a.ts", "i.mp4"]
    assert trouble_of(path) == ""


def test_at_a_pipe_nobody_waits(tmp_path, monkeypatch):
    path = playlist(tmp_path / "seq", monkeypatch)
    os.mkfifo(path.parent / "pipe.m3u8")
    path.write_text(path.read_text().replace("a1.ts", "pipe.m3u8"))
    _, end = read(path)
    assert (end.state, end.reason) == ("failed", "permission")
    assert end.detail == f"{path} is a playlist that names what is no file (pipe.m3u8): give its segments by themselves"
    (path.parent / "broken.ts").write_bytes(b"x" * 188)
    assert read(path.parent / "broken.ts")[1].reason == "not_a_video"  # the playlists beside it are looked into


@pytest.mark.parametrize(("name", "told"), [("x" * 300, "x" * 300), ("a\0b.ts", "a, b.ts")])
def test_names_that_no_file_can_have_are_missing(tmp_path, monkeypatch, name, told):
    path = playlist(tmp_path / "seq", monkeypatch)
    path.write_text(path.read_text().replace("a1.ts", name))
    frames, end = read(path)
    assert (frames < 50, end.state, f"not there ({told})" in end.detail) == (True, "ended", True)
    path.write_text(f"#EXTM3U\n#EXTINF:1,\n{name}\n")
    _, end = read(path)
    assert (end.reason, f"({told} not there)" in end.detail) == ("not_a_video", True)


def test_one_that_is_named_in_many_ways_is_looked_into_once(tmp_path):
    for number in range(3):
        names = (f"{'./' * ways}{number + 1}.m3u8" for ways in range(200))
        (tmp_path / f"{number}.m3u8").write_text("#EXTM3U\n" + "\n".join(names))
    (tmp_path / "3.m3u8").write_text("#EXTM3U\n#EXTINF:1,\na.ts\n")
    assert trouble_of(tmp_path / "0.m3u8") == ""
