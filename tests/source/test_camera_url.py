from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ConfigError
from engine.source.camera_url import SCHEMES, has_protocol, lacking_schemes, looks_like_url, parse_camera_url, scheme_of

hosts = st.sampled_from(["10.0.0.5", "cam.local", "[fe80::1]", "kamera-3"])
ports = st.none() | st.integers(1, 65535)
paths = st.from_regex(r"(/[A-Za-z0-9_.~%-]{0,8}){0,3}(\?[a-z]=[a-z0-9&]{0,6})?", fullmatch=True)


@given(st.sampled_from(["rtsp", "RTSP", "Http", "rtmp"]), st.sampled_from(["", "u:p@", "u@", "u:p:q@"]), hosts, ports, paths)
def test_a_good_url_comes_through_as_it_was(scheme, user, host, port, path):
    where = host + (f":{port}" if port else "")
    url = parse_camera_url(f"{scheme}://{user}{where}{path}")
    assert (url.name, url.user_info, url.host, url.port, url.tail) == (scheme.lower(), user[:-1], host, port, path)
    assert url.for_ffmpeg("a:b") == f"{scheme.lower()}://a:b@{where}{path}"
    assert url.for_ffmpeg("") == f"{scheme.lower()}://{where}{path}"
    assert url.shown.lower().startswith(f"{scheme.lower()}://{where}")


@pytest.mark.parametrize(
    ("uri", "fault"),
    [
        ("rtsp://", "names no host"),
        ("rtsp:///cam1", "names no host"),
        ("rtsp://:554/cam1", "names no host"),
        ("rtsp://admin:hunter2@/cam1", "names no host"),
        ("tcp://:5000", "names no host"),
        ("rtsp://${CAMERA}/cam1", "has a placeholder for a host; variables are not replaced"),
        ("rtsp://admin:hunter2@$HOST:554/cam1", "has a placeholder for a host"),
        ("rtsp://{{ host }}/cam1".replace(" ", ""), "has a placeholder for a host"),
        ("rtsp://{{ host }}/cam1", "has a placeholder for a host"),
        ("rtsp://<IP>/cam1", "has a placeholder for a host"),
        ("rtsp://%CAMERA%/cam1", "has a placeholder for a host"),
        ("rtsp://cam-${N}.example.org/cam1", "has a placeholder for a host"),
        ("rtsp://10.0.0.5:0/cam1", "port that is not a number from 1 to 65535"),
        ("rtsp://10.0.0.5:65536/cam1", "port that is not"),
        ("rtsp://10.0.0.5:/cam1", "port that is not"),
        ("rtsp://10.0.0.5:hunter2/cam1", "port that is not"),
        ("rtsp://admin:hunter2", "port that is not"),
        ("rtsp://10.0.0.5:٣/cam1", "port that is not"),
        ("rtsp://fe80::1/cam1", "in brackets"),
        ("udp://239.0.0.1", "names no port"),
        ("udp://admin:hunter2@239.0.0.1:5000", "has a user, which udp does not know"),
        ("rtsp://10.0.0.5/my cam", "holds spaces"),
        (" rtsp://10.0.0.5/cam", "holds spaces"),
        ("rtsp://10.0.0.5/cam\n", "holds spaces"),
        ("rtsp://admin:hun ter2@10.0.0.5/cam", "holds spaces"),
        ("rtsp://admin:hunter2/@10.0.0.5/cam", "an @ after the host: in a password write / as %2F"),
        ("rtsp://admin:hunter2?@10.0.0.5/cam", "an @ after the host"),
        ("rtsp://admin:hunter2#@10.0.0.5/cam", "an @ after the host"),
        ("rtsp:/admin:hunter2@10.0.0.5/cam", "needs two slashes after rtsp:"),
        ("rtsp:admin:hunter2@10.0.0.5/cam", "needs two slashes after rtsp:"),
        ("rtps://admin:hunter2@10.0.0.5/cam", "a scheme that is not known: give rtsp://, rtsps://, http://, https://, udp://"),
        ("v4l2:///dev/video0", "a device such as /dev/video0"),
    ],
)
def test_a_bad_url_is_one_sentence_with_an_example_and_without_the_password(uri, fault):
    assert looks_like_url(uri)
    with pytest.raises(ConfigError, match=re.escape(fault)) as caught:
        parse_camera_url(uri)
    message = str(caught.value)
    assert "hun" not in message
    assert "ter2" not in message
    assert "\n" not in message
    assert "an example: " in message or "not known" in message


def test_what_ffmpeg_was_built_without_is_said():
    # The wheels of PyAV come without SRT; a PyAV that has it takes the address.
    try:
        assert parse_camera_url("srt://10.0.0.5:9000").port == 9000
    except ConfigError as error:
        assert "built without srt" in str(error)  # noqa: PT017


def test_every_example_is_a_good_url():
    for name, scheme in SCHEMES.items():
        if name != "srt":
            assert parse_camera_url(scheme.example).name == name


@pytest.mark.parametrize("uri", ["udp://@239.0.0.1:5000", "udp://:5000", "udp://@:5000", "tcp://:5000?listen"])
def test_addresses_that_wait_for_the_camera_need_no_host(uri):
    assert parse_camera_url(uri).port == 5000


@pytest.mark.parametrize("path", ["/dev/video0", "archive/a.mp4", "C:/x.mp4", "cam[1].mp4", "a:b.mp4", "./rtsp://x", ""])
def test_paths_are_no_urls(path):
    assert not looks_like_url(path)
    assert scheme_of(path) == ""


def test_a_file_url_has_its_scheme():
    assert scheme_of("FILE:///x/a.mp4") == "file"


def test_a_protocol_that_ffmpeg_lacks_is_noticed():
    assert has_protocol("tcp")
    assert not has_protocol("nosuch")


def test_only_kinds_that_need_what_is_missing_are_lacking(monkeypatch):
    monkeypatch.setattr("engine.source.camera_url.has_protocol", lambda name: name != "srt")
    assert lacking_schemes() == ["srt"]
    monkeypatch.setattr("engine.source.camera_url.has_protocol", lambda name: True)
    assert lacking_schemes() == []
