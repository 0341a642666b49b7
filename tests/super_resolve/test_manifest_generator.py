from __future__ import annotations

import json
from collections import Counter

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.contracts.manifest import SizeRule
from engine.contracts.profile import Profile
from engine.errors import InferenceError, ModelError
from engine.models.catalog import embedded_dir
from engine.sessions.session import RUNTIMES, SessionSpec
from engine.super_resolve import manifest_generator
from engine.super_resolve.manifest_generator import ManifestGenerator
from tests.crop.photographs import planes_of
from tests.sessions.processors import need
from tests.super_resolve.networks import RecordingSession, describe, write_network

random = np.random.default_rng(5)
SIZES = [(24, 24), (31, 17), (1, 1), (40, 7), (24, 24)]


def noise(*shape: int) -> np.ndarray:
    return random.integers(0, 256, shape, np.uint8)


def repeated(picture: np.ndarray, scale: int = 4) -> np.ndarray:
    return picture.repeat(scale, 0).repeat(scale, 1)


@pytest.fixture(params=RUNTIMES)
def runtime(request):
    need(request.param)
    return request.param


@pytest.fixture
def session(monkeypatch):
    recording = RecordingSession()
    monkeypatch.setattr(manifest_generator, "open_fastest", lambda *_, **__: recording)
    return recording


def test_pictures_are_padded_to_the_sizes_that_pay(session):
    """Where each new size costs a runtime more than the padding: faces of nearly one size share what was made for it."""
    session.profile = Profile(1, 1, 1, step_px=8)
    generator = ManifestGenerator(SessionSpec(embedded_dir() / "compact_fine_x4.json"))
    session.shapes.clear()
    pictures = [noise(height, width) for height, width in ((33, 40), (35, 38), (40, 33), (41, 40))]
    enlarged = generator.upscale(pictures)
    assert [picture.shape for picture in enlarged] == [(132, 160), (140, 152), (160, 132), (164, 160)]
    assert Counter(shape[2:] for shape in session.shapes) == {(40, 40): 3, (48, 40): 1}


def test_a_bicubic_network_equals_opencv_on_a_real_face(tmp_path, runtime):
    generator = ManifestGenerator(SessionSpec(write_network(tmp_path, mode="cubic"), runtime))
    face = np.ascontiguousarray(planes_of("astronaut").y[60:180:3, 170:275:3])
    (enlarged,) = generator.upscale([face])
    expected = cv2.resize(face, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    inner = np.s_[8:-8, 8:-8]  # ONNX and OpenCV treat the border differently
    assert np.abs(enlarged[inner].astype(int) - expected[inner]).max() <= 1
    assert generator.runtime.startswith(runtime)
    generator.close()


def test_pictures_of_any_size_come_back_in_their_order(tmp_path, runtime):
    pictures = [noise(*size) for size in SIZES]
    generator = ManifestGenerator(SessionSpec(write_network(tmp_path), runtime))
    for picture, enlarged in zip(pictures, generator.upscale(pictures), strict=True):
        assert enlarged.dtype == np.uint8
        assert np.abs(enlarged.astype(int) - repeated(picture)).max() <= (0 if runtime == "onnxruntime" else 1)
    assert generator.upscale([]) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"value_range": (-1.0, 1.0)},
        {"value_range": (0.0, 255.0)},
        {"value_range": (0.0, 255.0), "dtype": "uint8"},
        {"dtype": "float16"},
        {"value_range": (-1.0, 1.0), "dtype": "float16"},
        {"channels": 3, "colour": "rgb"},
        {"channels": 3, "colour": "bgr", "value_range": (-1.0, 1.0)},
    ],
)
def test_ranges_and_types_map_pixels_onto_themselves(tmp_path, fields):
    generator = ManifestGenerator(SessionSpec(write_network(tmp_path, **fields), "onnxruntime"))
    every_value = np.arange(256, dtype=np.uint8).reshape(16, 16)
    if fields.get("channels") == 3:
        every_value = np.dstack([every_value, every_value[::-1], every_value.T])
    (enlarged,) = generator.upscale([every_value])
    assert np.array_equal(enlarged, repeated(every_value))
    assert generator.colour == ("bgr" if every_value.ndim == 3 else "luma")


@pytest.mark.parametrize(("colour", "silenced"), [("rgb", 2), ("bgr", 0)])
def test_the_first_channel_of_a_colour_network_is_the_one_it_names(tmp_path, colour, silenced):
    path = write_network(tmp_path, channels=3, colour=colour, gain=[0.0, 1.0, 1.0])
    picture = noise(9, 12, 3)
    (enlarged,) = ManifestGenerator(SessionSpec(path, "onnxruntime")).upscale([picture])
    expected = repeated(picture)
    expected[:, :, silenced] = 0
    assert np.array_equal(enlarged, expected)


