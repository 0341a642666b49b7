"""The catalogue: every generator enlarges luma of any size, is exported as it computes, and refuses wrong options."""

import pytest

torch = pytest.importorskip("torch", reason="generators are torch modules")
pytest.importorskip("onnxscript", reason="exporting needs onnxscript")

from tests.trt_build.networks.small import SMALL, luma, small, stirred  # noqa: E402
from trt_build.errors import RecipeError  # noqa: E402
from trt_build.networks.generators.catalog import GENERATORS, build_generator, pictures_of, scales_of  # noqa: E402
from trt_build.systems.generator.export import export_module  # noqa: E402
from trt_build.systems.generator.parity import check_parity  # noqa: E402

SCALES = {
    "compact": (2, 3, 4),
    "edsr": (2, 3, 4),
    "rrdb": (2, 4, 8),
    "rrdn": (8,),
    "srcnn": (2, 3, 4),
    "srcnn_srgan": (2, 4),
    "srgan": (2, 4, 8),
}
CHOOSABLE = [name for name, scales in SCALES.items() if len(scales) > 1]


def test_every_generator_is_tested():
    assert SMALL.keys() == SCALES.keys() == GENERATORS.keys()


@pytest.mark.parametrize(("name", "scale"), [(name, scale) for name, scales in SCALES.items() for scale in scales])
@pytest.mark.parametrize("size", [(1, 1), (5, 16), (17, 23)])
def test_enlarges_any_size(name, scale, size):
    with torch.inference_mode():
        options = {"scale": scale} if name in CHOOSABLE else {}
        found = stirred(small(name, **options))(luma(2, 1, *size))
    assert found.shape == (2, 1, scale * size[0], scale * size[1])
    assert found.isfinite().all()


@pytest.mark.parametrize("name", [name for name in SMALL if name != "compact"])
def test_exported_file_computes_the_same(name, tmp_path):
    """For `compact`, test_export.py says more."""
    model = stirred(small(name))
    export_module(model, tmp_path / "model.onnx")
    assert check_parity(model, tmp_path / "model.onnx").max_abs_error < 1e-5


@pytest.mark.parametrize("name", [name for name in CHOOSABLE if name != "compact"])
def test_other_scales_are_refused(name):
    with pytest.raises(RecipeError, match=r"5.*scale"):
        build_generator(name, {"scale": 5})


def test_unknown_generator_names_the_known_ones():
    with pytest.raises(RecipeError, match="known: " + ", ".join(sorted(GENERATORS))):
        build_generator("nothing", {})


def test_a_generator_of_several_scales_gives_all_of_them():
    model, single = stirred(small("rrdn")), stirred(small("compact"))
    picture = luma(1, 1, 5, 4)
    assert [found.shape[2] // 5 for found in pictures_of(model, picture)] == list(scales_of(model)) == [4, 8]
    assert torch.equal(pictures_of(single, picture)[0], single(picture))
    assert scales_of(single) == ()


def test_unknown_option_is_an_error():
    with pytest.raises(RecipeError, match="depth"):
        build_generator("compact", {"depth": 3})
