"""Directories as one file."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from engine.errors import PublishError
from engine.jobs.packed import packed, unpack


def test_what_was_packed_comes_back(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    (before / "faces" / "ä b").mkdir(parents=True)
    (before / "faces" / "ä b" / "x.jpg").write_bytes(b"face")
    (before / "run.json").write_text("{}")
    (before / "run.json").chmod(0o600)
    after.mkdir()
    with packed(before, tmp_path) as file:
        unpack(file, after, "it")
    assert (after / "faces" / "ä b" / "x.jpg").read_bytes() == b"face"
    assert (after / "run.json").stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["after", "before"]


@pytest.mark.parametrize("name", ["../out", "/tmp/out", "a/../../out"])
def test_nothing_is_written_elsewhere(tmp_path: Path, name: str) -> None:
    file, target = io.BytesIO(), tmp_path / "target"
    with tarfile.open(fileobj=file, mode="w") as tar:
        member = tarfile.TarInfo(name)
        member.size = 1
        tar.addfile(member, io.BytesIO(b"x"))
    target.mkdir()
    if name.startswith("/"):  # taken as below the target
        unpack(file, target, "it")
    else:
        with pytest.raises(PublishError, match="it is not what this program packs"):
            unpack(file, target, "it")
    assert not (tmp_path / "out").exists()
    assert not Path("/tmp/out").exists()


@pytest.mark.parametrize("content", [b"no such file", b""])
def test_what_is_no_such_file(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(PublishError, match="it is not what this program packs"):
        unpack(io.BytesIO(content), tmp_path, "it")
