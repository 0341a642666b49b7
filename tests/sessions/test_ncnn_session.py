"""ncnn behind the one session: the same numbers, any size, and a sentence for what it cannot open."""

import io
import zipfile

import numpy as np
import pytest

pytest.importorskip("ncnn", reason="needs the extra ncnn")
pytest.importorskip("pnnx", reason="needs the extra ncnn-build")

from engine.errors import ConfigError, InferenceError, ModelError
from engine.sessions.ncnn_session import WEIGHTS
from engine.sessions.session import SessionSpec, open_session
from tests.trt_build.engines.networks import embedder_model, generator_model
from trt_build.engines.ncnn_files import ncnn_container

ANY_SIZE = ((1, 1, 16, 16), (8, 1, 32, 32), (64, 1, 96, 96))


@pytest.fixture(scope="module")
def container():
    return ncnn_container(generator_model(), "tiny", ANY_SIZE)[0]


@pytest.fixture
def session(container):
    with open_session(SessionSpec(container, "ncnn", name="tiny")) as session:
        yield session


@pytest.mark.parametrize("shape", [(1, 1, 32, 32), (1, 1, 17, 40), (3, 1, 8, 9), (1, 1, 1, 1)])
def test_it_computes_what_onnx_runtime_computes(session, shape):
    picture = np.random.default_rng(0).random(shape, np.float32)
    with open_session(SessionSpec(generator_model().SerializeToString())) as reference:
        (expected,) = reference.run({"luma": picture})
    (found,) = session.run({"luma": picture})
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=2e-6)


def test_it_says_what_it_is(session):
    assert session.runtime.startswith("ncnn ")
    assert session.runtime.endswith("CPU float32")
    assert str(session.inputs[0]) == "luma (?x1x?x?, float32)"
    assert [spec.name for spec in session.outputs] == ["enhanced"]
    assert session.profile.best == 1


def test_pixels_are_cast_outside(tmp_path):
    from onnx import TensorProto

    model = embedder_model(TensorProto.UINT8)
    content, _ = ncnn_container(model, "tiny", ((1, 3, 4, 4), (8, 3, 4, 4), (64, 3, 4, 4)))
    chips = np.random.default_rng(0).integers(0, 255, (2, 3, 4, 4), np.uint8)
    with (
        open_session(SessionSpec(content, "ncnn")) as session,
        open_session(SessionSpec(model.SerializeToString())) as reference,
    ):
        assert session.inputs[0].dtype == np.uint8
        np.testing.assert_allclose(session.run({"chip": chips})[0], reference.run({"chip": chips})[0], rtol=1e-4, atol=1e-3)


def test_results_belong_to_the_caller(session):
    first = session.run({"luma": np.zeros((1, 1, 16, 16), np.float32)})[0]
    kept = first.copy()
    session.run({"luma": np.ones((1, 1, 16, 16), np.float32)})
    np.testing.assert_array_equal(first, kept)


def test_a_wrong_tensor_is_named(session):
    with pytest.raises(InferenceError, match=r"tiny: input tensor luma, got luma \(1x3x16x16, float32\)"):
        session.run({"luma": np.zeros((1, 3, 16, 16), np.float32)})


def without(container, member):
    held = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(container)) as source, zipfile.ZipFile(held, "w") as target:
        for name in source.namelist():
            if name != member:
                target.writestr(name, source.read(name))
    return held.getvalue()


@pytest.mark.parametrize("damage", ["empty", "an ONNX file", "cut off", "flipped", "without weights"])
def test_what_is_no_container_is_refused_in_a_sentence(container, damage):
    middle = len(container) // 2
    content = {
        "empty": b"",
        "an ONNX file": generator_model().SerializeToString(),
        "cut off": container[:middle],
        "flipped": container[:middle] + bytes([container[middle] ^ 255]) + container[middle + 1 :],
        "without weights": without(container, WEIGHTS),
    }[damage]
    with pytest.raises(ModelError, match="tiny cannot be loaded by ncnn: it is damaged, or not what"):
        open_session(SessionSpec(content, "ncnn", name="tiny"))


def test_it_computes_in_float32_alone(container):
    with pytest.raises(ConfigError, match="ncnn computes tiny in float32, not in bfloat16"):
        open_session(SessionSpec(container, "ncnn", name="tiny", precision="bfloat16"))


def test_a_closed_session_says_so(container):
    session = open_session(SessionSpec(container, "ncnn", name="tiny"))
    session.close()
    with pytest.raises(InferenceError, match="tiny is closed"):
        session.run({"luma": np.zeros((1, 1, 8, 8), np.float32)})
