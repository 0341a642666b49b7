"""Arrays on disk."""

import numpy as np
import pytest

from trt_build.array_files import key_of, write_array, write_arrays
from trt_build.errors import DataError


def test_what_is_written_is_read_again_and_nothing_lies_beside_it(tmp_path):
    folder = tmp_path / "new" / "folder"
    write_array(folder / "one.npy", np.arange(6).reshape(2, 3))
    write_arrays(folder / "some.npz", {"a": np.ones(2), "b": np.array(["x", "y"])})
    assert np.array_equal(np.load(folder / "one.npy"), [[0, 1, 2], [3, 4, 5]])
    with np.load(folder / "some.npz") as stored:
        assert stored["a"].tolist() == [1, 1]
        assert stored["b"].tolist() == ["x", "y"]
    assert sorted(path.name for path in folder.iterdir()) == ["one.npy", "some.npz"]


def test_a_write_that_fails_leaves_what_was_there(tmp_path):
    path = tmp_path / "one.npy"
    write_array(path, np.zeros(3))
    with pytest.raises(TypeError):
        write_array(path, _Broken())
    assert np.load(path).tolist() == [0, 0, 0]


class _Broken:
    def __array__(self, dtype=None, copy=None):
        raise TypeError("no")


def test_where_nothing_can_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"one\.npy' cannot be written: .*file is not a folder"):
        write_array(tmp_path / "file" / "one.npy", np.zeros(2))


def test_the_key_of_a_folder_follows_its_files(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "one.png").write_bytes(b"1")
    before = key_of(tmp_path / "a")
    assert key_of(tmp_path / "a") == before
    (tmp_path / "a" / "b" / "one.png").write_bytes(b"12")
    assert key_of(tmp_path / "a") != before
