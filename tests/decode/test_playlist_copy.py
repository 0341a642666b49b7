"""Playlists by other hands: what FFmpeg refuses, or waits for, is read all the same."""

from __future__ import annotations

import codecs
import time
from collections.abc import Callable

import pytest

from engine.decode.playlist import is_playlist, segments_of
from engine.decode.playlist_copy import finished_copy
from tests.decode.test_playlist import playlist, read


def unfinished(text: str, seconds: str = "1") -> str:
    return text.replace("#EXT-X-ENDLIST\n", "").replace("TARGETDURATION:1", f"TARGETDURATION:{seconds}")


@pytest.mark.parametrize(
    "write",
    [
        lambda text: codecs.BOM_UTF8 + text.encode(),
        lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
        lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", "\r").encode(),
        lambda text: ("\n  " + text).encode(),
        lambda text: codecs.BOM_UTF8 + unfinished(text).encode(),
    ],
)
def test_whatever_an_editor_made_of_it(tmp_path, monkeypatch, write: Callable[[str], bytes]):
    path = playlist(tmp_path / "seq", monkeypatch)
    path.write_bytes(write(path.read_text()))
    assert is_playlist(path)
    assert segments_of(path) == [f"a{n}.ts" for n in range(5)]
    frames, end = read(path)
    assert (frames, end.state, end.detail) == (50, "ended", "")


@pytest.mark.parametrize("seconds", ["1000", "100000000", "0", "x"])
def test_nobody_waits_for_more_of_one_that_was_not_finished(tmp_path, monkeypatch, seconds):
    path = playlist(tmp_path / "seq", monkeypatch)
    path.write_text(unfinished(path.read_text(), seconds))
    start = time.monotonic()
    frames, end = read(path)
    assert (frames, end.state, end.detail) == (50, "ended", "")
    assert time.monotonic() - start < 60


def test_nor_of_one_that_another_names(tmp_path, monkeypatch):
    inner = playlist(tmp_path / "low", monkeypatch)
    inner.write_text(unfinished(inner.read_text(), "1000"))
    top = tmp_path / "top.txt"
    top.write_text("\ufeff#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow/a.m3u8\n")
    assert read(top)[0] == 50


@pytest.mark.parametrize(
    "name", ["part 0", "0", "a.bin", "é.ts", "a%20b.ts", "a#b.ts", "a?b.ts", "12:30.ts", "cam:1.ts", "a.b+c:1.ts", "http:x.ts"]
)
def test_segments_may_be_called_anything(tmp_path, monkeypatch, name):
    path = playlist(tmp_path / "seq", monkeypatch)
    (path.parent / "a0.ts").rename(path.parent / name)
    path.write_text(path.read_text().replace("a0.ts", name))
    frames, end = read(path)
    assert (frames, end.state, end.detail) == (50, "ended", "")


def test_a_copy_names_everything_by_its_whole_path_and_goes(tmp_path):
    (tmp_path / "b.m3u8").write_text("#EXTM3U\n#EXTINF:1,\nx.ts\n")
    path = tmp_path / "a.m3u8"
    path.write_text(
        '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="k\\"1",IV=0x1\n#EXT-X-MAP:URI=i.mp4\n# URI="c"\n'
        "#EXTINF:1,URI\nb.ts\nhttp://192.0.2.1/c.ts\nb.m3u8\nb.m3u8\n"
    )
    with finished_copy(path) as copy:
        lines = copy.read_text().splitlines()
        inner = copy.with_name("1.m3u8")
        assert inner.read_text() == f"#EXTM3U\n#EXTINF:1,\nfile:{tmp_path}/x.ts\n#EXT-X-ENDLIST\n"
    assert lines == [
        "#EXTM3U",
        f'#EXT-X-KEY:METHOD=AES-128,URI="file:{tmp_path}/k\\"1",IV=0x1',
        f'#EXT-X-MAP:URI="file:{tmp_path}/i.mp4"',
        '# URI="c"',
        "#EXTINF:1,URI",
        f"file:{tmp_path}/b.ts",
        "http://192.0.2.1/c.ts",
        f"file:{inner}",
        f"file:{inner}",
        "#EXT-X-ENDLIST",
    ]
    assert not copy.parent.exists()
