"""Which recordings an archive has in object storage."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from engine.config import Config, SourceConfig
from engine.contracts.recording import Recording, Sent, sent
from engine.errors import ConfigError, StorageError, UsageError
from engine.jobs.recordings import recordings_of
from tests.servers.s3 import S3Server


def found(*uris: str, config: Config | None = None) -> list[Recording]:
    return recordings_of(uris, config or Config(), lambda sentence: None)


def put(s3: S3Server, *keys: str) -> None:
    s3.fill("footage", keys)


def test_one_and_all_below_a_name(s3: S3Server, tmp_path: Path) -> None:
    put(s3, "2026/a.mp4", "2026/sub/b.MKV", "2026/", "2026/notes.txt", "2026/.hidden.mp4", "2026/.trash/c.mp4", "2026x/d.mp4")
    assert [one.name for one in found("s3://footage/2026/")] == ["a", "b"]
    assert [one.name for one in found("s3://footage/2026")] == ["a", "b"]
    assert len(found("s3://footage")) == 3
    (one,) = found("s3://footage/2026/notes.txt")
    assert one.place == "s3://footage/2026/notes.txt", "what is named outright may have any ending"
    (tmp_path / "list.txt").write_text("s3://footage/2026x/\ns3://footage/2026/a.mp4\n")
    assert [one.name for one in found(str(tmp_path / "list.txt"))] == ["d", "a"]


def test_other_files_are_told(s3: S3Server) -> None:
    put(s3, "2026/", "2026/a.mp4", "2026/ch01.dat", "2026/notes.txt", "2026/.hidden.dat")
    told: list[str] = []
    recordings_of(["s3://footage/2026/"], Config(), told.append)
    assert len(told) == 1
    assert "s3://footage/2026/ also holds 1 file that is left out" in told[0]
    assert "(ch01.dat)" in told[0]


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        (("2026/a.mp4", "2026/b.JPG"), "also holds 1 picture that is left out"),
        (("2026/a.mp4", "2026/sub/b.png", "2026/c.heic", "2026/.d.jpg", "2026/e.jpg/"), "also holds 2 pictures that are left"),
        (("2026/a.mp4", "2026/notes.txt", "other/b.jpg"), ""),
    ],
)
def test_pictures_beside_videos_are_told(s3: S3Server, keys: tuple[str, ...], says: str) -> None:
    put(s3, *keys)
    told: list[str] = []
    recordings_of(["s3://footage/2026/"], Config(), told.append)
    assert len(told) == bool(says)
    assert all(says in sentence for sentence in told)


def test_one_that_is_named_twice_is_there_once_and_paths_go_with_it(s3: S3Server, tmp_path: Path) -> None:
    put(s3, "a.mp4")
    (tmp_path / "a.mp4").write_text("x")
    names = [one.name for one in found("s3://footage/a.mp4", "s3://footage/", str(tmp_path / "a.mp4"))]
    assert len(names) == len(set(names)) == 2


@pytest.mark.parametrize(
    "key",
    ["a b.mp4", "50%25.mp4", "ä/日本.mp4", "a/../b.mp4", "a//b.mp4", "x?y#z.mp4", "day=1/c.mp4", "/d.mp4", "a+b.mp4"],
)
def test_odd_names(s3: S3Server, key: str) -> None:
    put(s3, key)
    (outright,), (listed,) = found(f"s3://footage/{key}"), found("s3://footage/")
    assert outright == listed
    assert outright.place == f"s3://footage/{key}"
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(sent(outright)), type=Sent).recording() == outright


def test_capitals_count(s3: S3Server) -> None:
    put(s3, "a.mp4", "A.mp4", "a.MP4")
    assert len({one.name for one in found("s3://footage/")}) == 3


def test_one_that_is_called_as_a_folder_is(s3: S3Server) -> None:
    """In object storage both may be there; an empty one, or one that ends with a slash, is some programs' mark of a folder."""
    put(s3, "day", "day/a.mp4", "day/b.mp4/", "night/c.mp4")
    s3.client.put_object(Bucket="footage", Key="night", Body=b"")
    assert [one.place for one in found("s3://footage/day")] == ["s3://footage/day"]
    assert [one.place for one in found("s3://footage/day/")] == ["s3://footage/day/a.mp4"]
    assert [one.place for one in found("s3://footage/night")] == ["s3://footage/night/c.mp4"]
    s3.client.put_object(Bucket="footage", Key="empty.mp4", Body=b"")
    assert [one.place for one in found("s3://footage/empty.mp4")] == ["s3://footage/empty.mp4"]


def test_two_thousand(s3: S3Server) -> None:
    s3.fill("footage", (f"many/{number:04d}.mp4" for number in range(2000)))
    assert [one.name for one in found("s3://footage/many/")] == [f"{number:04d}" for number in range(2000)]


def test_what_is_known_before_it_is_fetched(s3: S3Server) -> None:
    put(s3, "a.mp4")
    (one,) = found("s3://footage/a.mp4")
    facts = one.facts()
    assert (facts["path"], facts["size_bytes"]) == ("s3://footage/a.mp4", 1)
    assert facts["mtime_ns"] > 0
    assert facts["etag"]
    assert one.told(f"{one.path} is not a video") == "s3://footage/a.mp4 is not a video"


def test_settings_of_a_source_hold_for_it(s3: S3Server) -> None:
    put(s3, "cam_20260102_030405.mp4")
    source = SourceConfig(uri="s3://footage/", rotate=90, clock_from="name:cam_%Y%m%d_%H%M%S")
    (one,) = found(config=Config(sources=[source]))
    assert one.reading.appearance.rotate == 90
    assert one.reading.clock == "file_name"
    put(s3, "other.mp4")
    with pytest.raises(ConfigError, match="cannot stand for the 2 recordings of s3://footage/"):
        found(config=Config(sources=[SourceConfig(uri="s3://footage/", name="door")]))


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("s3://footage/none/", "there is nothing at s3://footage/none/: check the name"),
        ("s3://footage/none.mp4", "there is nothing at s3://footage/none.mp4"),
        ("s3://footage/A.mp4", "case matters"),
        ("s3://footage/texts/", "holds no video"),
        ("s3://footage/face.jpg", "is a picture"),
        ("s3://me:secret@footage/a.mp4", "credentials do not belong in an address"),
        ("s3:/footage/a.mp4", "write s3://BUCKET/NAME"),
    ],
)
def test_what_is_refused(s3: S3Server, uri: str, words: str) -> None:
    put(s3, "a.mp4", "texts/notes.txt", "face.jpg")
    with pytest.raises(UsageError, match=words) as refused:
        found(uri)
    assert "secret" not in str(refused.value)


def test_a_bucket_that_is_not_there(s3: S3Server) -> None:
    with pytest.raises(StorageError, match="there is no bucket nowhere"):
        found("s3://nowhere/")
