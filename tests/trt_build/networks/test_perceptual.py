"""Distances of features: of dlib's network, and of VGG networks read from a path."""

import pytest

torch = pytest.importorskip("torch", reason="feature networks are torch modules")

from trt_build.errors import RecipeError  # noqa: E402
from trt_build.networks.perceptual import DlibFeatures, PerceptualLoss, VggFeatures, build_features  # noqa: E402
from trt_build.recipes.losses import PerceptualSpec  # noqa: E402


def random_vgg16(path):
    generator, state, channels, index = torch.Generator().manual_seed(0), {}, 3, 0
    for entry in (64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M"):
        if entry == "M":
            index += 1
            continue
        state[f"features.{index}.weight"] = torch.randn(entry, channels, 3, 3, generator=generator) / (3 * channels**0.5)
        state[f"features.{index}.bias"] = torch.randn(entry, generator=generator) / 10
        channels, index = entry, index + 2
    state["classifier.0.weight"] = torch.zeros(1)
    torch.save(state, path)
    return state


@pytest.mark.parametrize("distance", ["l1", "mse"])
def test_equal_pictures_are_not_apart_and_gradients_reach_the_result_alone(distance):
    loss = PerceptualLoss(PerceptualSpec(weight=1.0, distance=distance))
    truth = torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(1))
    result, wanted = (truth + 0.05).requires_grad_(), truth.clone().requires_grad_()
    assert loss(truth, truth).item() == 0
    near, far = loss(result, wanted), loss(truth + 0.4 * torch.rand_like(truth), truth)
    near.backward()
    assert 0 < near.item() < far.item()
    assert result.grad.abs().max() > 0
    assert wanted.grad is None
    assert not any(parameter.requires_grad for parameter in loss.parameters())


def test_dlibs_features_are_those_inside_its_embedding():
    features = DlibFeatures(("0", "14"))
    faces = torch.rand(1, 1, 150, 150)
    first, last = features(faces)
    assert first.shape == (1, 32, 35, 35)
    network = features._network
    torch.testing.assert_close(network(255 * faces), last.mean(dim=(2, 3)) @ network.projection)


def test_vgg_is_torchvisions_layer_by_layer(tmp_path):
    state = random_vgg16(tmp_path / "vgg16.pth")
    spec = PerceptualSpec(weight=1.0, network="vgg16", layers=("1_2", "2_1"), weights=str(tmp_path / "vgg16.pth"))
    luma = torch.rand(2, 1, 16, 24)
    first, second = build_features(spec)(luma)
    mean = torch.tensor([0.485, 0.456, 0.406]).reshape(1, 3, 1, 1)
    deviation = torch.tensor([0.229, 0.224, 0.225]).reshape(1, 3, 1, 1)

    def convolved(x, index):
        return torch.nn.functional.conv2d(x, state[f"features.{index}.weight"], state[f"features.{index}.bias"], padding=1)

    x = convolved(((luma.expand(-1, 3, -1, -1) - mean) / deviation), 0)
    x = convolved(x.relu(), 2)
    torch.testing.assert_close(first, x)
    torch.testing.assert_close(second, convolved(torch.nn.functional.max_pool2d(x.relu(), 2), 5))


def test_missing_and_foreign_weights_are_one_sentence(tmp_path):
    with pytest.raises(RecipeError, match=r"weights of vgg19.*nowhere\.pth.*network: dlib, which needs none"):
        VggFeatures("vgg19", ("5_4",), tmp_path / "nowhere.pth")
    random_vgg16(tmp_path / "vgg16.pth")
    with pytest.raises(RecipeError, match="is not a state dict of vgg19"):
        VggFeatures("vgg19", ("5_4",), tmp_path / "vgg16.pth")
    with pytest.raises(RecipeError, match="vgg16 has no 7_1"):
        VggFeatures("vgg16", ("7_1",), tmp_path / "vgg16.pth")
