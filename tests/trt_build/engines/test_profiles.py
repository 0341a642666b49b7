"""The sizes and batches that an engine is built for."""

import msgspec
import pytest

from engine.contracts.manifest import read_manifest
from engine.errors import UsageError
from trt_build.engines.profiles import profile_for, shapes


@pytest.mark.parametrize(
    ("sizes", "batch", "words"),
    [
        ("96..16", None, "--sizes 96..16: give the smallest and the largest"),
        ("16-96", None, "--sizes 16-96"),
        ("0..8", None, "--sizes 0..8"),
        ("16..99999", None, "at most 4096"),
        (None, "8,1,64", "--batch 8,1,64"),
        (None, "1,8", "--batch 1,8"),
        (None, "0", "--batch 0"),
        (None, "1,a,3", "--batch 1,a,3"),
    ],
)
def test_malformed_profiles(model, sizes, batch, words):
    with pytest.raises(UsageError, match=words):
        profile_for(read_manifest(model), sizes, batch)


def test_profiles_follow_the_model(model):
    described = read_manifest(model)
    assert shapes(described, profile_for(described)) == ((1, 1, 8, 8), (8, 1, 36, 36), (64, 1, 160, 160))
    assert profile_for(described, "32", "4").batch == (4, 4, 4)
    chips = msgspec.structs.replace(described, kind="embedder", channels=3, input_size_px=(150, 150))
    assert shapes(chips, profile_for(chips)) == ((1, 3, 150, 150), (8, 3, 150, 150), (64, 3, 150, 150))
    with pytest.raises(UsageError, match="has one input size, 150x150 px"):
        profile_for(chips, "16..96")
    stepped = msgspec.structs.replace(described, size_rule=msgspec.structs.replace(described.size_rule, multiple_of=32))
    with pytest.raises(UsageError, match=r"takes multiples of 32 px from 1 px on: give 32\.\.160"):
        profile_for(stepped, "16..150")
