"""The hybrid: SRCNN plus a residual, which is nothing at the start and can be left out."""

import pytest

torch = pytest.importorskip("torch", reason="generators are torch modules")

from tests.trt_build.networks.small import luma, small, stirred, untouched  # noqa: E402

PICTURE = luma(2, 1, 9, 7)


def test_starts_as_its_structure():
    model = small("srcnn_srgan")
    assert torch.equal(model(PICTURE), model.structure(PICTURE))


def test_blend_weighs_the_residual():
    model = stirred(small("srcnn_srgan", blend=0.25))
    torch.testing.assert_close(model(PICTURE), model.structure(PICTURE) + 0.25 * model.residual(PICTURE))
    assert model.residual(PICTURE).abs().max() > 1e-3


@pytest.mark.parametrize("residual", [False, True])
def test_blend_0_is_the_srcnn_that_was_loaded(residual):
    srcnn = small("srcnn", residual=residual)
    model = stirred(small("srcnn_srgan", blend=0.0, structure_residual=residual))
    assert not torch.equal(model(PICTURE), srcnn(PICTURE))
    model.structure.load_state_dict(srcnn.state_dict())
    assert torch.equal(model(PICTURE), srcnn(PICTURE))


def test_structure_learns_only_if_it_is_not_frozen():
    frozen = untouched(small("srcnn_srgan"))
    assert frozen == sorted(f"structure.{name}" for name, _ in small("srcnn").named_parameters())
    assert not untouched(small("srcnn_srgan", freeze_structure=False))
