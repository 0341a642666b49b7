"""Pictures as torch takes them."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="tensors are torch's")

from trt_build.data.tensors import unit_tensor  # noqa: E402


def test_levels_become_shares_of_one_with_a_channel():
    made = unit_tensor(np.array([[[0, 51], [102, 255]]], np.uint8))
    assert made.shape == (1, 1, 2, 2)
    assert made.dtype == torch.float32
    assert made.flatten().tolist() == pytest.approx([0, 0.2, 0.4, 1])
