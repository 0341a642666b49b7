"""Clips of real footage and of rendered people."""

from __future__ import annotations

from pathlib import Path

import av
from av.video.frame import PictureType

from tests.assets import shared
from tests.rtsp.clips import face_clip, recorded_clip


def test_a_recording_is_encoded_again_without_b_frames(tmp_path: Path) -> None:
    clip = recorded_clip(shared("video/one-by-one-person-detection.mp4"), tmp_path / "a.h264", fps=10, seconds=3.0)
    assert clip.frames == 30
    with av.open(str(clip.path), format="h264") as container:
        pictures = list(container.decode(video=0))
    assert [(picture.width, picture.height) for picture in pictures] == [clip.size_px] * 30
    assert [n for n, picture in enumerate(pictures) if picture.key_frame] == [0, 10, 20]
    assert {picture.pict_type for picture in pictures} == {PictureType.I, PictureType.P}


def test_people_are_rendered_where_there_is_no_footage(tmp_path: Path) -> None:
    clip = face_clip(tmp_path, size_px=(320, 240), fps=5, seconds=1.0)
    assert (clip.frames, clip.size_px) == (5, (320, 240))
