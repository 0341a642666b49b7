import hashlib
import io

import cv2
import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from engine.config import PublishConfig
from engine.marking import declared_in, find_mark, sentence
from engine.pictures.encode import encode_picture
from engine.publish.encode import encode_enhanced, parts_of, track_parts_of
from tests.publish.samples import pictures


def decoded(payload):
    return cv2.imdecode(np.frombuffer(payload, np.uint8), cv2.IMREAD_COLOR)


@pytest.mark.parametrize(("codec", "magic"), [("jpeg", b"\xff\xd8"), ("png", b"\x89PNG")])
def test_parts_describe_their_payloads(codec, magic):
    original, enhanced = pictures()
    embedding = np.arange(128, dtype=np.float64)[::2]
    parts, payloads = parts_of(PublishConfig(codec=codec), original, enhanced, embedding, "compact_x4")
    assert [part.name for part in parts] == ["enhanced", "original", "embedding"]
    assert [part.codec for part in parts] == [codec, codec, "raw"]
    assert [part.shape for part in parts] == [(128, 128, 3), (32, 32, 3), (64,)]
    assert [part.dtype for part in parts] == ["uint8", "uint8", "float32"]
    assert [part.sha256 for part in parts] == [hashlib.sha256(payload).hexdigest() for payload in payloads]
    assert payloads[0].startswith(magic)
    np.testing.assert_array_equal(np.frombuffer(payloads[2], "<f4"), embedding)


def test_png_is_exact_and_jpeg_is_close():
    original, enhanced = pictures()
    _, exact = parts_of(PublishConfig(codec="png"), original, enhanced, None)
    np.testing.assert_array_equal(decoded(exact[0]), enhanced)
    np.testing.assert_array_equal(decoded(exact[1]), original)
    _, close = parts_of(PublishConfig(), original, enhanced, None)
    assert peak_signal_noise_ratio(enhanced, decoded(close[0]), data_range=255) > 32


@pytest.mark.parametrize("codec", ["jpeg", "png"])
def test_an_enhanced_picture_says_so_inside_and_the_original_does_not(codec):
    original, enhanced = pictures()
    _, (marked, plain) = parts_of(PublishConfig(codec=codec), original, enhanced, None, "compact_x4")
    assert b"AI-enhanced by facestream compact_x4; not for identification" in marked
    assert b"AI-enhanced" not in plain
    _, as_they_were = parts_of(PublishConfig(codec=codec), original, original, None)
    assert not any(b"AI-enhanced" in picture for picture in as_they_were)


@pytest.mark.parametrize("codec", ["jpeg", "png"])
def test_other_readers_find_the_sentence_and_the_same_pixels(codec):
    image = pytest.importorskip("PIL.Image")
    _, enhanced = pictures()
    config = PublishConfig(codec=codec, mark=False)
    said = encode_enhanced(config, enhanced, "compact_x4")
    with image.open(io.BytesIO(said)) as opened:
        comment = opened.info["comment" if codec == "jpeg" else "Comment"]
        assert b"compositeWithTrainedAlgorithmicMedia" in opened.info["xmp"]
        opened.load()
    assert (comment.decode() if isinstance(comment, bytes) else comment) == sentence("facestream compact_x4")
    np.testing.assert_array_equal(decoded(said), decoded(encode_picture(enhanced, codec, config.jpeg_quality)))


@pytest.mark.parametrize("codec", ["jpeg", "png"])
def test_enhanced_pictures_and_those_of_tracks_are_marked_and_nothing_else(codec):
    original, enhanced = pictures()
    embedding, config = np.zeros(4, np.float32), PublishConfig(codec=codec)
    agreement = np.full(enhanced.shape[:2], 200, np.uint8)
    parts, payloads = parts_of(config, original, enhanced, embedding, "compact_x4")
    of_track, track_payloads = track_parts_of(config, embedding, enhanced, agreement, "mean_x4")
    found = {
        part.name: (find_mark(decoded(payload)).is_found, declared_in(payload) is not None)
        for part, payload in zip(parts + of_track, payloads + track_payloads, strict=True)
        if part.codec == codec
    }
    assert found == {
        "enhanced": (True, True),
        "original": (False, False),
        "track": (True, True),
        "agreement": (False, False),
    }
    if codec == "png":
        assert (decoded(track_payloads[-1]) == 200).all(), "a map's values stay as they are"


def test_the_setting_leaves_the_pixels_as_they_are_and_the_file_still_says_it():
    original, enhanced = pictures()
    _, payloads = parts_of(PublishConfig(codec="png", mark=False), original, enhanced, None, "compact_x4")
    np.testing.assert_array_equal(decoded(payloads[0]), enhanced)
    assert declared_in(payloads[0]).is_enhanced


def test_what_is_missing_or_not_asked_for_is_left_out():
    original, enhanced = pictures()
    assert [part.name for part in parts_of(PublishConfig(), original, None, None)[0]] == ["original"]
    assert parts_of(PublishConfig(), None, None, None) == ([], [])
    assert parts_of(PublishConfig(parts=("enhanced",)), None, None, None) == ([], [])
    chosen = PublishConfig(parts=("original", "enhanced"))
    assert [part.name for part in parts_of(chosen, original, enhanced, np.zeros(4, np.float32))[0]] == ["original", "enhanced"]


@pytest.mark.parametrize("wanted", [("enhanced",), ("enhanced", "embedding"), ("original",), ("enhanced", "original")])
def test_a_face_that_passed_through_is_sent_once_as_it_is(wanted):
    """Its picture used to be encoded and sent twice, the second time as an enhanced one that it was not."""
    original, _ = pictures()
    parts, _ = parts_of(PublishConfig(parts=wanted), original, None, np.zeros(4, np.float32))
    assert [part.name for part in parts if part.name != "embedding"] == ["original"]


@pytest.mark.parametrize("redact", ["none", "blur", "vectors"])
def test_the_whole_picture_leaves_as_jpeg_unless_faces_are_hidden(redact):
    original, enhanced = pictures()
    scene = cv2.resize(original, (96, 54))
    config = PublishConfig(codec="png", redact=redact)
    parts, payloads = parts_of(config, original, enhanced, None, "compact_x4", is_known=True, scene_bgr=scene)
    shown = [(part, payload) for part, payload in zip(parts, payloads, strict=True) if part.name == "scene"]
    assert len(shown) == (redact == "none")
    for part, payload in shown:
        assert (part.codec, part.shape) == ("jpeg", (54, 96, 3))
        assert cv2.PSNR(cv2.imdecode(np.frombuffer(payload, np.uint8), cv2.IMREAD_COLOR), scene) > 25
