"""The sample clip: its ground truth must be what the pixels show."""

from __future__ import annotations

import errno
import os
from contextlib import closing
from pathlib import Path

import av
import cv2
import dlib
import numpy as np
import pytest

from engine.config import DetectConfig
from engine.crop.quality import assess
from engine.detect.catalog import open_detector
from engine.enrolment.judge import EnrolLimits, check_quality
from engine.errors import ConfigError, PublishError
from engine.pictures.colour import planes_from_bgr
from engine.sample.clip import SampleClip, render_sample
from engine.sample.people import PEOPLE
from engine.sample.scene import CYCLE_SECONDS, FPS, WAYS, Camera, walk
from engine.sample.truth import Truth, read_truth
from tests.assets import SHARED
from tests.e2e.truth import iou

SMALL = (320, 240)
YUNET = SHARED / "models" / "face_detection_yunet_2023mar.onnx"


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> SampleClip:
    return render_sample(tmp_path_factory.mktemp("sample") / "clip.mp4", seconds=5, seed=0, size_px=(640, 360))


@pytest.fixture(scope="module")
def truth(clip) -> Truth:
    return read_truth(clip.truth)


def test_the_video_is_what_was_asked_for(clip, truth):
    with av.open(str(clip.video)) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height, stream.average_rate) == (640, 360, FPS)
        assert stream.codec_context.name in ("h264", "mpeg4")
        frames = list(container.decode(stream))
    assert len(frames) == clip.frames == len(truth.frames) == 5 * FPS
    assert [frame.time for frame in frames[:3]] == [0, 1 / FPS, 2 / FPS]
    assert frames[0].colorspace == 6  # SMPTE 170M, the matrix of BT.601
    assert clip.video.stat().st_size < 5 * 900_000 / 8 * 1.5


def test_dlib_finds_the_faces_where_the_truth_has_them_and_no_others(clip, truth):
    detector = dlib.get_frontal_face_detector()
    found, expected, strangers = 0, 0, 0
    for index, frame in enumerate(av.open(str(clip.video)).decode(video=0)):
        if index % 12:
            continue
        seen = [(face.left(), face.top(), face.width(), face.height()) for face in detector(frame.to_ndarray(format="gray"), 1)]
        for face in truth.frames[index]:
            if face.box[2] >= 40 and face.visible > 0.95:
                expected += 1
                found += any(iou(face.box, box) > 0.4 for box in seen)
        strangers += sum(all(iou(face.box, box) < 0.2 for face in truth.frames[index]) for box in seen)
    assert expected > 20
    assert found >= 0.95 * expected
    assert strangers == 0


def test_truth_is_plausible(truth):
    assert set(truth.identities) >= {"astronaut", "person-a", "person-b", "person-c", "person-d"}
    for faces in truth.frames:
        names = [face.identity for face in faces]
        assert len(set(names)) == len(names)
        for face in faces:
            x, y, width, height = face.box
            assert 19 <= width <= 81
            assert 1.1 < height / width < 1.5
            assert 0 <= face.visible <= 1
            assert x < truth.width_px
            assert x + width > 0
            assert y < truth.height_px
            assert y + height > 0


def test_faces_move_by_less_than_a_fifth_of_themselves(truth):
    for before, after in zip(truth.frames, truth.frames[1:], strict=False):
        earlier = {face.identity: np.array(face.box) for face in before}
        for face in after:
            if face.identity in earlier:
                assert np.abs(face.box - earlier[face.identity]).max() < 0.2 * face.box[2]


def test_somebody_is_hidden_for_a_while_when_two_cross(truth):
    inside = [
        face.visible
        for faces in truth.frames
        for face in faces
        if face.box[0] > 0 and face.box[0] + face.box[2] < truth.width_px
    ]
    assert min(inside) < 0.3
    assert np.mean(np.array(inside) > 0.9) > 0.7


def test_each_enrolment_picture_shows_one_face(clip, truth):
    detector = dlib.get_frontal_face_detector()
    for name, relative in truth.identities.items():
        assert clip.truth.parent / relative == clip.enrolment[name]
        assert len(detector(cv2.imread(str(clip.enrolment[name]), cv2.IMREAD_GRAYSCALE), 1)) == 1, name


@pytest.mark.skipif(not YUNET.exists(), reason="needs the YuNet model of the shared folder (set FACESTREAM_SHARED)")
def test_each_enrolment_picture_is_taken_by_yunet_too(clip):
    """Its landmarks say that somebody looks aside where those of our own detector do not."""
    with closing(open_detector(DetectConfig(detector="yunet"), {"yunet": YUNET}.get)) as detector:
        for path in clip.enrolment.values():
            planes = planes_from_bgr(cv2.imread(str(path)), full_range=True)
            faces = detector.detect([planes])[0]
            best = int(faces.scores.argmax())
            quality = assess(planes, faces.boxes[best], faces.landmarks[best], float(faces.scores[best]))
            check_quality(path, quality, EnrolLimits())


