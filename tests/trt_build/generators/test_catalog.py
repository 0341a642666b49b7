"""The catalogue: every generator enlarges luma of any size, is exported as it computes, and refuses wrong options."""

import pytest

torch = pytest.importorskip("torch", reason="generators are torch modules")
pytest.importorskip("onnxscript", reason="exporting needs onnxscript")

from tests.trt_build.generators.small import SMALL, luma, small, stirred  # noqa: E402
from trt_build.errors import RecipeError  # noqa: E402
from trt_build.export_onnx import export_module  # noqa: E402
from trt_build.generators.catalog import GENERATORS, build_generator  # noqa: E402
from trt_build.parity import check_parity  # noqa: E402

SCALES = {
    "compact": (2, 3, 4),
    "edsr": (2, 3, 4),
    "rrdb": (2, 4, 8),
    "rrdn": (4, 8),
    "srcnn": (2, 3, 4),
    "srcnn_srgan": (2, 4),
    "srgan": (2, 4, 8),
}


def test_every_generator_is_tested():
    assert SMALL.keys() == SCALES.keys() == GENERATORS.keys()


@pytest.mark.parametrize(("name", "scale"), [(name, scale) for name, scales in SCALES.items() for scale in scales])
@pytest.mark.parametrize("size", [(1, 1), (5, 16), (17, 23)])
def test_enlarges_any_size(name, scale, size):
    with torch.inference_mode():
        found = stirred(small(name, scale=scale))(luma(2, 1, *size))
    assert found.shape == (2, 1, scale * size[0], scale * size[1])
    assert found.isfinite().all()


@pytest.mark.parametrize(("name", "options"), [(name, {}) for name in SMALL if name != "compact"] + [("rrdn", {"scale": 8})])
def test_exported_file_computes_the_same(name, options, tmp_path):
    """For `compact`, test_export.py says more."""
    model = stirred(small(name, **options))
    export_module(model, tmp_path / "model.onnx")
    assert check_parity(model, tmp_path / "model.onnx").max_abs_error < 1e-5


@pytest.mark.parametrize("name", [name for name in SCALES if name != "compact"])
def test_other_scales_are_refused(name):
    with pytest.raises(RecipeError, match=r"5.*scale"):
        build_generator(name, {"scale": 5})


def test_unknown_generator_names_the_known_ones():
    with pytest.raises(RecipeError, match="known: " + ", ".join(sorted(GENERATORS))):
        build_generator("nothing", {})


def test_unknown_option_is_an_error():
    with pytest.raises(RecipeError, match="depth"):
        build_generator("compact", {"depth": 3})
