"""A file is whole or not there."""

import errno
import os
from pathlib import Path

import pytest

from engine.whole_file import left_by_a_kill, replacing, write_private, write_whole


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "kept.npz").write_bytes(b"old")
    return tmp_path / "kept.npz"


def test_it_takes_its_place_at_the_end(file: Path):
    with replacing(file) as beside:
        beside.write_bytes(b"new")
        assert file.read_bytes() == b"old"
        assert (beside.parent, beside.suffix) == (file.parent, ".npz")
    assert [path.read_bytes() for path in file.parent.iterdir()] == [b"new"]


@pytest.mark.parametrize("write", [write_whole, write_private], ids=lambda write: write.__name__)
@pytest.mark.parametrize("at", ["pipe", "link to a pipe", "device", "link to a device"])
def test_nothing_takes_the_place_of_a_device_or_a_pipe(tmp_path: Path, write, at: str):
    """`--out PIPE --overwrite` put a file in its place, and with root's rights in that of /dev/null."""
    place = tmp_path / "place"
    if "pipe" in at:
        os.mkfifo(place)
        reader = os.open(place, os.O_RDONLY | os.O_NONBLOCK)
    else:
        reader, other = os.openpty()
        place.symlink_to(os.ttyname(other))
        os.set_blocking(reader, False)
    path = place
    if "link" in at:
        path = tmp_path / "link"
        path.symlink_to(place)
    before = place.stat()
    write(path, b"new")
    assert os.read(reader, 10) == b"new"
    after = place.stat()
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)
    os.close(reader)


@pytest.mark.parametrize("flags", [os.O_APPEND, os.O_TRUNC, 0], ids=["continued", "emptied", "from the start"])
@pytest.mark.parametrize(
    "at", ["/proc/self/fd/{}", "/dev/fd/{}", "/proc/thread-self/fd/{}", "link to /dev/fd/{}", "link of a link"]
)
@pytest.mark.parametrize("write", [write_whole, write_private], ids=lambda write: write.__name__)
def test_what_is_open_already_goes_on_where_it_is(file: Path, write, at: str, flags: int):
    """`--out /dev/stdout >> log` emptied the log."""
    descriptor = os.open(file, os.O_WRONLY | flags)
    path = Path(at.format(descriptor))
    if "link" in at:
        path = file.with_name("link")
        path.symlink_to(f"/dev/fd/{descriptor}")
    if "of a link" in at:
        path = file.with_name("another")
        path.symlink_to("link")
    os.write(descriptor, b"1")
    write(path, b"2")
    os.write(descriptor, b"3")
    os.close(descriptor)
    assert file.read_bytes() == {os.O_APPEND: b"old123", os.O_TRUNC: b"123", 0: b"123"}[flags]
    assert not path.is_file()


def test_a_pipe_gets_what_must_be_sought_in(tmp_path: Path):
    """A video's index is written where its room was left; the name's ending says what kind of file it is."""
    os.mkfifo(pipe := tmp_path / "pipe.mp4")
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with replacing(pipe) as made, made.open("wb") as file:
        assert made.suffix == ".mp4"
        file.write(b"....movie")
        file.seek(0)
        file.write(b"moov")
    assert os.read(reader, 20) == b"moovmovie"
    os.close(reader)


def test_a_pipe_gets_nothing_of_what_failed(tmp_path: Path):
    os.mkfifo(pipe := tmp_path / "pipe")
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

    def write() -> None:
        with replacing(pipe) as made:
            made.write_bytes(b"ne")
            raise OSError(errno.ENOSPC, "full")

    with pytest.raises(OSError, match="full"):
        write()
    assert os.read(reader, 20) == b""
    os.close(reader)


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), RuntimeError("torch"), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize("begun", [True, False])
def test_what_fails_leaves_the_old_one_and_nothing_else(file: Path, error: BaseException, begun: bool):
    def write() -> None:
        with replacing(file) as beside:
            if begun:
                beside.write_bytes(b"ne")
            raise error

    with pytest.raises(type(error)):
        write()
    assert [path.read_bytes() for path in file.parent.iterdir()] == [b"old"]


