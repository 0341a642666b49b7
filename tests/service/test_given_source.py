"""Cameras that others give: no file, no other protocol, no network that was not allowed, and no password anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.config import SourceConfig
from engine.control.answers import Stream, encode_reply
from engine.control.verbs import AddStream, ChangeStream, GetStatus, ListStreams, PauseStream, RemoveStream
from engine.pipeline.control import RunControl
from engine.service.build import Parts
from tests.service.parts import ADDRESSES, Says, added, ask, service_in

GOOD = "rtsp://192.0.2.10/stream1"


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    with service_in(tmp_path) as opened:
        yield opened


def add(parts: Parts, uri: str, **more: object) -> object:
    """Return the stream, or the code of the problem."""
    reply = ask(parts, AddStream(source=SourceConfig(uri=uri, name="door", **more)))  # type: ignore[arg-type]
    return reply.result if reply.problem is None else reply.problem.code


@pytest.mark.parametrize(
    "uri",
    [
        "file:///etc/passwd", "/etc/passwd", "passwd", "concat:/etc/passwd|/etc/hosts", "concatf:list", "subfile,,start,0:x",
        "pipe:0", "data:text/plain,x", "crypto:file:/x", "tee:x", "cache:http://192.0.2.10/", "async:file:x",
        "udp://239.0.0.1:5000", "tcp://192.0.2.10:5000?listen", "tcp://192.0.2.10:5000", "rtp://192.0.2.10:5000",
        "srt://192.0.2.10:9000?mode=listener", "srt://:9000?mode=listener", "ftp://192.0.2.10/x", "gopher://192.0.2.10/x",
        "smb://192.0.2.10/x", "unix:/run/x", "/dev/video0", "/dev/mem", "/dev/null", "v4l2:/dev/video0",
        "http://inside.example/x", "http://both.example/x", "http://metadata.example/latest", "http://169.254.169.254/latest",
        "rtsp://[::1]/x", "rtsp://[::ffff:127.0.0.1]/x", "rtsp://127.0.0.1/x", "rtsp://10.0.0.7/x",
        "rtsp://nobody.example/x", "rtsp:///x", "rtsp://192.0.2.10/user=admin&password=secret&channel=1",
        "rtsp://192.0.2.10/user=ada_password=secret_channel=1", "rtsp://192.0.2.10/user%3Dada_password%3Dsecret",
        "http://192.0.2.10/v.cgi?loginuse=ada&loginpas=secret",
        "http://192.0.2.10/v.mjpg?user=a&pwd=secret", "http://192.0.2.10/v?token=abc", "",
        "rtsp://public.example@127.0.0.1/x", "rtsp://127.0.0.1#@public.example/x", "rtsp://127.0.0.1\\@public.example/x",
        "rtsp://192.0.2.10/a b", "rtsp://192.0.2.10/\r\nX: y", "rtsp://192.0.2.10:99999/x", " file:///etc/passwd",
    ],
)  # fmt: skip
def test_refused(parts: Parts, uri: str) -> None:
    assert add(parts, uri) in ("refused", "bad_request")
    assert ask(parts, ListStreams()).result.streams == []  # type: ignore[union-attr]
    assert list(parts.directory.credentials.iterdir()) == []


@pytest.mark.parametrize("lacking", ["", "srt", "tls"])
def test_what_this_ffmpeg_does_not_read_is_neither_taken_nor_offered(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, lacking: str
) -> None:
    monkeypatch.setattr("engine.source.camera_url.has_protocol", lambda name: name != lacking)
    gone = {"": [], "srt": ["srt"], "tls": ["rtsps", "https", "rtmps"]}[lacking]
    for kind in ("rtsp", "rtsps", "http", "https", "srt", "rtmp", "rtmps"):
        problem = ask(parts, added(kind, f"{kind}://192.0.2.10:9000/x")).problem
        assert (problem is not None) == (kind in gone), kind
        assert problem is None or f"was built without {lacking}" in problem.message
    offered = ask(parts, added("x", "ftp://192.0.2.10/x")).problem
    assert offered is not None
    assert "give rtsp://" in offered.message
    assert [kind for kind in gone if f" {kind}://" in offered.message] == []


@pytest.mark.parametrize(
    "options",
    [
        {"protocol_whitelist": "file,tcp"}, {"protocol_blacklist": ""}, {"allowed_extensions": "ALL"},
        {"format_whitelist": "hls"},
        {"headers": "X: y\r\nZ: w"}, {"cookies": "a=b"}, {"http_proxy": "http://10.0.0.7"}, {"post_data": "x"},
        {"cafile": "/etc/passwd"}, {"cert_file": "/etc/passwd"}, {"key_file": "x"}, {"listen": "1"}, {"max_redirects": "9"},
        {"rtsp_flags": "listen"}, {"rtsp_flags": "prefer_tcp+listen"}, {"rtsp_flags": "0x10"}, {"user_agent": "a\r\nB: c"},
        {"user_agent": "x" * 300}, {"location": "http://10.0.0.7"}, {"whitelist": "x"}, {"dump_separator": "x"},
        {"f": "concat"},
        {"localaddr": "10.0.0.7"}, {"sources": "x"}, {"passphrase": "secret"}, {"PROTOCOL_WHITELIST": "file"},
    ],
)  # fmt: skip
def test_options_cannot_widen_what_ffmpeg_may_do(parts: Parts, options: dict[str, str]) -> None:
    assert add(parts, GOOD, options=options) in ("refused", "bad_request")


def test_harmless_options_are_taken(parts: Parts) -> None:
    options = {"rtsp_transport": "http", "user_agent": "Mozilla/5.0 (door)", "rtsp_flags": "prefer_tcp+filter_src"}
    assert isinstance(add(parts, GOOD, options=options), Stream)


def test_a_camera_by_http_follows_no_redirection_and_no_play_list(parts: Parts) -> None:
    assert isinstance(add(parts, "http://192.0.2.10/v.mjpg"), Stream)
    camera = parts.streams.control.changed({})["door"]
    assert camera.options["max_redirects"] == "0"
    assert "hls" not in camera.options["format_whitelist"]
    assert parts.state.desired.streams["door"].source.options == {}


@pytest.mark.parametrize("uri", ["rtsp://user:s3cret%40@192.0.2.10/stream1", "http://user:s3cret%40@192.0.2.10/v.mjpg"])
def test_a_password_is_put_into_a_file_and_stands_nowhere_else(tmp_path: Path, uri: str) -> None:
    says = Says()
    with service_in(tmp_path, says) as parts:
        reply = ask(parts, AddStream(source=SourceConfig(uri=uri, name="door")), key="k")
        stream = reply.result
        assert isinstance(stream, Stream)
        (file,) = parts.directory.credentials.iterdir()
        assert file.read_bytes() == b"user:s3cret@\n"
        assert file.stat().st_mode & 0o777 == 0o600
        assert stream.source.credentials == "given"
        everything = [encode_reply(reply), encode_reply(ask(parts, ListStreams())), encode_reply(ask(parts, GetStatus()))]
        everything += [parts.directory.desired.read_bytes(), "".join(says.sentences).encode()]
        assert not any(b"s3cret" in one for one in everything)
        assert "user:s3cret%40@192.0.2.10" in parts.streams.control.changed({})["door"].url
        assert not any(file.name.encode() in one for one in everything[:3])
        ask(parts, RemoveStream(name="door"))
        assert file.exists(), "the state before, which may be taken back, names it"
        ask(parts, PauseStream(name="nobody"))
        ask(parts, AddStream(source=SourceConfig(uri=GOOD, name="hall")))
        assert list(parts.directory.credentials.iterdir()) == []


def test_credentials_of_a_refused_camera_are_not_kept(parts: Parts) -> None:
    assert isinstance(add(parts, GOOD), Stream)
    assert add(parts, "rtsp://user:s3cret@192.0.2.11/x") == "conflict"
    assert list(parts.directory.credentials.iterdir()) == []


def test_credentials_that_nobody_remembers_are_removed_at_the_start(tmp_path: Path) -> None:
    with service_in(tmp_path) as parts:
        (parts.directory.credentials / "given-gone-12345678").write_text("a:b")
        (parts.directory.credentials / "door").write_text("a:b")
    with service_in(tmp_path) as parts:
        assert [one.name for one in parts.directory.credentials.iterdir()] == ["door"]


@pytest.mark.parametrize("name", ["../desired.json", "/etc/passwd", "a/b", "..", ".hidden", "a\0b", "ä", "missing"])
def test_credentials_are_the_name_of_a_file_in_the_folder(parts: Parts, name: str) -> None:
    assert add(parts, GOOD, credentials=name) == "bad_request"


def test_credentials_that_others_may_read_are_refused(parts: Parts) -> None:
    path = parts.directory.credentials / "door"
    path.write_text("user:pass\n")
    path.chmod(0o640)
    assert add(parts, GOOD, credentials="door") == "bad_request"
    path.chmod(0o600)
    (parts.directory.credentials / "door.hosts").write_text("192.0.2.10\n")
    assert isinstance(add(parts, GOOD, credentials="door"), Stream)
    assert path.exists()


def test_a_change_is_checked_like_a_new_camera(parts: Parts) -> None:
    assert isinstance(add(parts, GOOD), Stream)
    for changes in ({"uri": "rtsp://127.0.0.1/x"}, {"options": {"protocol_whitelist": "file"}}, {"credentials": "../x"}):
        problem = ask(parts, ChangeStream(name="door", changes=changes)).problem
        assert problem is not None
        assert problem.code in ("refused", "bad_request")
    assert parts.state.desired.streams["door"].source.uri == GOOD


def test_a_name_that_leads_elsewhere_by_now_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with service_in(tmp_path) as parts:
        for name, host in (("door", "public.example"), ("hall", "camera.example")):
            ask(parts, AddStream(source=SourceConfig(uri=f"rtsp://{host}/x", name=name)))
    monkeypatch.setitem(ADDRESSES, "public.example", ["169.254.169.254"])
    monkeypatch.delitem(ADDRESSES, "camera.example")
    with service_in(tmp_path) as parts:
        forbidden = parts.streams.forbidden(parts.state.desired)
        assert forbidden.keys() == {"door"}, "one that nobody knows at the moment is tried again"
        read = parts.streams.readable(parts.state.desired, RunControl(), forbidden)
        assert [one.name for one in read] == ["hall"]
        assert "169.254.169.254" in parts.streams.faults["door"]
