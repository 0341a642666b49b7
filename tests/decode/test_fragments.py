"""MP4 that ends within one of its boxes, as of a recorder that was switched off or is still writing."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.decode.mp4_boxes import OuterBox, outermost
from tests.decode.clips import render
from tests.decode.reading import read

FRAGMENTED = "frag_keyframe+empty_moov"


def parts(path: Path) -> list[OuterBox]:
    with path.open("rb") as file:
        return list(outermost(file))


def cut_at(path: Path, place: int) -> Path:
    target = path.with_name("cut.mp4")
    target.write_bytes(path.read_bytes()[:place])
    return target


def fragmented(folder: Path, flags: str = FRAGMENTED) -> Path:
    said = {"movflags": flags} if flags else {}
    codec_options = {"g": "6", "bf": "0", "sc_threshold": "0"}
    return render(folder / "a.mp4", frames=18, codec_options=codec_options, container_options=said)


@pytest.mark.parametrize("flags", [FRAGMENTED, f"{FRAGMENTED}+default_base_moof"])
@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.98])
def test_what_comes_before_a_fragment_that_is_not_described_yet_is_read(tmp_path, flags, share):
    path = fragmented(tmp_path, flags)
    for before, box in enumerate(box for box in parts(path) if box.kind == b"moof"):
        frames, states, _ = read(cut_at(path, box.place + max(8, round(share * box.size_bytes))))
        assert len(frames) == 6 * before
        assert (states[-1].state, states[-1].reason) == ("failed", "truncated")
        assert states[-1].detail.endswith(f"breaks off in the middle of a fragment; frames before that: {6 * before}")


@pytest.mark.parametrize("flags", [FRAGMENTED, "faststart", ""])
def test_where_the_index_itself_is_cut_it_says_so(tmp_path, flags):
    path = fragmented(tmp_path, flags)
    index = next(box for box in parts(path) if box.kind == b"moov")
    for length in (4, 8, 20, index.size_bytes // 2):
        _, states, _ = read(cut_at(path, index.place + length))
        assert states[-1].reason == "not_a_video"
        assert "its index (moov) is missing or broken" in states[-1].detail


def test_without_an_index_it_says_so(tmp_path):
    path = fragmented(tmp_path, "")
    data = next(box for box in parts(path) if box.kind == b"mdat")
    _, states, _ = read(cut_at(path, data.place + data.size_bytes // 2))
    assert "its index (moov) is missing or broken" in states[-1].detail
