import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from trt_build.networks.grey_detector import GreyDetector  # noqa: E402
from trt_build.systems.detector.export import export_network  # noqa: E402
from trt_build.systems.detector.growth import grow_from  # noqa: E402

WIDE = {"stem": (4, 12), "widths": (8, 8, 8), "depths": (1, 1, 1), "neck": 8, "early": 1}
NARROW = WIDE | {"stem": (4, 8), "early_width": 12}


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """A network four of whose twelve channels at stride 4 hardly matter, exported; and what it computes."""
    torch.manual_seed(3)
    network = GreyDetector(**WIDE)
    pictures = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (4, 1, 64, 96)).astype(np.float32))
    network.train()(pictures)
    network.eval()
    with torch.no_grad():
        network.stem[2][1][0].weight[:, [0, 3, 5, 10]] *= 1e-3
        for output in network.outputs:  # equal arrays would be written once
            torch.nn.init.normal_(output.bias)
        expected = network(pictures)
    path = tmp_path_factory.mktemp("start") / "wide.onnx"
    export_network(network, path)
    return path, pictures, expected


def test_a_narrower_stem_begins_as_nearly_the_same(start):
    path, pictures, expected = start
    network = GreyDetector(**NARROW)
    with torch.no_grad():
        grow_from(network, path, pictures)
        after = network.eval()(pictures)
    assert network.stem[1][0].weight.shape == (8, 4, 3, 3)
    assert (after - expected).abs().max() < 0.02 * (expected - expected.mean(dim=(0, 1))).abs().max()
