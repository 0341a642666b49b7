import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="exporting needs torch")

from engine.models.dlib_adaptation import adapted  # noqa: E402
from engine.models.dlib_embedder import packaged_weights  # noqa: E402
from engine.models.dlib_weights import read_dlib_weights  # noqa: E402
from tests.trt_build.data.test_chips import recipe  # noqa: E402
from trt_build.errors import ExportError, TrainingError  # noqa: E402
from trt_build.systems.embedder import export  # noqa: E402
from trt_build.systems.embedder.export import export_embedder  # noqa: E402
from trt_build.systems.embedder.training import SCHEMA, new_state  # noqa: E402


@pytest.fixture(scope="module")
def weights():
    return read_dlib_weights(packaged_weights())


def checkpoint(folder, weights, **changes):
    state = new_state(recipe(**changes), weights)
    with torch.no_grad():
        for parameter in state.ema.parameters():
            parameter += 1e-3 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0))
    state.save(folder / "last.pt", SCHEMA)
    return folder / "last.pt", state.ema


def test_an_adapted_network_is_exported_as_differences(tmp_path, weights):
    source, network = checkpoint(tmp_path, weights)
    path, cosine = export_embedder(source, tmp_path / "out", "small")
    assert path == tmp_path / "out" / "small.npz"
    assert cosine > 0.99999
    again = adapted(weights, path)
    np.testing.assert_allclose(again.stem.weight, network.weights().stem.weight, atol=1e-6)


def test_what_cannot_be_exported_is_one_sentence(tmp_path, weights, monkeypatch):
    source, _ = checkpoint(tmp_path, weights)
    with pytest.raises(TrainingError, match=r"no checkpoint .*none\.pt"):
        export_embedder(tmp_path / "none.pt", tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(ExportError, match="cannot be written"):
        export_embedder(source, tmp_path / "file" / "out")
    monkeypatch.setattr(export, "adapted", lambda weights, path: weights)
    monkeypatch.setattr(export, "TOLERANCE", 1e-9)
    with pytest.raises(ExportError, match="differs from its network"):
        export_embedder(source, tmp_path / "out")
