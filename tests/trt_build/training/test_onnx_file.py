from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")
from torch import nn  # noqa: E402

from trt_build.training.onnx_file import parity_of, round_to_half, save_checked, store_in_half, write_onnx  # noqa: E402


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 24, 3), nn.ReLU(), nn.Conv2d(24, 24, 3), nn.Flatten(), nn.Linear(24 * 36, 1)).eval()


@pytest.fixture
def written(tmp_path):
    made, path = network(), tmp_path / "some.onnx"
    round_to_half(made)
    write_onnx(made, torch.zeros(2, 2, 10, 10), path, ("seen", ["said"]), {0: torch.export.Dim("count", min=1)})
    return made, path


def test_weights_in_half_precision_take_half_the_place_and_compute_the_same(written):
    made, path = written
    before = path.stat().st_size
    inputs = [np.random.default_rng(n).normal(size=(n, 2, 10, 10)).astype(np.float32) for n in (1, 3)]
    store_in_half(path)
    assert path.stat().st_size < 0.7 * before
    assert parity_of(made, path, inputs).max_abs_error < 1e-5
    kinds = {tensor.name: tensor.data_type for tensor in onnx.load(str(path)).graph.initializer}
    assert onnx.TensorProto.FLOAT16 in kinds.values()
    assert onnxruntime.InferenceSession(str(path)).get_inputs()[0].type == "tensor(float)"


def test_what_is_small_stays_as_it_is(written):
    _, path = written
    before = onnx.load(str(path))
    store_in_half(path, least=10**6)
    assert onnx.load(str(path)) == before


def test_a_model_that_is_not_valid_takes_nobodys_place(written):
    """It used to be written first and checked afterwards."""
    _, path = written
    before = path.read_bytes()
    model = onnx.load(str(path))
    model.graph.node[0].input[0] = "nobody"
    with pytest.raises(onnx.checker.ValidationError, match="nobody"):
        save_checked(model, path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]
