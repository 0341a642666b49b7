"""What shows people is for its owner alone, unless its folder is shared on purpose."""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.private_file import make_private_folder, others_may_read, private_opener
from engine.whole_file import replacing, write_private
from tests.cli.command import here
from tests.desk.results import write_result
from tests.results.runs import make_run


@pytest.fixture(autouse=True, params=[0o000, 0o022], ids=["umask 000", "umask 022"])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _make(folder: Path) -> tuple[Path, Path]:
    """Make folders and a file below one; return the topmost folder and the file."""
    make_private_folder(folder / "a" / "b")
    with open(folder / "a" / "b" / "file", "wb", opener=private_opener):
        pass
    return folder / "a", folder / "a" / "b" / "file"


def test_it_is_for_its_owner_alone(tmp_path: Path) -> None:
    made, file = _make(tmp_path)
    assert [_mode(path) for path in (made, file.parent, file)] == [0o700, 0o700, 0o600]


def test_in_a_folder_with_a_group_of_its_own_the_group_has_what_the_umask_leaves(tmp_path: Path, umask: int) -> None:
    tmp_path.chmod(0o2770)
    made, file = _make(tmp_path)
    assert [_mode(path) & 0o777 for path in (made, file.parent, file)] == [
        0o770 & ~umask,
        0o770 & ~umask,
        0o660 & ~umask,
    ]
    assert _mode(file.parent) & stat.S_ISGID


def test_a_default_access_control_list_says_who_reads_what_is_made(tmp_path: Path) -> None:
    whom = 12345
    entries = [(0x01, 7, -1), (0x02, 5, whom), (0x04, 0, -1), (0x10, 5, -1), (0x20, 0, -1)]  # owner, user, group, mask, others
    held = struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *entry) for entry in entries)
    try:
        os.setxattr(tmp_path, "system.posix_acl_default", held)
    except OSError:
        pytest.skip("the file system has no access control lists")
    made, file = _make(tmp_path)
    for path, mask in ((made, 5), (file, 4)):
        got = os.getxattr(path, "system.posix_acl_access")
        found = {tag: bits for tag, bits, _ in struct.iter_unpack("<HHi", got[4:])}
        assert (found[0x10], found[0x20]) == (mask, 0), "the named user reads it, all others do not"


def test_a_folder_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir(0o755)
    before = _mode(tmp_path / "a")
    made, file = _make(tmp_path)
    assert (_mode(made), _mode(file.parent)) == (before, 0o700)
    with pytest.raises(FileExistsError):
        make_private_folder(file)


def test_who_could_read_a_file_can_read_what_replaces_it(tmp_path: Path) -> None:
    (tmp_path / "report.html").touch()
    (tmp_path / "report.html").chmod(0o640)
    for name in ("report.html", "new.html"):
        with replacing(tmp_path / name) as beside:
            assert _mode(beside) & 0o007 == 0, "nor while it is written"
            beside.write_bytes(b"page")
    assert (_mode(tmp_path / "report.html"), _mode(tmp_path / "new.html")) == (0o640, 0o600)
    write_private(tmp_path / "report.html", b"a secret")
    assert _mode(tmp_path / "report.html") == 0o600


def test_no_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "victim").write_bytes(b"kept")
    (tmp_path / ".beside").symlink_to(tmp_path / "victim")
    with pytest.raises(OSError, match="symbolic links"), replacing(tmp_path / "new", tmp_path / ".beside"):
        pass
    assert (tmp_path / "victim").read_bytes() == b"kept"


def test_what_a_run_and_each_command_leave_is_private(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, out, named = make_run(tmp_path / "work").run.directory, tmp_path / "out", tmp_path / "named"
    write_result(named, [("ann", "", 0), ("bea", "", 10)])
    cv2.imwrite(str(tmp_path / "face.png"), np.zeros((16, 16, 3), np.uint8))
    make_private_folder(out)
    for arguments in (
        ("report", run),
        ("report", run, "--out", out / "report.html"),
        ("report", run, "--pdf", "--out", out / "report.pdf"),
        ("clip", run, "--track", 1, "--out", out / "one.mp4"),
        ("clip", run, "--track", 1, "--track", 2, "--exact", "--out", out / "clips"),
        ("annotate", run, "--out", out / "annotated.mp4"),
        ("export", run, "--to", "csv", "--out", out / "tracks.csv", "--vectors", out / "vectors.npy"),
        ("export", run, "--to", "parquet", "--out", out / "tracks.parquet"),
        ("people", named, "--name", "yard/1", "Ada", "--page", out / "people.html"),
        ("enhance", tmp_path / "face.png", "--out", out / "enhanced"),
    ):
        done = here(capsys, *arguments)
        assert done.code == 0, done
    written = [path for folder in (run, named, out) for path in (folder, *folder.rglob("*"))]
    assert {path.name for path in written} >= {"corrections.jsonl", "face-enhanced.png", "vectors.keys.csv", "door-track-1.mp4"}
    assert {str(path): oct(_mode(path)) for path in written if _mode(path) & 0o077} == {}


@pytest.mark.parametrize(
    ("owner", "me", "mode", "open_to_others"),
    [
        (1000, 1000, 0o600, False),
        (1000, 1000, 0o640, True),
        (0, 0, 0o440, True),
        (0, 10001, 0o440, False),  # a secret of Kubernetes, or of systemd's LoadCredential=
        (0, 10001, 0o444, True),
        (0, 10001, 0o460, True),
        (1000, 10001, 0o440, True),
    ],
)
def test_what_root_has_handed_over_may_be_read_by_whom_it_was_handed_to(monkeypatch, owner, me, mode, open_to_others):
    """A key in a mounted secret was refused, whatever its mode."""
    monkeypatch.setattr(os, "geteuid", lambda: me)
    assert others_may_read(os.stat_result((stat.S_IFREG | mode, 0, 0, 1, owner, me, 0, 0, 0, 0))) is open_to_others
