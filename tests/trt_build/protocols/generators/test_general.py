"""Benchmarks as they are published, on made pictures and on the real ones."""

import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.assets import shared
from trt_build.data.general_sets import Picture, check_size, cropped, load_sets, shrunk
from trt_build.errors import DataError
from trt_build.measures.luma import luma_of
from trt_build.protocols.generators.general import measure_general
from trt_build.protocols.generators.methods import Method, baselines, by_scale
from trt_build.protocols.generators.options import Options

RNG = np.random.default_rng(0)
SILENT = lambda *_: None  # noqa: E731
OPTIONS = Options(seed=0, cache=Path("unused"))
A5 = "bicubic (a=-0.5)"


def smooth(height, width, seed=0):
    noise = np.random.default_rng(seed).random((height, width, 3))
    return np.rint(255 * cv2.GaussianBlur(noise, (0, 0), 2)).astype(np.uint8)


def archive(path, pictures):
    with zipfile.ZipFile(path, "w") as file:
        for name, pixels in pictures.items():
            file.writestr(name, pixels if isinstance(pixels, bytes) else cv2.imencode(".png", pixels)[1].tobytes())
    return path


def test_sets_are_folders_of_a_zip_or_a_folder(tmp_path):
    colour, grey = smooth(30, 40), smooth(30, 40)[:, :, 0]
    names = {"SetA/x.png": colour, "SetA/y.png": grey, "deep/SetB/z.png": colour, "alone.png": grey}
    sets = load_sets(archive(tmp_path / "some.zip", names))
    assert {name: len(pictures) for name, pictures in sets.items()} == {"SetA": 2, "SetB": 1, "some": 1}
    np.testing.assert_array_equal(sets["SetA"][0].pixels, colour[:, :, ::-1])
    assert sets["SetA"][1].pixels.shape == (30, 40)
    with zipfile.ZipFile(tmp_path / "some.zip") as file:
        file.extractall(tmp_path / "folder")
    assert set(load_sets(tmp_path / "folder")) == {"SetA", "SetB", "folder"}


def test_damaged_and_missing_pictures_are_named(tmp_path):
    with pytest.raises(DataError, match=r"none\.zip' do not exist"):
        load_sets(tmp_path / "none.zip")
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"PK not a zip")
    with pytest.raises(DataError, match=r"broken\.zip' cannot be read"):
        load_sets(broken)
    whole = archive(tmp_path / "whole.zip", {"SetA/x.png": smooth(60, 60)}).read_bytes()
    broken.write_bytes(whole[:500] + bytes(200) + whole[700:])
    with pytest.raises(DataError, match=r"broken\.zip"):
        load_sets(broken)
    for content in (b"text", b""):
        with pytest.raises(DataError, match=r"'SetA/x\.png' in .* is not a picture"):
            load_sets(archive(tmp_path / "text.zip", {"SetA/x.png": content}))
    with pytest.raises(DataError, match="holds no picture"):
        load_sets(archive(tmp_path / "empty.zip", {"readme.txt": b"none"}))


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_a_picture_must_leave_something_to_measure(scale):
    least = next(side for side in range(8, 60) if not _refused(side, scale))
    methods = {scale: baselines(scale, "general")}
    rows, _ = measure_general({"S": [Picture("S/x.png", smooth(least, least + 1))]}, methods, OPTIONS, SILENT)
    assert all(np.isfinite(row.figures["ssim"].value) for row in rows)
    with pytest.raises(DataError, match=rf"'S/y\.png' of S has 40x{least - 1} px, x{scale} needs at least {least}"):
        measure_general({"S": [Picture("S/y.png", smooth(least - 1, 40))]}, methods, OPTIONS, SILENT)


def _refused(side, scale):
    try:
        check_size(Picture("p", np.zeros((side, side), np.uint8)), scale, "S")
    except DataError:
        return True
    return False


def test_the_input_is_cut_and_shrunk():
    sharp = cropped(Picture("p", smooth(31, 41)), 3)
    assert sharp.shape == (30, 39, 3)
    luma, colour = shrunk(sharp, 3)
    assert luma.shape == (10, 13)
    assert colour.shape == (10, 13, 3)
    assert np.abs(luma_of(colour) - luma).max() < 1.5  # each is rounded for itself
    grey, three = shrunk(sharp[:, :, 0], 3)
    np.testing.assert_array_equal(three, np.repeat(grey[:, :, None], 3, axis=2))


def test_a_colour_network_sees_colour_and_its_luma_counts():
    seen = []

    def enlarge_rgb(low):
        seen.append(low.shape)
        return low.repeat(2, axis=0).repeat(2, axis=1)

    def never(_):
        raise AssertionError

    methods = [*baselines(2, "general"), Method("net", 2, "", never, "ab", enlarge_rgb=enlarge_rgb)]
    rows, strips = measure_general({"S": [Picture("S/x.png", smooth(40, 50))]}, {2: methods}, OPTIONS, SILENT)
    assert seen == [(20, 25, 3)]
    assert [row.method for row in rows] == [A5, "bicubic", "lanczos4", "net"]
    by = {row.method: row.figures["psnr_db"] for row in rows}
    assert by["net"].gain.value == pytest.approx(by["net"].value - by["bicubic"].value)
    assert by["net"].interval is None
    assert by["net"].sign == 0
    assert [sample.caption for sample in strips[0].samples] == ["input", A5, "bicubic", "lanczos4", "net", "truth"]


@pytest.mark.parametrize(("count", "known"), [(9, False), (10, True)])
def test_a_set_of_ten_pictures_has_intervals(count, known):
    pictures = [Picture(f"S/{index}.png", smooth(40, 40, index)) for index in range(count)]
    rows, _ = measure_general({"S": pictures}, {2: baselines(2, "general")}, OPTIONS, SILENT)
    (gain,) = (row.figures["psnr_db"].gain for row in rows if row.method == "lanczos4")
    assert (gain.low <= gain.value <= gain.high) == known


@pytest.mark.parametrize(
    ("inputs", "published"),
    [("Set5", {2: 33.66, 3: 30.39, 4: 28.42}), ("Set14", {2: 30.24, 3: 27.55, 4: 26.00})],
)
def test_bicubic_comes_to_the_published_figures(inputs, published):
    sets = {inputs: load_sets(shared("data/general_sr/test.zip"))[inputs]}
    methods = {scale: baselines(scale, "general")[:2] for scale in published}
    rows, _ = measure_general(sets, methods, OPTIONS, SILENT)
    found = {row.scale: row.figures["psnr_db"].value for row in rows if row.method == A5}
    assert found == pytest.approx(published, abs=0.02)


def test_progress_ends_where_it_should():
    told = []
    sets = {"S": [Picture("S/x.png", smooth(40, 40))], "T": [Picture("T/x.png", smooth(40, 40))]}
    measure_general(sets, by_scale([], "general"), OPTIONS, lambda what, done, total: told.append((done, total)))
    assert told[-1] == (18, 18)
    assert len(told) == 18