@pytest.mark.parametrize(("offset", "value"), [(2.0, 255), (-2.0, 0)])
def test_overshoot_is_clamped(tmp_path, offset, value):
    (enlarged,) = ManifestGenerator(SessionSpec(write_network(tmp_path, offset=offset), "onnxruntime")).upscale([noise(8, 8)])
    assert (enlarged == value).all()


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30)), max_size=8),
    minimum=st.integers(1, 40),
    multiple_of=st.integers(1, 16),
    batch=st.tuples(st.integers(1, 4), st.integers(0, 4)),
    device=st.sampled_from(["cpu", "cuda:0"]),
    channels=st.sampled_from([1, 3]),
)
def test_padding_and_batching_change_no_pixel(tmp_path_factory, sizes, minimum, multiple_of, batch, device, channels):
    rule = SizeRule(minimum, multiple_of)
    smallest, largest = batch[0], sum(batch)
    profile = Profile(smallest, smallest, largest).on(device)
    recording = RecordingSession(2, profile)
    path = describe_any(tmp_path_factory, rule, (smallest, smallest, largest), channels)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_generator, "open_fastest", lambda *_, **__: recording)
        generator = ManifestGenerator(SessionSpec(path))
    recording.shapes.clear()
    pictures = [noise(*size, 3) if channels == 3 else noise(*size) for size in sizes]
    for picture, enlarged in zip(pictures, generator.upscale(pictures), strict=True):
        assert np.array_equal(enlarged, repeated(picture, 2))
    for count, depth, height, width in recording.shapes:
        assert smallest <= count <= largest
        assert depth == channels
        assert min(height, width) >= minimum
        assert height % multiple_of == width % multiple_of == 0
    buckets = Counter((rule.padded(height), rule.padded(width)) for height, width in sizes)
    assert len(recording.shapes) == sum(-(-count // profile.best) for count in buckets.values())


def describe_any(tmp_path_factory, rule, batch, channels):
    path = tmp_path_factory.mktemp("model") / "any.onnx"
    path.write_bytes(b"not read")
    colour = "rgb" if channels == 3 else "luma"
    return describe(path, scale=2, size_rule=rule, batch=batch, channels=channels, colour=colour)


def test_close_frees_the_session(tmp_path, session):
    generator = ManifestGenerator(SessionSpec(write_network(tmp_path)))
    assert not session.closed
    generator.close()
    assert session.closed


def test_what_is_not_a_number_is_an_error_and_not_a_black_face(tmp_path, session):
    generator = ManifestGenerator(SessionSpec(write_network(tmp_path)))
    session.run = lambda tensors: [np.full((1, 1, 32, 32), np.nan, np.float32)]
    with pytest.raises(InferenceError, match="not numbers"):
        generator.upscale([noise(8, 8)])


def test_a_model_is_opened_by_its_onnx_file_too(tmp_path):
    write_network(tmp_path, name="mine")
    generator = ManifestGenerator(SessionSpec(tmp_path / "mine.onnx", "onnxruntime"))
    manifest = json.loads((tmp_path / "mine.json").read_text())
    assert (generator.name, generator.scale, generator.licence) == ("mine", 4, "CC0-1.0")
    assert generator.sha256 == manifest["sha256"]


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ({"kind": "detector"}, "describes a detector, a generator is needed"),
        ({"channels": 3}, "channels 3 and colour luma do not agree"),
        ({"colour": "rgb", "network_channels": 1}, "channels 1 and colour rgb do not agree"),
        ({"network_channels": 3}, r"\(1x1x8x8"),
        ({"network_scale": 2}, r"returned \(1, 1, 16, 16\) where its manifest promises \(1, 1, 32, 32\)"),
        ({"scale": 0}, "scale 0"),
        ({"batch": (4, 2, 1)}, "batch"),
        ({"value_range": (1.0, 0.0)}, "value_range"),
        ({"dtype": "float16", "offset": 1e9}, "not numbers"),
    ],
)
def test_a_manifest_that_does_not_fit_is_found_out_at_the_start(tmp_path, fields, match):
    with pytest.raises(ModelError, match=match):
        ManifestGenerator(SessionSpec(write_network(tmp_path, **fields), "onnxruntime"))


def test_a_fixed_batch_is_filled_up(tmp_path):
    generator = ManifestGenerator(SessionSpec(write_network(tmp_path, network_batch=3, batch=(3, 3, 3)), "onnxruntime"))
    pictures = [noise(8, 8), noise(5, 6)]
    for picture, enlarged in zip(pictures, generator.upscale(pictures), strict=True):
        assert np.array_equal(enlarged, repeated(picture))


def test_missing_and_corrupt_files(tmp_path):
    with pytest.raises(ModelError, match=r"cannot read the model manifest .*gone\.json"):
        ManifestGenerator(SessionSpec(tmp_path / "gone.json"))
    with pytest.raises(ModelError, match=r"no model file .*gone\.onnx"):
        ManifestGenerator(SessionSpec(tmp_path / "gone.onnx"))
    bare = tmp_path / "bare.onnx"
    bare.write_bytes(b"\x08\x01 no network")
    with pytest.raises(ModelError, match=r'bare\.onnx has no manifest: write .*bare\.json with at least \{"name": "bare"'):
        ManifestGenerator(SessionSpec(bare))
    with pytest.raises(ModelError, match="cannot be loaded"):
        ManifestGenerator(SessionSpec(describe(bare), "onnxruntime"))
    path = write_network(tmp_path, name="changed")
    (tmp_path / "changed.onnx").write_bytes(b"other")
    with pytest.raises(ModelError, match="SHA-256 differs"):
        ManifestGenerator(SessionSpec(path))


def test_the_manifest_that_the_message_asks_for_is_enough(tmp_path):
    write_network(tmp_path, name="own")
    (tmp_path / "own.json").unlink()
    with pytest.raises(ModelError) as caught:
        ManifestGenerator(SessionSpec(tmp_path / "own.onnx"))
    text = str(caught.value)
    (tmp_path / "own.json").write_text(text[text.index("{") : text.index("}") + 1])
    assert ManifestGenerator(SessionSpec(tmp_path / "own.onnx", "onnxruntime")).scale == 4
