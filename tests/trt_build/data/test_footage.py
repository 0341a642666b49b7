"""Pairs cut from real decoders' output: small faces through a codec, and the same places of the clip."""

import cv2
import numpy as np
import pytest

from tests.assets import shared
from tests.trt_build.systems.redeg.made import clip_of_a_face, footage_of
from trt_build.data.footage import cached_footage, read_footage
from trt_build.errors import DataError

SILENT = lambda *_: None  # noqa: E731


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return clip_of_a_face(tmp_path_factory.mktemp("footage") / "astronaut.mp4")


def test_small_faces_show_what_the_sharp_ones_show(clip):
    told = []
    found = read_footage(footage_of(clip, crf_min=20, crf_max=20), 16, 4, 7, lambda *work: told.append(work))
    assert found.low.shape[1:] == (16, 16)
    assert found.high.shape[1:] == (64, 64)
    assert len(found.low) == len(found.high) == len(found.names) >= 4
    for low, high in zip(found.low, found.high, strict=True):
        shrunk = cv2.resize(high, (16, 16), interpolation=cv2.INTER_AREA)
        error = np.abs(shrunk.astype(float) - low).mean()
        moved = np.abs(np.roll(shrunk, 1, axis=1).astype(float) - low).mean()
        assert 0.2 < error < 10
        assert error < moved / 2, "the windows fit each other"
    assert set(found.encodings()) == {"astronaut/0", "astronaut/1"}
    assert told == [("encodings of footage", 1, 2), ("encodings of footage", 2, 2)]


def test_harder_encoding_does_more_damage(clip):
    def damage(crf):
        found = read_footage(footage_of(clip, crf_min=crf, crf_max=crf), 16, 4, 7, SILENT)
        shrunk = [cv2.resize(high, (16, 16), interpolation=cv2.INTER_AREA) for high in found.high]
        return np.abs(np.stack(shrunk).astype(float) - found.low).mean()

    assert damage(40) > 1.5 * damage(18)


def test_is_read_once(clip, tmp_path):
    told = []
    first = cached_footage(footage_of(clip), 16, 4, 7, tmp_path, lambda *work: told.append(work))
    again = cached_footage(footage_of(clip), 16, 4, 7, tmp_path, lambda *_: pytest.fail("read again"))
    np.testing.assert_array_equal(first.low, again.low)
    assert first.names == again.names
    other = cached_footage(footage_of(clip), 16, 4, 8, tmp_path, SILENT)
    assert not np.array_equal(first.low, other.low), "another seed, other sizes and rates"


def test_what_cannot_be_read_is_named(tmp_path):
    with pytest.raises(DataError, match=r"none\.mp4' cannot be read"):
        read_footage(footage_of(tmp_path / "none.mp4"), 16, 4, 7, SILENT)
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(DataError, match=r"text\.mp4' cannot be read"):
        read_footage(footage_of(tmp_path / "text.mp4"), 16, 4, 7, SILENT)
    empty = clip_of_a_face(tmp_path / "wall.mp4", faces=False)
    with pytest.raises(DataError, match=r"No face was found in '.*wall\.mp4'"):
        read_footage(footage_of(empty), 16, 4, 7, SILENT)


def test_real_footage():
    found = read_footage(footage_of(shared("video/asl_help.mkv"), passes=1), 16, 4, 7, SILENT)
    assert len(found.low) >= 4
    assert found.high.std(axis=(1, 2)).min() > 20, "faces, not walls"
