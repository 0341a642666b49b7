"""Where the data of recipes lie."""

import pytest

from engine.errors import UsageError
from trt_build.recipes.data_folder import data_file, with_data_folder
from trt_build.recipes.files import find_recipe
from trt_build.recipes.generator import read_recipe


@pytest.mark.parametrize("folder", ["/data", "/data/", "../elsewhere", "a folder with blanks"])
def test_the_folder_takes_the_place_of_its_name(monkeypatch, folder):
    monkeypatch.setenv("FACESTREAM_DATA", folder)
    assert with_data_folder("train: $FACESTREAM_DATA/a.zip\n") == f"train: {folder.rstrip('/')}/a.zip\n"
    assert str(data_file("video/*.mkv", "--data")) == f"{folder.rstrip('/')}/video/*.mkv"
    assert read_recipe(find_recipe("compact")).data.train == f"{folder.rstrip('/')}/data/lfw_gray/train.zip"


@pytest.mark.parametrize("folder", [None, ""])
def test_without_a_folder_its_name_shows(monkeypatch, folder):
    monkeypatch.delenv("FACESTREAM_DATA", raising=False)
    if folder is not None:
        monkeypatch.setenv("FACESTREAM_DATA", folder)
    assert read_recipe(find_recipe("compact")).data.train == "$FACESTREAM_DATA/data/lfw_gray/train.zip"
    with pytest.raises(UsageError, match=r"--teacher is missing: give it, or set FACESTREAM_DATA .* models/a\.onnx"):
        data_file("models/a.onnx", "--teacher")