def test_every_person_has_a_crop_without_the_others():
    for person in PEOPLE:
        x, y, width, height = person.enrolment_crop
        for other in PEOPLE:
            inside = other.photograph == person.photograph and iou(other.box, person.enrolment_crop) > 0
            middle = other.box[0] + other.box[2] / 2, other.box[1] + other.box[3] / 2
            contained = inside and x < middle[0] < x + width and y < middle[1] < y + height
            assert contained == (other is person)


def test_ways_cross_leave_and_return_and_begin_again():
    camera = Camera(1280, 720)
    frames = round(CYCLE_SECONDS * FPS)
    ways = {name: walk(camera, name, frames + 1) for name in WAYS}
    one, other = ways["crosses to the right"][:200, 0], ways["crosses to the left"][:200, 0]
    assert np.sign(one[0] - other[0]) == -np.sign(one[199] - other[199])
    column = ways["leaves and returns"][:, 0]
    outside = column > camera.width_px * 1.05
    assert not outside[0]
    assert outside.any()
    assert not outside[-1]
    widths = ways["approaches"][:, 1]
    assert widths.max() / widths.min() > 3
    for way in ways.values():
        np.testing.assert_allclose(way[0], way[-1], rtol=1e-6)


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(tmp_path):
    made = [
        render_sample(tmp_path / folder / "clip.mp4", seconds=0.4, seed=seed, size_px=SMALL)
        for folder, seed in (("a", 3), ("b", 3), ("c", 4))
    ]
    files = [[clip.video, clip.truth, *(clip.enrolment[name] for name in sorted(clip.enrolment))] for clip in made]
    first, again, different = [[path.read_bytes() for path in paths] for paths in files]
    assert first == again
    assert first[0] != different[0]
    assert first[1] != different[1]


def test_progress_reaches_the_end(tmp_path):
    seen = []
    render_sample(tmp_path / "clip.mkv", seconds=0.2, size_px=SMALL, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(number, 5) for number in range(1, 6)]


def test_where_there_is_a_clip_it_is_whole_and_the_rest_is_there(tmp_path):
    """What was killed left a clip that nothing could open, and that passed for the one that was wanted."""
    out, seen = tmp_path / "clip.mp4", []
    render_sample(out, seconds=0.2, size_px=SMALL, progress=lambda done, total: seen.append(out.exists()))
    assert seen == [False] * 5

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    before = sorted(path.name for path in tmp_path.iterdir()), out.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        render_sample(out, seconds=0.2, seed=5, size_px=SMALL, progress=stop)
    assert (sorted(path.name for path in tmp_path.iterdir()), out.read_bytes()) == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"seconds": 0}, "0 s cannot be rendered: use 0.04 to 3600 seconds"),
        ({"seconds": float("nan")}, "nan s cannot be rendered"),
        ({"size_px": (641, 360)}, "641x360 cannot be rendered: use even sides"),
        ({"size_px": (64, 48)}, "64x48 cannot be rendered"),
        ({"bits_per_second": 3}, "3 bits per second is not a sensible bit-rate"),
    ],
)
def test_wrong_arguments_are_named(tmp_path, arguments, says):
    with pytest.raises(ConfigError, match=says):
        render_sample(tmp_path / "clip.mp4", **arguments)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PublishError, match="cannot write the sample"):
        render_sample(tmp_path / "file" / "clip.mp4", seconds=0.1, size_px=SMALL)


def test_what_is_no_truth_is_named(tmp_path):
    with pytest.raises(ConfigError, match="cannot read the ground truth"):
        read_truth(tmp_path / "none.json")
    Path(tmp_path / "x.json").write_text("{}")
    with pytest.raises(ConfigError, match="is not the ground truth of a sample clip"):
        read_truth(tmp_path / "x.json")


@pytest.mark.parametrize("fits", [0, 3, 6])
@pytest.mark.parametrize("was_there", [False, True])
def test_a_disk_that_is_full_has_nothing_of_it(tmp_path, monkeypatch, fits, was_there):
    """It kept the folder with the pictures, some of them without an end."""
    written = []

    def write(path: Path, content: bytes) -> None:
        if len(written) == fits:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written.append(path)
        path.write_bytes(content)

    if was_there:
        (tmp_path / "a-enrol").mkdir()
        (tmp_path / "a-enrol" / "mine.png").write_bytes(b"mine")
    monkeypatch.setattr("engine.sample.clip.write_whole", write)
    with pytest.raises(PublishError, match="No space left on device"):
        render_sample(tmp_path / "a.mp4", seconds=0.1, size_px=SMALL)
    assert len(written) == fits
    assert [path.name for path in tmp_path.iterdir()] == (["a-enrol"] if was_there else [])
    assert (tmp_path / "a-enrol" / "mine.png").exists() == was_there
