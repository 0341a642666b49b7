"""AVI numbers its packets, and recorders stamp those of DAV as they write them: neither says when pictures are shown."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from engine.decode.h264_order import H264Order
from tests.decode.clips import render, write_dav
from tests.decode.in_fields import fields_of, write_fields
from tests.decode.reading import read


@pytest.mark.parametrize(("together", "rate"), [(False, 50), (True, 25)])
@pytest.mark.parametrize("pictures", [1, 2, 24])
def test_pictures_that_are_coded_in_fields_are_shown_at_their_times(tmp_path: Path, pictures: int, together: bool, rate: int):
    frames, states, order = read(write_fields(tmp_path / "a.avi", pictures, rate, together))
    assert [frame.time.pts_seconds for frame in frames] == pytest.approx([number / 25 for number in range(pictures)])
    assert "discontinuity" not in order
    assert states[-1].state == "ended"


def test_the_second_field_of_a_picture_is_known_also_behind_one_that_is_missing():
    fields = fields_of(4)
    order = H264Order(None)

    def seconds(*numbers: int) -> list[int]:
        found = []
        for number in numbers:
            order.gap_before(fields[number])
            if order.is_second_field:
                found.append(number)
        return found

    assert seconds(*range(8)) == [1, 3, 5, 7]
    assert seconds(0, 2, 3, 4, 5) == [3, 5]
    assert seconds(0, 1, 3, 4, 5, 6, 7) == [1, 5, 7]
    assert seconds(1, 3, 5, 0, 1) == [1]


@pytest.mark.parametrize("options", [{"g": "20"}, {"x264-params": "tff=1"}, {"bf": "2"}])
def test_pictures_that_are_coded_as_a_whole_have_none(tmp_path: Path, options: dict[str, str]):
    with av.open(str(render(tmp_path / "a.avi", codec_options=options, frames=20))) as container:
        order = H264Order(container.streams.video[0].codec_context.extradata)
        for packet in container.demux(video=0):
            order.gap_before(bytes(packet))
            assert not order.is_second_field


@pytest.mark.parametrize(
    ("codec", "options"),
    [
        ("libx264", {"bf": "0", "x264-params": "repeat-headers=1"}),
        ("libx264", {"bf": "2", "g": "12", "x264-params": "repeat-headers=1"}),
        ("libx265", {"x265-params": "log-level=none:bframes=2:b-adapt=0:keyint=12:repeat-headers=1"}),
    ],
)
def test_pictures_of_a_recorder_that_are_shown_in_another_order_have_times_in_order(tmp_path, codec, options):
    video = render(tmp_path / "a.ts", codec, codec_options=options, frames=40)
    frames, states, order = read(write_dav(tmp_path / "a.dav", video))
    assert [frame.time.pts_seconds for frame in frames] == pytest.approx([number / 25 for number in range(40)])
    assert "discontinuity" not in order
    assert states[-1].state == "ended"
    before, _, _ = read(video)
    assert all((one.planes.y == other.planes.y).all() for one, other in zip(frames, before, strict=True))
