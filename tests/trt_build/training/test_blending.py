from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")

from engine.detect.face_windows import CONTEXTS, SIDE_PX  # noqa: E402
from trt_build.errors import DataError  # noqa: E402
from trt_build.networks.second_look import SecondLook  # noqa: E402
from trt_build.systems.second_look.export import export_network  # noqa: E402
from trt_build.systems.second_look.training import looked  # noqa: E402
from trt_build.training.blending import blend  # noqa: E402
from trt_build.training.unfolding import folded_weights, open_exported  # noqa: E402

WIDTHS = (8, 8, 8)


def trained(seed: int) -> SecondLook:
    """A network whose normalisation has seen something and whose places are none of them zero."""
    torch.manual_seed(seed)
    network = SecondLook(WIDTHS)
    network.train()(torch.from_numpy(windows()).float())
    for name, parameter in network.named_parameters():
        if not name.startswith("layers") or name.endswith("1.bias"):
            torch.nn.init.normal_(parameter, std=0.02)
    return network.eval()


def blended(network: SecondLook, exported: Path, share: float) -> None:
    blend(network, folded_weights(open_exported(exported), exported), exported, share)


def windows():
    return np.random.default_rng(0).integers(0, 256, (32, len(CONTEXTS), SIDE_PX, SIDE_PX), np.uint8)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_at_the_ends_it_is_one_of_the_two(share, tmp_path):
    export_network(trained(1), tmp_path / "before.onnx")
    network = trained(2)
    expected = looked(trained(1 if share else 2), windows())
    blended(network, tmp_path / "before.onnx", share)
    for ours, theirs in zip(looked(network, windows()), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_between_them_it_is_neither_and_exports(tmp_path):
    export_network(trained(1), tmp_path / "before.onnx")
    network = trained(2)
    blended(network, tmp_path / "before.onnx", 0.5)
    said, _ = looked(network, windows())
    for seed in (1, 2):
        assert np.abs(said - looked(trained(seed), windows())[0]).max() > 1e-3
    export_network(network, tmp_path / "after.onnx")
    assert (tmp_path / "after.onnx").stat().st_size > 0


@pytest.mark.parametrize("what", ["missing", "text", "other widths"])
def test_what_is_no_second_look_of_its_widths_is_refused(what, tmp_path):
    other = tmp_path / "other.onnx"
    if what == "text":
        other.write_text("no network")
    elif what == "other widths":
        torch.manual_seed(1)
        export_network(SecondLook((16, 8, 8)), other)
    with pytest.raises(DataError, match=r"other\.onnx"):
        blended(trained(2), other, 0.5)
