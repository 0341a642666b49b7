"""The moving average of a network."""

import msgspec
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")
from torch import nn  # noqa: E402
from torch.nn.utils.parametrizations import spectral_norm  # noqa: E402

from engine.errors import MissingRuntimeError  # noqa: E402
from tests.trt_build.tiny import tiny_recipe  # noqa: E402
from trt_build.recipes.timed import OptimiserSpec  # noqa: E402
from trt_build.training.run_state import RunState  # noqa: E402


def test_a_network_with_spectral_norm_keeps_its_norm_in_the_average():
    torch.manual_seed(0)
    recipe = msgspec.structs.replace(tiny_recipe(), optimiser=OptimiserSpec(ema_decay=0.9))
    state = RunState.begin(recipe, nn.Sequential(spectral_norm(nn.Linear(8, 8)), nn.BatchNorm1d(8)))
    for _ in range(30):
        with torch.no_grad():
            state.model[0].parametrizations.weight.original.normal_()
        state.model(torch.randn(4, 8))  # one step of the power iteration
        state.average()
    vectors = {name: value for name, value in state.ema.state_dict().items() if name.endswith(("._u", "._v"))}
    assert len(vectors) == 2
    for value in vectors.values():
        assert float(value.norm()) == pytest.approx(1, abs=1e-5)
    assert not torch.equal(state.ema[1].running_mean, state.model[1].running_mean), "averaged"
    assert state.ema[1].num_batches_tracked == state.model[1].num_batches_tracked


def test_soap_without_its_library_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    recipe = msgspec.structs.replace(tiny_recipe(), optimiser=OptimiserSpec(method="soap"))
    with pytest.raises(MissingRuntimeError, match=r"optimiser.method 'soap' needs pytorch_optimizer.*facestream\[train\]"):
        RunState.begin(recipe, nn.Linear(2, 2))
