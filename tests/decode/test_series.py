from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.contracts.frames import Frame
from engine.contracts.recording import Appearance, Reading, Recording
from engine.contracts.streams import StreamChanged
from engine.decode.series import SeriesDecoder
from engine.decode.still import read_still
from engine.errors import PictureError
from engine.pictures.colour import bgr_from_planes


def scene(size: tuple[int, int] = (64, 48)) -> np.ndarray:
    """A picture that lies only one way up: red at the top left, blue at the right."""
    width, height = size
    image = np.full((height, width, 3), 90, np.uint8)
    image[: height // 2, : width // 2] = (0, 0, 220)
    image[:, -width // 4 :] = (220, 0, 0)
    return image


def write(path: Path, image: np.ndarray) -> Path:
    assert cv2.imwrite(str(path), image)
    return path


def read(paths: list[Path], fps: float = 25.0, every: int = 1) -> tuple[list[Frame], list[StreamChanged]]:
    with SeriesDecoder(Recording("seq", paths[0].parent, tuple(paths), fps), every) as decoder:
        items = list(decoder)
    frames = [item for item in items if isinstance(item, Frame)]
    states = [item for item in items if isinstance(item, StreamChanged)]
    assert states[0].state == "connecting"
    assert states[-1] is items[-1]
    assert states[-1].counters["frames"] == len(frames)
    return frames, states


def test_the_clock_goes_by_the_rate(tmp_path):
    paths = [write(tmp_path / f"{n}.png", scene()) for n in range(5)]
    frames, states = read(paths, fps=12.5, every=2)
    assert [state.state for state in states] == ["connecting", "live", "ended"]
    assert (states[1].frame_rate, states[1].frames_expected, states[1].width_px) == (12.5, 5, 64)
    assert [frame.time.pts_seconds for frame in frames] == pytest.approx([0, 0.08, 0.16, 0.24, 0.32])
    assert [frame.time.pts * frame.time.time_base[0] / frame.time.time_base[1] for frame in frames] == pytest.approx(
        [frame.time.pts_seconds for frame in frames]
    )
    assert [frame.detect for frame in frames] == [True, False, True, False, True]


def test_a_change_of_size_is_a_discontinuity(tmp_path):
    sizes = [(64, 48), (64, 48), (80, 60), (33, 25)]
    frames, states = read([write(tmp_path / f"{n}.png", scene(size)) for n, size in enumerate(sizes)])
    assert [(frame.planes.width_px, frame.planes.height_px) for frame in frames] == sizes
    assert [state.reason for state in states] == ["", "", "resolution_change", "resolution_change", "end_of_file"]


def test_formats_may_be_mixed(tmp_path):
    colour = scene()
    grey = cv2.cvtColor(colour, cv2.COLOR_BGR2GRAY)
    paths = [
        write(tmp_path / "0.png", colour),
        write(tmp_path / "1.jpg", colour),
        write(tmp_path / "2.png", grey),
        write(tmp_path / "3.tif", colour.astype(np.uint16) * 257),
        write(tmp_path / "4.webp", colour),
        write(tmp_path / "5.bmp", colour),
        write(tmp_path / "6.pgm", grey),
        write(tmp_path / "7.png", np.dstack([colour, np.full(colour.shape[:2], 255, np.uint8)])),
    ]
    frames, _ = read(paths)
    assert len(frames) == 8
    for frame in frames:
        got = bgr_from_planes(frame.planes)
        wanted = np.repeat(grey[..., None], 3, 2) if frame.time.frame_index in (2, 6) else colour
        assert np.abs(got[4:20, 4:20].astype(int) - wanted[4:20, 4:20]).mean() < 6


@pytest.mark.parametrize("orientation", range(1, 9))
def test_each_picture_is_upright_as_a_viewer_shows_it(tmp_path, orientation):
    pillow = pytest.importorskip("PIL.Image")
    ways = [None, 0, 3, 1, 5, 2, 6, 4]  # FLIP_LEFT_RIGHT, ROTATE_180, FLIP_TOP_BOTTOM, TRANSPOSE, 90, TRANSVERSE, 270
    upright = pillow.fromarray(scene()[..., ::-1].copy())
    way = ways[orientation - 1]
    exif = pillow.Exif()
    exif[0x112] = orientation
    stored = upright if way is None else upright.transpose(way)
    stored.save(tmp_path / "turned.jpg", exif=exif, quality=95, subsampling=0)
    picture = read_still(tmp_path / "turned.jpg").bgr
    assert picture.shape == (48, 64, 3)
    assert np.abs(picture.astype(int) - scene()).mean() < 6


def broken(path: Path, kind: str) -> Path:
    whole = write(path, scene()).read_bytes()
    match kind:
        case "cut":
            path.write_bytes(whole[: len(whole) * 2 // 3])
        case "text":
            path.write_text("no picture")
        case "empty":
            path.write_bytes(b"")
        case "gone":
            path.unlink()
        case "directory":
            path.unlink()
            path.mkdir()
    return path


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".tif", ".webp"])
@pytest.mark.parametrize("kind", ["cut", "text", "empty", "gone", "directory"])
def test_a_broken_picture_is_counted_and_left_out(tmp_path, kind, suffix):
    paths = [write(tmp_path / "0.png", scene()), broken(tmp_path / f"1{suffix}", kind), write(tmp_path / "2.png", scene())]
    frames, states = read(paths)
    assert [frame.time.frame_index for frame in frames] == [0, 2]
    assert frames[1].time.pts_seconds == pytest.approx(0.08), "time goes on"
    assert (states[-1].state, states[-1].counters["corrupt_packets"]) == ("ended", 1)
    assert f"1 of 3 pictures was left out; the first: {paths[1]} " in states[-1].detail


@pytest.mark.parametrize(("large", "said"), [(0, ""), (1, "1 picture of {} is so large"), (2, "2 pictures of {} are so large")])
def test_that_half_of_a_very_large_picture_is_read_is_told(tmp_path, monkeypatch, large, said):
    monkeypatch.setattr("engine.decode.still.MOST_PIXELS", 64 * 48)
    paths = [write(tmp_path / f"{n}.jpg", scene((128, 96) if n < large else (64, 48))) for n in range(3)]
    frames, states = read(paths)
    assert {(frame.planes.width_px, frame.planes.height_px) for frame in frames} == {(64, 48)}
    assert states[-1].detail == (said and said.format(tmp_path) + " that half of the width and height was read")


def test_a_jpeg_may_hold_a_whole_thumbnail_and_still_be_cut(tmp_path):
    pillow = pytest.importorskip("PIL.Image")
    write(tmp_path / "thumb.jpg", scene((16, 12)))
    exif = pillow.Exif()
    exif[0x9286] = (tmp_path / "thumb.jpg").read_bytes()
    pillow.fromarray(scene()).save(tmp_path / "a.jpg", exif=exif)
    read_still(tmp_path / "a.jpg")
    data = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(data[:-40])
    with pytest.raises(PictureError, match="damaged or cut off"):
        read_still(tmp_path / "a.jpg")


def test_what_follows_a_jpeg_does_no_harm(tmp_path):
    path = write(tmp_path / "a.jpg", scene())
    path.write_bytes(path.read_bytes() + bytes(5000))
    assert read_still(path).bgr.shape[1] == 64


def test_a_series_without_a_picture_fails_with_the_first_reason(tmp_path):
    frames, states = read([broken(tmp_path / "0.jpg", "empty"), broken(tmp_path / "1.jpg", "text")])
    assert (frames, states[-1].state, states[-1].reason) == ([], "failed", "not_a_video")
    assert f"none of its 2 pictures; the first: {tmp_path / '0.jpg'} is not a picture but empty: " in states[-1].detail
    _, states = read([broken(tmp_path / "2.jpg", "gone")])
    assert (states[-1].reason, states[-1].detail) == (
        "not_found",
        f"{tmp_path / '2.jpg'} cannot be read (No such file or directory): check the path",
    )


def test_a_series_is_turned_stretched_and_dated_as_a_video_is(tmp_path):
    paths = tuple(write(tmp_path / f"{n}.png", scene()) for n in range(2))
    reading = Reading(Appearance(rotate=90, aspect="16:9"), started_ns=1_000, clock="start_time")
    with SeriesDecoder(Recording("seq", tmp_path, paths, 10.0, reading)) as decoder:
        items = list(decoder)
    frames = [item for item in items if isinstance(item, Frame)]
    assert {(frame.planes.width_px, frame.planes.height_px) for frame in frames} == {(48, 86)}
    assert [frame.time.recorded_ns for frame in frames] == [1_000, 100_001_000]
    assert (items[-1].started_ns, items[-1].clock) == (1_000, "start_time")
    shown = bgr_from_planes(frames[0].planes)
    assert shown[5, -5].argmax() == 2, "what was at the top left is at the top right"
