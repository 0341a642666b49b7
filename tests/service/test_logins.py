"""Users and passwords of cameras: sent to nobody that they were not given for, and gone with the last that names them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from engine.config import SourceConfig
from engine.control.answers import Stream
from engine.control.verbs import AddStream, AnyVerb, ChangeStream, Probe, RemoveStream
from engine.errors import SourceError
from engine.service.build import Parts
from engine.source.cameras import renewed
from engine.source.credentials import credentials_from_url
from tests.service.parts import added, ask, code, service_in

OURS, EVIL = "rtsp://192.0.2.10/x", "rtsp://198.51.100.66/x"
WITH_LOGIN = "rtsp://admin:s3cret@192.0.2.10/x"


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    with service_in(tmp_path) as opened:
        yield opened


def files(parts: Parts) -> list[Path]:
    return sorted(parts.directory.credentials.iterdir())


def url(parts: Parts, name: str) -> str:
    return parts.streams.control.changed({})[name].url


@pytest.mark.parametrize(
    "address",
    [
        EVIL, "http://198.51.100.66/v.mjpg", "rtsp://192.0.2.10:8554/x", "http://192.0.2.10/v.mjpg", "rtsp://camera.example/x",
        "srt://198.51.100.66:9000",
    ],
)  # fmt: skip
@pytest.mark.parametrize("key", ["uri", "crop_uri"])
def test_a_password_is_sent_to_no_other_host(parts: Parts, key: str, address: str) -> None:
    ask(parts, added("door", WITH_LOGIN))
    (file,) = files(parts)
    assert "s3cret" in url(parts, "door")
    tries: list[AnyVerb] = [ChangeStream(name="door", changes={key: address})]
    if not address.startswith("srt"):
        source = msgspec.convert({"uri": OURS, "name": "other", "credentials": file.name, key: address}, SourceConfig)
        tries += [AddStream(source=source), Probe(source=source)]
    assert {code(parts, one) for one in tries} <= {"refused", "bad_request"}
    assert parts.state.desired.streams.keys() == {"door"}
    assert parts.state.desired.streams["door"].source.uri == OURS
    assert parts.streams.control.changed({}) == {}, "nothing else was ever to be read"
    assert files(parts) == [file]


def test_a_password_that_is_changed_in_its_file_is_taken_when_the_old_one_is_refused(parts: Parts) -> None:
    ask(parts, added("door", WITH_LOGIN))
    (file,) = files(parts)
    camera = parts.streams.control.changed({})["door"]
    file.write_text("admin:another\n")
    assert renewed(camera).url == WITH_LOGIN.replace("s3cret", "another")


def test_the_same_host_keeps_the_password_and_another_gets_one_anew(parts: Parts) -> None:
    ask(parts, added("door", WITH_LOGIN))
    assert code(parts, ChangeStream(name="door", changes={"uri": "rtsp://192.0.2.10:554/other"})) == "done"
    assert url(parts, "door").startswith("rtsp://admin:s3cret@192.0.2.10")
    refused = ask(parts, ChangeStream(name="door", changes={"uri": EVIL})).problem
    assert refused is not None
    assert "not given for 198.51.100.66:554: give them anew" in refused.message
    assert code(parts, ChangeStream(name="door", changes={"uri": "rtsp://eve:mine@198.51.100.66/x"})) == "done"
    assert url(parts, "door") == "rtsp://eve:mine@198.51.100.66/x"


@pytest.mark.parametrize("crop_uri", [EVIL, "rtsp://192.0.2.10:8554/y", "http://192.0.2.10/y"])
def test_a_login_of_one_address_is_not_sent_to_the_host_of_the_other(tmp_path: Path, crop_uri: str) -> None:
    """Neither one that was given, nor one of the configuration file."""
    file = f'sources: [{{uri: "{WITH_LOGIN}", name: one}}]\n'
    with service_in(tmp_path, sources=file) as parts:
        assert code(parts, AddStream(source=SourceConfig(uri=WITH_LOGIN, crop_uri=crop_uri, name="door"))) == "bad_request"
        assert code(parts, ChangeStream(name="one", changes={"crop_uri": crop_uri})) == "bad_request"
        assert code(parts, ChangeStream(name="one", changes={"crop_uri": "rtsp://192.0.2.10/y"})) == "done"


@pytest.mark.parametrize(
    ("hosts", "uri", "wanted"),
    [
        (None, OURS, "refused"), ("", OURS, "refused"), ("198.51.100.66", OURS, "refused"), ("192.0.2.10:80", OURS, "refused"),
        ("192.0.2.1", OURS, "refused"), ("Camera.Example\n192.0.2.10\n", OURS, "done"), ("192.0.2.10:554", OURS, "done"),
        ("Camera.Example", "rtsp://camera.example/x", "done"),
    ],
)  # fmt: skip
def test_a_file_of_an_administrator_is_sent_to_the_hosts_beside_it(
    parts: Parts, hosts: str | None, uri: str, wanted: str
) -> None:
    path = parts.directory.credentials / "hall"
    path.write_text("admin:s3cret\n")
    path.chmod(0o600)
    if hosts is not None:
        path.with_name("hall.hosts").write_text(hosts)
    assert code(parts, AddStream(source=SourceConfig(uri=uri, name="door", credentials="hall"))) == wanted


def test_the_hosts_beside_a_file_reach_the_process_of_its_camera_and_alone_say_who_may_have_it(parts: Parts) -> None:
    """A camera that was added before made its host one that may have the password of whatever the file holds later."""
    path = parts.directory.credentials / "hall"
    path.write_text("admin:s3cret\n")
    path.chmod(0o600)
    hosts = path.with_name("hall.hosts")
    hosts.write_text("192.0.2.10\n")
    add = AddStream(source=SourceConfig(uri=OURS, name="door", credentials="hall"))
    assert code(parts, add) == "done"
    camera = parts.streams.control.changed({})["door"]
    assert renewed(camera).url == "rtsp://admin:s3cret@192.0.2.10/x"
    hosts.write_text("192.0.2.11\n")
    with pytest.raises(SourceError, match=r"write 192.0.2.10:554 into .*hall.hosts"):
        renewed(camera)
    assert code(parts, AddStream(source=SourceConfig(uri=f"{OURS}2", name="other", credentials="hall"))) == "refused"
    assert code(parts, ChangeStream(name="door", changes={"uri": f"{OURS}2"})) == "refused"


@pytest.mark.parametrize("login", [":pw", ":", "u%3Ax:pw", "u:p%0Aw", "u:p%0D", "%00:pw", "%EF%BB%BFu:pw", "u:%7F"])
def test_a_login_that_no_file_can_hold_is_refused(parts: Parts, login: str) -> None:
    """It was accepted, and then nothing could be read, or another user was sent."""
    refused = ask(parts, added("door", f"rtsp://{login}@192.0.2.10/x")).problem
    assert refused is not None
    assert "cannot be kept: there must be a user" in refused.message
    assert files(parts) == []


@pytest.mark.parametrize("login", ["u", "u:", "u:p@w:x", "u:%20p%20", "%FF:%C3%A9", "u:p%25%2F%3F%23"])
def test_a_login_is_the_same_when_it_is_read_from_its_file(parts: Parts, login: str) -> None:
    assert code(parts, added("door", f"rtsp://{login}@192.0.2.10/x")) == "done"
    camera = parts.streams.control.changed({})["door"]
    assert renewed(camera).url == camera.url
    given = credentials_from_url(login if ":" in login else f"{login}:", "")
    assert camera.url == f"rtsp://{given.encoded}@192.0.2.10/x"


def test_the_same_camera_with_the_same_password_twice_is_no_conflict(parts: Parts) -> None:
    assert [code(parts, added("door", WITH_LOGIN)) for _ in range(2)] == ["done", "done"]
    assert code(parts, added("door", WITH_LOGIN.replace("s3cret", "other"))) == "conflict"
    assert code(parts, ChangeStream(name="door", changes={"uri": WITH_LOGIN})) == "done"
    assert len(files(parts)) == 1


def test_what_is_refused_or_late_leaves_no_file(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    late = time.time_ns() - 1
    assert code(parts, added("door", WITH_LOGIN), deadline_ns=late) == "deadline"
    monkeypatch.setattr("engine.service.service.check_deadline", lambda request: None)
    assert code(parts, added("door", WITH_LOGIN), deadline_ns=late) == "deadline"
    assert code(parts, added("door")) == "done"
    assert code(parts, ChangeStream(name="door", changes={"uri": WITH_LOGIN}), deadline_ns=late) == "deadline"
    assert code(parts, added("door", WITH_LOGIN)) == "conflict"
    assert files(parts) == []


def test_a_state_that_cannot_be_kept_leaves_no_file(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("engine.service.desired._write", full)
    assert code(parts, added("door", WITH_LOGIN)) == "failed"
    assert files(parts) == []


def test_a_file_stays_while_a_stream_names_it(parts: Parts) -> None:
    ask(parts, added("door", WITH_LOGIN))
    (file,) = files(parts)
    shared = AddStream(source=SourceConfig(uri="rtsp://192.0.2.10/second", name="hall", credentials=file.name))
    assert isinstance(ask(parts, shared).result, Stream)
    for name in ("door", "hall"):
        assert files(parts) == [file]
        ask(parts, RemoveStream(name=name))
    ask(parts, added("gate"))
    assert files(parts) == []
