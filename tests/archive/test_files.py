import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.archive.files import AppendedFiles, cut_torn_line, inside, keep_lines, whole_lines

PIECES = st.lists(st.sampled_from([b"a", b"bb\n", b"\n", b"x" * 70_000, b"\0\n"]), max_size=8).map(b"".join)


@settings(max_examples=60, deadline=None)
@given(PIECES)
def test_cutting_the_torn_line_leaves_the_whole_ones(content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "lines")
        path.write_bytes(content)
        whole = list(whole_lines(path))
        cut_torn_line(path)
        assert path.read_bytes() == content[: content.rfind(b"\n") + 1] == b"".join(whole)


@settings(max_examples=60, deadline=None)
@given(PIECES, st.integers(1, 5))
def test_kept_lines_are_those_that_are_wanted(content, shortest):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "lines")
        path.write_bytes(content)
        wanted = b"".join(line for line in whole_lines(path) if len(line) >= shortest)
        assert keep_lines(path, lambda line: len(line) >= shortest) == len(content) - len(wanted)
        assert path.read_bytes() == wanted
        assert [entry.name for entry in Path(folder).iterdir()] == ["lines"]


def test_a_failure_leaves_the_old_file(tmp_path):
    path, seen = tmp_path / "lines", []
    path.write_bytes(b"a\nb\n")

    def keep(line):
        seen.append(line)
        if len(seen) > 3:
            raise OSError(28, "No space left on device")
        return line == b"a\n"

    with pytest.raises(OSError, match="No space"):
        keep_lines(path, keep)
    assert path.read_bytes() == b"a\nb\n"
    assert [entry.name for entry in tmp_path.iterdir()] == ["lines"]


def test_files_that_are_not_there_are_empty(tmp_path):
    cut_torn_line(tmp_path / "none")
    assert keep_lines(tmp_path / "none", lambda line: True) == 0
    assert list(whole_lines(tmp_path / "none")) == []
    assert not (tmp_path / "none").exists()


def test_a_file_grows_from_where_it_ended(tmp_path):
    files = AppendedFiles(tmp_path)
    assert files["a"].append(b"12\n") == 0
    files.sync()
    files.close()
    files = AppendedFiles(tmp_path)
    assert files["a"].append(b"3\n") == 3 == files["a"].size_bytes - 2
    files.close()


def test_a_name_leads_to_a_file_of_the_directory_or_nowhere(tmp_path):
    directory = tmp_path / "out"
    (directory / "faces").mkdir(parents=True)
    (directory / "faces/a.jpg").write_bytes(b"x")
    (directory / "round").symlink_to("round")
    assert inside(directory, "faces/a.jpg") == directory / "faces/a.jpg"
    assert inside(directory, "faces/gone.jpg") == directory / "faces/gone.jpg"
    for name in (
        "", "../a.jpg", "/etc/hostname", "faces/a\0.jpg", "a\0/b.jpg", "\ud800.jpg", "x" * 300, "faces/" * 2000 + "a.jpg",
        "round/a.jpg", "round",
    ):  # fmt: skip
        assert inside(directory, name) is None, name