def test_what_cannot_take_its_place_leaves_nothing(file: Path):
    (file.parent / "folder").mkdir()
    with pytest.raises(OSError, match="directory"), replacing(file.parent / "folder") as beside:
        beside.write_bytes(b"new")
    assert sorted(path.name for path in file.parent.iterdir()) == ["folder", "kept.npz"]


def test_two_that_write_at_once_do_not_mix(file: Path):
    with replacing(file) as one, replacing(file, file.with_name(".other")) as other:
        assert one != other
        one.write_bytes(b"one")
        other.write_bytes(b"other")
    assert file.read_bytes() == b"one", "the last one to end"


def test_what_a_kill_leaves_is_found_by_the_name_of_what_it_was_to_replace(file: Path):
    assert left_by_a_kill(file) == []
    with replacing(file) as beside, replacing(file.with_name("other kept.npz")) as other:
        for path in (beside, other):
            path.write_bytes(b"ne")
        assert left_by_a_kill(file) == [beside]


@pytest.mark.parametrize("name", ["x" * 251 + ".npz", "é" * 125 + ".npz", "人" * 83 + ".npz"], ids=len)
def test_a_name_that_is_as_long_as_a_name_can_be_leaves_no_room_before_it(tmp_path: Path, name: str):
    with replacing(tmp_path / name) as beside:
        beside.write_bytes(b"new")
        assert beside.suffix == ".npz"
        assert beside.name.encode().decode() == beside.name, "no half character"
        assert left_by_a_kill(tmp_path / name) == [beside]
    assert (tmp_path / name).read_bytes() == b"new"


def test_what_is_new_is_for_its_owner_alone_and_never_written_over_another(tmp_path: Path):
    write_private(tmp_path / "key", b"mine", new=True)
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        write_private(tmp_path / "key", b"yours", new=True)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("key", b"mine")]


@pytest.mark.parametrize("reason", [errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS])
def test_where_there_are_no_links_it_is_written_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: int):
    def refused(*of: object):
        raise OSError(reason, os.strerror(reason))

    monkeypatch.setattr(os, "link", refused)
    write_private(tmp_path / "key", b"mine", new=True)
    with pytest.raises(FileExistsError):
        write_private(tmp_path / "key", b"yours", new=True)
    assert (tmp_path / "key").read_bytes() == b"mine"

    def full(descriptor: int):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_private(tmp_path / "other", b"yours", new=True)
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


@pytest.mark.parametrize("write", [write_whole, write_private])
def test_all_of_it_is_on_the_disk_before_it_takes_its_place(file: Path, monkeypatch: pytest.MonkeyPatch, write):
    def full(descriptor: int):
        assert file.read_bytes() == b"old"
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write(file, b"new")
    assert [path.read_bytes() for path in file.parent.iterdir()] == [b"old"]


@pytest.mark.parametrize("meanwhile", ["file", "folder", "link", "link to itself", "empty file"])
def test_what_is_to_be_new_replaces_nothing_that_came_meanwhile(file: Path, meanwhile: str):
    new = file.with_name("new")

    def write() -> None:
        with replacing(new, new=True) as beside:
            beside.write_bytes(b"new")
            if meanwhile == "folder":
                new.mkdir()
            elif meanwhile.startswith("link"):
                new.symlink_to(new if "itself" in meanwhile else file)
            else:
                new.write_bytes(b"" if "empty" in meanwhile else b"mine")

    with pytest.raises(FileExistsError):
        write()
    assert sorted(path.name for path in file.parent.iterdir()) == sorted([file.name, "new"])
    assert file.read_bytes() == b"old"
    assert new.is_dir() or new.is_symlink() or new.read_bytes() != b"new"


def test_what_is_to_be_new_is_private_although_others_may_read_what_is_there(file: Path):
    file.chmod(0o644)

    def write() -> None:
        with replacing(file, new=True) as beside:
            assert beside.stat().st_mode & 0o777 == 0o600
            beside.write_bytes(b"key")

    with pytest.raises(FileExistsError):
        write()
    assert file.read_bytes() == b"old"
