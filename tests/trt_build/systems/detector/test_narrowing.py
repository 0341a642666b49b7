import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from tests.trt_build.systems.detector.starts import exported_start  # noqa: E402
from trt_build.networks.grey_detector import GreyDetector  # noqa: E402
from trt_build.systems.detector.growth import grow_from  # noqa: E402

WIDE = {"stem": (4, 12), "widths": (8, 8, 8), "depths": (1, 1, 1), "neck": 8, "early": 1}
NARROW = WIDE | {"stem": (4, 8), "early_width": 12}


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """A network four of whose twelve channels at stride 4 hardly matter, exported; and what it computes."""

    def spoil(network):
        network.stem[2][1][0].weight[:, [0, 3, 5, 10]] *= 1e-3

    return exported_start(WIDE, tmp_path_factory.mktemp("start") / "wide.onnx", 4, spoil)


def test_a_narrower_stem_begins_as_nearly_the_same(start):
    path, pictures, expected = start
    network = GreyDetector(**NARROW)
    with torch.no_grad():
        grow_from(network, path, pictures)
        after = network.eval()(pictures)
    assert network.stem[1][0].weight.shape == (8, 4, 3, 3)
    assert (after - expected).abs().max() < 0.02 * (expected - expected.mean(dim=(0, 1))).abs().max()
