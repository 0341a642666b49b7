"""MXF that holds all of its pictures in one piece, and breaks off."""

from __future__ import annotations

import av
import pytest

from engine.decode.clip_wrapped import marked_where_cut
from tests.decode.clips import render
from tests.decode.reading import read


@pytest.mark.parametrize("container", ["mxf", "mxf_opatom"])
@pytest.mark.parametrize("bf", ["0", "2"])
@pytest.mark.parametrize("pictures", [20, 37, 58])
def test_only_what_is_cut_is_damaged(tmp_path, container, bf, pictures):
    options = {"g": "12", "bf": bf}
    whole = render(tmp_path / "whole.mxf", "mpeg2video", frames=60, container=container, codec_options=options)
    frames, states, _ = read(whole)
    assert (len(frames), states[-1].detail) == (60, "")
    with av.open(str(whole)) as source:
        packets = [(packet.pos, packet.size) for packet in source.demux() if packet.size]
    place, size = packets[pictures]
    (tmp_path / "cut.mxf").write_bytes(whole.read_bytes()[: place + size // 2])
    frames, states, _ = read(tmp_path / "cut.mxf")
    assert len(frames) in (pictures, pictures + 1)
    assert (states[-1].state, states[-1].reason) == ("failed", "truncated")
    assert "breaks off in the middle of a packet" in states[-1].detail
    damaged = [index for index, frame in enumerate(frames) if frame.damaged]
    assert all(index >= len(frames) - 4 for index in damaged)


def test_what_was_read_before_a_fault_comes(tmp_path):
    path = render(tmp_path / "whole.mxf", "mpeg2video", frames=5, container="mxf")

    def failing(source):
        yield from (packet for packet in source.demux(video=0) if packet.size)
        raise av.error.OSError(5, "Input/output error")

    with av.open(str(path)) as source:
        came = iter(marked_where_cut(failing(source), source))
        assert [next(came).is_corrupt for _ in range(5)] == [False] * 5
        with pytest.raises(av.error.OSError):
            next(came)
