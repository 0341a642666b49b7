"""Reading faces: zip or folder, cached, with clear errors."""

import zipfile

import cv2
import numpy as np
import pytest

from tests.trt_build.tiny import smooth_faces
from trt_build.data.faces import cached_faces, load_faces, to_size
from trt_build.errors import DataError


def write_zip(path, faces):
    with zipfile.ZipFile(path, "w") as archive:
        for name, image in zip(faces.names, faces.images, strict=True):
            archive.writestr(name, cv2.imencode(".png", image)[1].tobytes())


def test_zip_and_folder_agree(tmp_path):
    faces = smooth_faces()
    write_zip(tmp_path / "faces.zip", faces)
    with zipfile.ZipFile(tmp_path / "faces.zip") as archive:
        archive.extractall(tmp_path / "folder")
    packed, loose = load_faces(tmp_path / "faces.zip"), load_faces(tmp_path / "folder")
    assert packed.names == loose.names == tuple(sorted(faces.names))
    np.testing.assert_array_equal(packed.images, loose.images)
    assert set(packed.identities()) == {"Person_0", "Person_1", "Person_2"}


def test_cache_is_used_and_equal(tmp_path):
    write_zip(tmp_path / "faces.zip", smooth_faces())
    first = cached_faces(tmp_path / "faces.zip", tmp_path / "cache")
    stored = sorted((tmp_path / "cache").glob("*.npy"))
    second = cached_faces(tmp_path / "faces.zip", tmp_path / "cache")
    assert sorted((tmp_path / "cache").glob("*.npy")) == stored
    np.testing.assert_array_equal(first.images, second.images)
    assert first.names == second.names


@pytest.mark.parametrize("reader", [load_faces, lambda path: cached_faces(path, path.parent)])
def test_missing_data_is_named(tmp_path, reader):
    with pytest.raises(DataError, match=r"nowhere\.zip"):
        reader(tmp_path / "nowhere.zip")


def test_broken_zip_empty_folder_and_odd_pictures(tmp_path):
    (tmp_path / "broken.zip").write_bytes(b"no zip")
    with pytest.raises(DataError, match="cannot be read"):
        load_faces(tmp_path / "broken.zip")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no picture"):
        load_faces(tmp_path / "empty")
    cv2.imwrite(str(tmp_path / "empty" / "wide.png"), np.zeros((10, 20), np.uint8))
    with pytest.raises(DataError, match="square"):
        load_faces(tmp_path / "empty")
    (tmp_path / "empty" / "wide.png").write_bytes(b"not a picture")
    with pytest.raises(DataError, match="not a picture"):
        load_faces(tmp_path / "empty")


def test_to_size_refuses_to_enlarge():
    with pytest.raises(DataError, match="smaller than"):
        to_size(smooth_faces(1, 36).images, 64)


def test_a_picture_that_is_changed_within_a_folder_is_seen(tmp_path):
    faces = smooth_faces(4, 16)
    for name, image in zip(faces.names, faces.images, strict=True):
        (tmp_path / "people" / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / "people" / name), image)
    cached_faces(tmp_path / "people", tmp_path / "cache")
    time = (tmp_path / "people").stat().st_mtime_ns
    cv2.imwrite(str(tmp_path / "people" / faces.names[0]).replace("_0000", "_0009"), 255 - faces.images[0])
    assert (tmp_path / "people").stat().st_mtime_ns == time
    assert len(cached_faces(tmp_path / "people", tmp_path / "cache").names) == 5
