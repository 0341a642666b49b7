import struct
import subprocess
import sys
import zlib

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.client import Gap, Received
from engine.client.limits import Limits
from engine.client.received import Malformed, parse
from engine.client.sequence import Sequence
from engine.contracts.messages import encode_header, topic_of
from engine.errors import FatalError
from tests.publish.samples import as_sent, end, environment, face, pictures, stream_event, track


def frames_of(message, payloads):
    message = as_sent(message)
    return [topic_of(message).encode(), encode_header(message), *payloads]


def changed(frames, **fields):
    header = msgspec.msgpack.decode(frames[1]) | fields
    return [frames[0], msgspec.msgpack.encode(header), *frames[2:]]


def test_pictures_and_embedding_come_back():
    received = parse(frames_of(*face(codec="png")))
    original, enhanced = pictures()
    np.testing.assert_array_equal(received.image("original"), original)
    assert np.abs(received.image().astype(int) - enhanced).max() <= 6, "the mark in its pixels, and nothing else"
    np.testing.assert_array_equal(received.embedding(), np.linspace(-1, 1, 128, dtype=np.float32))
    assert received.embedding().dtype == np.float32


def test_a_part_that_is_not_carried_is_said():
    with pytest.raises(LookupError, match="carries embedding, not 'track'"):
        parse(frames_of(*track())).image()
    with pytest.raises(LookupError, match="carries no parts"):
        parse(frames_of(end(), [])).embedding()
    broken = Received(as_sent(face()[0]), [b"not a picture"] * 3)
    with pytest.raises(ValueError, match="is not a picture"):
        broken.image()


@pytest.mark.parametrize("form", [{"dtype": "float16"}, {"codec": "zstd"}, {"shape": [64]}, {"shape": []}, {"shape": [2, 64]}])
def test_an_embedding_in_the_form_of_a_later_version_is_not_misread(form):
    frames = frames_of(*track())
    (part,) = parse(frames).parts
    changed_part = msgspec.to_builtins(part) | form
    with pytest.raises(ValueError, match="not raw float32"):
        parse(changed(frames, parts=[changed_part])).embedding()


def test_the_picture_of_a_track_comes_back():
    received = parse(frames_of(*track(frames=(3, 1))))
    assert [frame.frame_index for frame in received.message.picture.frames] == [3, 1]
    np.testing.assert_array_equal(received.image(), received.image("track"))
    assert received.image("agreement").shape == received.image().shape == (128, 128, 3)


def test_what_a_later_version_calls_its_parts_and_reasons_is_read_as_text():
    frames = frames_of(*track(frames=(3, 1)))
    parts = msgspec.msgpack.decode(frames[1])["parts"]
    basis = {"faces": 1, "faces_needed": 3, "size_px": 9.0, "size_needed_px": None, "quality": 0.5, "margin": None,
             "margin_needed": 0.1, "missing": "light"}  # fmt: skip
    parts[-1] |= {"name": "depth", "codec": "webp"}
    received = parse(changed(frames, parts=parts, basis=basis))
    assert (received.parts[-1].codec, received.message.basis.missing) == ("webp", "light")
    assert received.payload("depth") == frames[-1]
    said = parse(changed(frames_of(stream_event(state="failed"), []), reason="stolen", clock="sun")).message
    assert (said.reason, said.clock) == ("stolen", "sun")
    with pytest.raises(Malformed, match="decision"):
        parse(changed(frames, decision="perhaps"))


def test_the_picture_of_a_face_that_passed_through_is_its_original():
    original, _ = pictures()
    message, payloads = face(codec="png")
    passed = msgspec.structs.replace(message, enhanced=None, parts=message.parts[1:])
    received = parse(frames_of(passed, payloads[1:]))
    np.testing.assert_array_equal(received.image(), original)
    with pytest.raises(LookupError, match="carries original, embedding, not 'enhanced'"):
        received.image("enhanced")


