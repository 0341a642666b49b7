from __future__ import annotations

import numpy as np
import pytest

from engine.archive.vector_files import vectors_name
from engine.archive.vectors import mapped_vectors


def test_whole_rows_are_mapped_and_nothing_that_is_not_of_the_run(tmp_path):
    rows = np.arange(12, dtype="<f4").reshape(3, 4)
    (tmp_path / vectors_name(4)).write_bytes(rows.tobytes() + b"to")
    np.testing.assert_array_equal(mapped_vectors(tmp_path, vectors_name(4)), rows)
    (tmp_path / vectors_name(8)).touch()
    assert mapped_vectors(tmp_path, vectors_name(8)).shape == (0, 8)
    (tmp_path / vectors_name(2)).symlink_to(vectors_name(4))
    assert mapped_vectors(tmp_path, vectors_name(2)) is None
    assert mapped_vectors(tmp_path, "faces.jsonl") is None
    with pytest.raises(FileNotFoundError):
        mapped_vectors(tmp_path, vectors_name(16))
