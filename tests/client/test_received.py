import subprocess
import sys

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.client import Gap, Received
from engine.client.received import Malformed, parse
from engine.contracts.messages import encode_header, topic_of
from engine.errors import FatalError
from tests.publish.samples import as_sent, end, environment, face, pictures, track


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
    np.testing.assert_array_equal(received.image(), enhanced)
    np.testing.assert_array_equal(received.embedding(), np.linspace(-1, 1, 128, dtype=np.float32))
    assert received.embedding().dtype == np.float32


def test_a_part_that_is_not_carried_is_said():
    with pytest.raises(LookupError, match="carries embedding, not 'enhanced'"):
        parse(frames_of(*track())).image()
    with pytest.raises(LookupError, match="carries no parts"):
        parse(frames_of(end(), [])).embedding()
    broken = Received(as_sent(face()[0]), [b"not a picture"] * 3)
    with pytest.raises(ValueError, match="is not a picture"):
        broken.image()


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
