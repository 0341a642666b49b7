import shutil

import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from tests.trt_build.systems.detector.starts import exported_start  # noqa: E402
from trt_build.errors import DataError  # noqa: E402
from trt_build.networks.grey_detector import GreyDetector  # noqa: E402
from trt_build.systems.detector.export import fold_division  # noqa: E402
from trt_build.systems.detector.growth import grow_from, weights_of  # noqa: E402
from trt_build.training.blending import blend  # noqa: E402

SMALL = {"stem": (4, 8), "widths": (16, 16, 24), "depths": (1, 2, 1), "neck": 16}
LARGE = {"stem": (6, 8), "widths": (24, 20, 24), "depths": (2, 2, 3), "neck": 24, "head": 1, "early": 1}


@pytest.fixture(scope="module")
def divides(tmp_path_factory):
    """A small network with normalisation that has seen something, exported but for the last step; and what it computes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trt_build.systems.detector.export.fold_division", lambda path: None)
        return exported_start(SMALL, tmp_path_factory.mktemp("start") / "divides.onnx", 8)


@pytest.fixture(scope="module")
def start(divides):
    """The same, exported to the end."""
    path, *seen = divides
    small = shutil.copy(path, path.with_name("small.onnx"))
    fold_division(small)
    return small, *seen


@pytest.mark.parametrize("options", [SMALL, LARGE], ids=["same", "wider and deeper"])
def test_it_begins_as_the_smaller_one_computes(start, options):
    path, pictures, expected = start
    torch.manual_seed(4)
    network = GreyDetector(**options)
    with torch.no_grad():
        before = network.eval()(pictures)
        grow_from(network, path, pictures)
        after = network.eval()(pictures)
        batch = network.train()(pictures)
    apart = (after - expected).abs().mean()
    assert apart < 0.25 * (before - expected).abs().mean()
    assert (batch - after).abs().mean() < 0.5 * (before - expected).abs().mean()
    if options == SMALL:
        torch.testing.assert_close(after, expected, atol=2e-3, rtol=1e-3)


def test_a_smaller_network_cannot_begin_with_a_larger_one(start):
    with pytest.raises(DataError, match="The start has a layer of"):
        grow_from(GreyDetector(**(SMALL | {"neck": 8})), start[0], start[1])
    with pytest.raises(DataError, match="has layers that the recipe's network has not"):
        grow_from(GreyDetector(**(SMALL | {"depths": (1, 1, 1)})), start[0], start[1])


def test_a_file_that_is_no_network_is_refused(tmp_path):
    (tmp_path / "no.onnx").write_text("nothing")
    with pytest.raises(DataError, match="cannot be read"):
        grow_from(GreyDetector(**SMALL), tmp_path / "no.onnx", torch.zeros(1, 1, 32, 32))


@pytest.mark.parametrize("form", ["divides", "start"])
def test_with_all_weights_of_an_exported_one_it_computes_what_that_does(form, request):
    path, pictures, expected = request.getfixturevalue(form)
    torch.manual_seed(9)
    network = GreyDetector(**SMALL)
    network.train()(pictures)
    blend(network, weights_of(path), path, 1.0)
    with torch.no_grad():
        torch.testing.assert_close(network(pictures), expected, atol=2e-3, rtol=1e-3)


def test_an_export_that_still_divides_gives_the_same_weights(divides, start):
    path, pictures, _ = start
    whole, folded = GreyDetector(**SMALL), GreyDetector(**SMALL)
    with torch.no_grad():
        grow_from(whole, divides[0], pictures)
        grow_from(folded, path, pictures)
    assert torch.equal(whole.stem[0][0].weight, folded.stem[0][0].weight)
