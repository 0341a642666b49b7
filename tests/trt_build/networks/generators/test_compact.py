"""The compact generator: bicubic at step 0, exact, of any size."""

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="generators are torch modules")

from trt_build.networks.generators.catalog import build_generator  # noqa: E402


@pytest.mark.parametrize(("height", "width"), [(32, 32), (17, 23), (1, 1), (5, 64)])
def test_starts_as_opencv_bicubic(height, width):
    luma = np.random.default_rng(0).random((height, width)).astype(np.float32)
    size = (4 * width, 4 * height)
    expected = cv2.resize(luma, size, interpolation=cv2.INTER_CUBIC)
    with torch.inference_mode():
        found = build_generator("compact", {})(torch.from_numpy(luma)[None, None]).numpy()[0, 0]
    assert found.shape == (4 * height, 4 * width)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_has_no_more_parameters_than_allowed():
    model = build_generator("compact", {})
    assert sum(p.numel() for p in model.parameters()) <= 500_000


def test_first_gradients_reach_the_last_convolution_only():
    model = build_generator("compact", {"width": 8, "blocks": 1})
    model(torch.rand(1, 1, 8, 8)).square().mean().backward()
    assert model.last.weight.grad.abs().sum() > 0
    assert model.head.weight.grad.abs().sum() == 0
