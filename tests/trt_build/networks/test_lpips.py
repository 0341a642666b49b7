"""LPIPS over random weights: a distance, and equal to torchmetrics' own computation of it."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="LPIPS runs on torch")
pytest.importorskip("torchmetrics", reason="LPIPS takes its heads from torchmetrics")

from engine.errors import ModelError  # noqa: E402
from trt_build.networks.lpips import Lpips, _alexnet, _vgg16  # noqa: E402

BUILD = {"alex": _alexnet, "vgg": _vgg16}


def random_weights(backbone):
    torch.manual_seed(0)
    layers, _ = BUILD[backbone]()
    state = {f"features.{key}": value for key, value in layers.state_dict().items()}
    return layers, state | {"classifier.1.weight": torch.zeros(3, 3)}


@pytest.fixture(params=["alex", "vgg"])
def model(request, tmp_path):
    path = tmp_path / "weights.pth"
    torch.save(random_weights(request.param)[1], path)
    return Lpips(path)


def pictures(seed, count=3):
    return np.random.default_rng(seed).integers(0, 256, (count, 64, 48), dtype=np.uint8)


def test_it_is_a_distance(model):
    one, other = pictures(0), pictures(1)
    found = model(one, other)
    assert found.shape == (3,)
    assert (found > 0).all()
    np.testing.assert_allclose(model(other, one), found, rtol=1e-5)
    np.testing.assert_array_equal(model(one, one), 0)


@pytest.mark.parametrize("backbone", ["alex", "vgg"])
def test_it_is_torchmetrics_distance(backbone, tmp_path, monkeypatch):
    theirs = pytest.importorskip("torchmetrics.functional.image.lpips", reason="compares with torchmetrics")
    layers, state = random_weights(backbone)
    torch.save(state, tmp_path / "weights.pth")
    monkeypatch.setattr(theirs, "_get_tv_model_features", lambda *_, **__: layers)
    reference = theirs._LPIPS(pretrained=True, net=backbone)
    one, other = (torch.rand(2, 3, 64, 64) * 2 - 1 for _ in range(2))
    with torch.inference_mode():
        found = Lpips(tmp_path / "weights.pth").distance(one, other)
        torch.testing.assert_close(found, reference(one, other).flatten(), rtol=1e-4, atol=1e-6)


def test_pictures_that_are_too_small_have_none(model):
    assert np.isfinite(model(pictures(0)[:, :32, :32], pictures(1)[:, :32, :32])).all()
    assert np.isnan(model(pictures(0)[:, :31], pictures(1)[:, :31])).all()


def test_wrong_files_are_named(tmp_path):
    with pytest.raises(ModelError, match=r"no LPIPS weights .*none\.pth"):
        Lpips(tmp_path / "none.pth")
    path = tmp_path / "bad.pth"
    path.write_bytes(b"not torch")
    with pytest.raises(ModelError, match=r"bad\.pth' is not a state dict"):
        Lpips(path)
    torch.save([1, 2], path)
    with pytest.raises(ModelError, match="holds a list"):
        Lpips(path)
    torch.save({"layer.weight": torch.zeros(1)}, path)
    with pytest.raises(ModelError, match=r"torchvision's layout"):
        Lpips(path)
    torch.save({"features.0.weight": torch.zeros(64, 3, 11, 11)}, path)
    with pytest.raises(ModelError, match="is not alex"):
        Lpips(path)
