import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from engine.models.dlib_embedder import packaged_weights  # noqa: E402
from engine.models.dlib_resnet import build_dlib_resnet  # noqa: E402
from engine.models.dlib_weights import read_dlib_weights  # noqa: E402
from engine.sessions.session import SessionSpec, open_session  # noqa: E402
from trt_build.networks.dlib_resnet import DlibResNet  # noqa: E402


@pytest.fixture(scope="module")
def weights():
    return read_dlib_weights(packaged_weights())


def test_torch_and_the_graph_compute_the_same(weights):
    chips = np.random.default_rng(0).integers(0, 256, (2, 3, 150, 150)).astype(np.float32)
    with torch.inference_mode():
        ours = DlibResNet(weights)(torch.from_numpy(chips)).numpy()
    with open_session(SessionSpec(build_dlib_resnet(weights))) as session:
        theirs = session.run({"chip": chips})[0]
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_a_grey_picture_is_one_of_three_equal_channels(weights):
    network = DlibResNet(weights)
    grey = torch.rand(1, 1, 150, 150) * 255
    with torch.inference_mode():
        torch.testing.assert_close(network(grey), network(grey.expand(1, 3, 150, 150)))


def test_weights_go_in_and_come_out_unchanged(weights):
    again = DlibResNet(weights).weights()
    assert build_dlib_resnet(again) == build_dlib_resnet(weights)