def png_of(width, height):
    """A PNG file that says it is so large, and holds next to nothing."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = b"IDAT" + zlib.compress(bytes(100))
    chunks = (struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body)) for body in (header, data, b"IEND"))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def jpeg_of(width, height):
    return (
        b"\xff\xd8\xff\xfe\x00\x06bomb\xff\xff\xc0\x00\x0b\x08"
        + struct.pack(">HH", height, width)
        + b"\x01\x01\x11\x00\xff\xda"
    )


@pytest.mark.parametrize(
    "file", [png_of(30_000, 30_000), jpeg_of(65_000, 65_000), png_of(2**31 - 1, 1), jpeg_of(10_000, 5_001)]
)
def test_a_picture_of_too_many_pixels_is_not_decoded(file):
    body, payloads = face()
    with pytest.raises(ValueError, match=r"a picture of \d+x\d+, more than the 50,000,000 pixels .* \(max_picture_px\)"):
        Received(as_sent(body), [file, *payloads[1:]]).image()


CUT = [b"\xff\xd8", b"\xff\xd8\xff", b"\xff\xd8" + b"\xff" * 9, png_of(9, 9)[:20], jpeg_of(9, 9)[:14]]


@pytest.mark.parametrize("file", [b"", b"GIF89a" + bytes(50), b"RIFF\0\0\0\0WEBPVP8 ", b"\xff\xd8abcd", *CUT])
def test_what_is_neither_jpeg_nor_png_is_not_decoded(file):
    body, payloads = face()
    with pytest.raises(ValueError, match="the part 'enhanced' of this message is not a picture: "):
        Received(as_sent(body), [file, *payloads[1:]]).image()


@pytest.mark.parametrize("codec", ["jpeg", "png"])
def test_the_limit_on_pixels_is_inclusive(codec):
    body, payloads = face(codec=codec)
    message = as_sent(body)
    assert Received(message, payloads, limits=Limits(picture_px=128 * 128)).image().shape == (128, 128, 3)
    with pytest.raises(ValueError, match="a picture of 128x128, more than the 16,383 pixels"):
        Received(message, payloads, limits=Limits(picture_px=128 * 128 - 1)).image()


def test_fields_of_a_later_version_are_ignored():
    frames = frames_of(*face())
    assert parse(changed(frames, liveness=0.7)).message == parse(frames).message


def test_another_version_of_the_wire_is_a_clear_error():
    with pytest.raises(FatalError, match="publisher speaks 'facestream/2' and this client 'facestream/1'"):
        parse(changed(frames_of(*face()), schema="facestream/2"))
    with pytest.raises(FatalError, match="publisher speaks 'facestream/2'"):
        parse([b"v2/x/", msgspec.msgpack.encode({"schema": "facestream/2", "kind": "face", "all": "new"})])


@pytest.mark.parametrize(
    ("frames", "reason"),
    [
        ([b"v1/face/"], "1 frames"),
        (frames_of(*face())[:-1], "2 payloads, and the header describes 3"),
        ([*frames_of(*face())[:-1], b"other"], "'embedding' does not have the SHA-256"),
        (changed(frames_of(*face()), stream="../../etc"), "is not usable in a topic"),
        (changed(frames_of(*face()), kind="gossip"), "not readable"),
        (changed(frames_of(*face()), box="large"), "not readable"),
    ],
)
def test_what_is_no_message_says_why(frames, reason):
    with pytest.raises(Malformed, match=reason):
        parse(frames)


@given(st.lists(st.binary(max_size=60), max_size=4))
def test_noise_is_malformed_and_nothing_else(frames):
    with pytest.raises(Malformed):
        parse(frames)


def test_a_gap_has_a_length():
    assert len(Gap("cam1", "face", 3, 7)) == 5


def test_the_client_loads_neither_opencv_nor_models():
    heavy = {"cv2", "onnxruntime", "torch", "av", "yaml"}
    code = f"import sys, engine.client; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("number", [-1, -(2**63), 2**62 + 1, 2**63 - 1, 2**64 - 1])
def test_numbers_of_which_nobody_can_count_what_lies_between_are_refused(number):
    with pytest.raises(Malformed, match="the header is not readable"):
        parse(changed(frames_of(*face()), seq=number))
    with pytest.raises(Malformed, match="the header is not readable"):
        parse(changed(frames_of(end(), []), last_seq={"face/cam1": number}))
    last = parse(changed(frames_of(end(), []), last_seq={"face/cam1": 2**62})).message
    ((_, _, missing),) = Sequence(from_start=True).missing_at_end(last)
    assert len(missing) == 2**62 + 1


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 1e308, -301.0])
def test_a_ratio_that_no_number_can_tell_is_refused(value):
    candidate = {"identity": "Eve", "cosine_original": 0.5, "log10_lr": value}
    with pytest.raises(Malformed, match="the header is not readable"):
        parse(changed(frames_of(*face()), candidates=[candidate]))
    parse(changed(frames_of(*face()), candidates=[candidate | {"log10_lr": 300.0}]))


@pytest.mark.parametrize("value", [float("nan"), float("-inf"), 1e308])
@pytest.mark.parametrize("place", ["quality", "candidates"])
def test_a_number_with_which_nobody_can_compute_is_refused(place, value):
    header = msgspec.msgpack.decode(frames_of(*face())[1])
    odd = header["quality"] | {"size_px": value} if place == "quality" else [{"identity": "Eve", "cosine_original": value}]
    with pytest.raises(Malformed, match="the header is not readable"):
        parse(changed(frames_of(*face()), **{place: odd}))
