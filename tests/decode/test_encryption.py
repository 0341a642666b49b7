from __future__ import annotations

from pathlib import Path

import av
import pytest

from engine.config import DecodeConfig
from engine.contracts.frames import Frame
from engine.decode.decoder import Decoder
from engine.decode.encryption import encryption_of_file
from tests.assets import shared
from tests.decode.clips import render

KEYS = {"encryption_key": "76a6c65c5ea762046bd749a2e632ccbb", "encryption_kid": "a7e61c373e219033c21091fa607bf3b8"}


def common_encryption(path: Path) -> Path:
    return render(path, container_options={"encryption_scheme": "cenc-aes-ctr", **KEYS})


def scrambled(path: Path) -> Path:
    """Return a transport stream whose video packets carry scrambled payloads."""
    data = bytearray(render(path).read_bytes())
    for at in range(0, len(data), 188):
        if ((data[at + 1] & 0x1F) << 8 | data[at + 2]) == 0x100:
            data[at + 3] |= 0x80
            payload = at + 4 + (1 + data[at + 4] if data[at + 3] & 0x20 else 0)
            data[payload : at + 188] = bytes(byte ^ 0x5A for byte in data[payload : at + 188])
    path.write_bytes(data)
    return path


def sold_by_apple(path: Path) -> Path:
    """Return an MP4, its index behind its pictures, whose video is of a kind that only players of Apple know."""
    data = render(path).read_bytes().replace(b"avc1\0", b"drmi\0")
    index = data.index(b"moov") - 4
    path.write_bytes(data[:index] + (2 << 20).to_bytes(4, "big") + b"free" + bytes((2 << 20) - 8) + data[index:])
    return path


def windows_media(path: Path) -> Path:
    """Return a WMV whose header has a content encryption object in the place of its codec list."""
    data = render(path, "wmv2", container="asf").read_bytes()
    codec_list = bytes.fromhex("4052d1861d31d011a3a400a0c90348f6")
    assert codec_list in data
    path.write_bytes(data.replace(codec_list, bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e")))
    return path


def states(path: Path):
    with Decoder("cam", path, DecodeConfig()) as decoder:
        items = list(decoder)
    return [item for item in items if isinstance(item, Frame)], items[-1]


@pytest.mark.parametrize(
    ("make", "name", "kind"),
    [
        (common_encryption, "a.mp4", "common encryption"),
        (common_encryption, "a.mov", "common encryption"),
        (sold_by_apple, "a.m4v", "common encryption"),
        (scrambled, "a.ts", "scrambled transport stream"),
        (windows_media, "a.wmv", "Windows Media DRM"),
    ],
)
def test_encrypted_recordings_fail_and_say_why(tmp_path, make, name, kind):
    path = make(tmp_path / name)
    frames, end = states(path)
    assert frames == []
    assert (end.state, end.reason) == ("failed", "encrypted")
    assert end.detail == (f"encrypted: {path} is protected ({kind}): decrypt it first, or export it again without protection")


def test_an_encrypted_segment_without_its_index_is_encrypted_and_not_merely_broken(tmp_path):
    path = tmp_path / "segment.m4s"
    path.write_bytes(b"\x00\x00\x00\x10styp" + b"iso6\0\0\0\0" + b"\x00\x00\x00\x20moof" + b"\x00\x00\x00\x18senc" + bytes(200))
    _, end = states(path)
    assert (end.state, end.reason) == ("failed", "encrypted")


def test_a_plain_segment_without_its_index_says_what_to_do(tmp_path):
    path = tmp_path / "segment.m4s"
    path.write_bytes(b"\x00\x00\x00\x10styp" + b"iso6\0\0\0\0" + b"\x00\x00\x00\x20moof" + bytes(300))
    _, end = states(path)
    assert (end.state, end.reason) == ("failed", "not_a_video")
    assert "without its initialisation" in end.detail


def test_the_frames_before_the_protection_are_kept(tmp_path, monkeypatch):
    asked = iter([False] * 5 + [True] * 10)
    monkeypatch.setattr("engine.decode.decoder.is_encrypted_packet", lambda packet: next(asked))
    frames, end = states(render(tmp_path / "a.avi", "mjpeg", "yuvj420p"))
    assert len(frames) == 5
    assert "after its first 5 frames" in end.detail


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.avi", "a.flv"])
def test_plain_recordings_are_not_taken_for_encrypted(tmp_path, name):
    path = render(tmp_path / name)
    assert encryption_of_file(path) == ""
    assert states(path)[1].state == "ended"


def test_what_cannot_be_read_or_is_short_says_nothing(tmp_path):
    (tmp_path / "short").write_bytes(b"\x47" * 100)
    assert encryption_of_file(tmp_path / "short") == ""
    assert encryption_of_file(tmp_path / "missing") == ""
    assert encryption_of_file(tmp_path) == ""


def test_the_file_that_was_called_complete():
    _, end = states(shared("cases/encrypted/prog_8s_enc_dashinit.mp4"))
    assert (end.state, end.reason, end.counters["frames"]) == ("failed", "encrypted", 0)


def test_pyav_still_names_the_side_data(tmp_path):
    with av.open(str(common_encryption(tmp_path / "a.mp4"))) as container:
        assert next(container.demux(video=0)).has_sidedata("encryption_info")
