"""Weights alone: the same network comes back, and what is none is one sentence."""

import json

import pytest

torch = pytest.importorskip("torch", reason="generators are torch modules")
pytest.importorskip("safetensors", reason="weights are safetensors files")

from safetensors.torch import save  # noqa: E402

from tests.trt_build.networks.small import SMALL, luma, small, stirred  # noqa: E402
from trt_build.errors import RecipeError, TrainingError  # noqa: E402
from trt_build.networks.generators.weights import read_network, write_weights  # noqa: E402


@pytest.mark.parametrize("name", SMALL)
def test_a_network_comes_back_from_its_file_alone(name, tmp_path):
    model = stirred(small(name)).to(memory_format=torch.channels_last)
    write_weights(model, name, tmp_path / "model.safetensors")
    again = read_network(tmp_path / "model.safetensors").eval()
    assert again.options == model.options
    assert torch.equal(again(luma(1, 1, 5, 6)), model.to(memory_format=torch.contiguous_format)(luma(1, 1, 5, 6)))


def test_what_is_no_such_file_is_one_sentence(tmp_path):
    path = tmp_path / "model.safetensors"
    with pytest.raises(TrainingError, match=r"no weights '.*model\.safetensors'"):
        read_network(path)
    write_weights(small("srcnn"), "srcnn", path)
    content = path.read_bytes()
    for damaged in (b"", b"nonsense", content[:-3]):
        path.write_bytes(damaged)
        with pytest.raises(TrainingError, match="not a readable safetensors file") as caught:
            read_network(path)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("metadata", "error", "words"),
    [
        ({}, TrainingError, "does not say which generator"),
        ({"generator": "srcnn", "options": "{"}, TrainingError, "does not say which generator"),
        ({"generator": "nothing", "options": "{}"}, RecipeError, "no generator 'nothing'"),
        ({"generator": "srcnn", "options": json.dumps({"depth": 3})}, RecipeError, "depth"),
        ({"generator": "srcnn", "options": "{}"}, TrainingError, "does not hold the weights of the generator that it names"),
    ],
)
def test_metadata_must_describe_the_weights(tmp_path, metadata, error, words):
    path = tmp_path / "model.safetensors"
    path.write_bytes(save({"a": torch.ones(3)}, metadata))
    with pytest.raises(error, match=words):
        read_network(path)
