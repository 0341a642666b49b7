from __future__ import annotations

import pytest

from engine.archive.claim import held_by_a_run
from engine.archive.vector_files import row_bytes, vector_files, vector_length, vectors_name


@pytest.mark.parametrize("length", [1, 128, 999_999])
def test_the_name_says_the_length(length: int):
    assert vector_length(vectors_name(length)) == length
    assert row_bytes(vectors_name(length)) == 4 * length


@pytest.mark.parametrize("name", ["notes", "0", "0128", "-128", "128.5", "1000000", "", "128 (copy)", "٣"])
def test_a_file_of_somebody_else_is_none_and_not_replaced_with_a_run(tmp_path, name: str):
    (tmp_path / f"embeddings_{name}.f32").touch()
    (tmp_path / "embeddings_128.f32").touch()
    assert row_bytes(f"embeddings_{name}.f32") == 0
    assert vector_files(tmp_path) == held_by_a_run(tmp_path) == [tmp_path / "embeddings_128.f32"]


def test_where_there_is_no_directory_there_are_none(tmp_path):
    assert vector_files(tmp_path / "none") == []
