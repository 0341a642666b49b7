from __future__ import annotations

import pytest

from engine.footage.encoders import ENCODERS, Encoder, best_encoder, works


@pytest.mark.parametrize("working", ["h264_nvenc", "h264_vaapi", "libx264", "mpeg4"])
def test_the_first_that_works_is_taken(working: str) -> None:
    asked: list[str] = []

    def is_working(encoder: Encoder) -> bool:
        asked.append(encoder.codec)
        return encoder.codec == working

    assert best_encoder(is_working).codec == working
    assert asked == list(ENCODERS)[: len(asked)]
    assert list(ENCODERS) == ["h264_nvenc", "h264_qsv", "h264_vaapi", "h264_v4l2m2m", "libx264", "mpeg4"]


def test_where_none_says_so_mpeg4_is_tried_all_the_same() -> None:
    assert best_encoder(lambda encoder: False).codec == "mpeg4"


def test_one_that_encodes_works_and_one_that_is_not_there_does_not() -> None:
    assert works(ENCODERS["mpeg4"])
    assert not works(Encoder("h264_of_nobody"))
    assert not works(Encoder("h264_vaapi", "a device that nobody has"))
