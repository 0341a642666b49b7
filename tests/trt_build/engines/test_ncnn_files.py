"""What pnnx converts is tried before it is kept, and what ncnn cannot compute is named."""

import pytest

pytest.importorskip("ncnn", reason="needs the extra ncnn")
pytest.importorskip("pnnx", reason="needs the extra ncnn-build")

from engine.contracts.manifest import read_manifest
from engine.models.catalog import embedded_dir, models_dir
from engine.models.dlib_embedder import dlib_embedder
from tests.trt_build.engines.networks import generator_model
from trt_build.engines.graph import plain_graph
from trt_build.engines.ncnn_files import ncnn_container
from trt_build.engines.ncnn_trial import main, trial
from trt_build.engines.profiles import profile_for, shapes
from trt_build.errors import ExportError

ANY_SIZE = ((1, 1, 16, 16), (8, 1, 32, 32), (64, 1, 96, 96))


def test_the_same_model_gives_the_same_bytes():
    assert ncnn_container(generator_model(), "tiny", ANY_SIZE) == ncnn_container(generator_model(), "tiny", ANY_SIZE)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("dlib", "it has no layer Pad"),
        ("grey", r"it crashes \(SIG(SEGV|ABRT|BUS)\)"),
        ("second_look", "ncnn gives no faceness"),
    ],
)
def test_what_ncnn_cannot_compute_is_refused(name, words):
    """Should a later ncnn learn one of them, this test says so."""
    path = dlib_embedder(models_dir()) if name == "dlib" else embedded_dir() / f"{name}.json"
    described = read_manifest(path)
    model = plain_graph(path.with_name(described.file), described.output, name)
    with pytest.raises(ExportError, match=f"ncnn cannot compute {name}: .*{words}.*; use another target"):
        ncnn_container(model, name, shapes(described, profile_for(described)))


def test_a_trial_says_what_is_wrong(tmp_path, capsys):
    path = tmp_path / "model.ncnn"
    path.write_bytes(ncnn_container(generator_model(), "tiny", ANY_SIZE)[0])
    assert trial(path, ANY_SIZE[:2]) == ""
    assert main([str(path), "1x3x16x16"]) == 3
    assert "got luma (1x3x16x16, float32)" in capsys.readouterr().out
