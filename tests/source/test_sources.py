"""Cameras and recordings together, as a run reads them."""

from __future__ import annotations

import base64
import os
import socket
import threading

import av
import pytest

from engine.config import LiveConfig, SourceConfig
from engine.contracts.camera import Camera
from engine.contracts.messages import check_stream_name
from engine.contracts.recording import Appearance, Recording
from engine.errors import ConfigError
from engine.source import cameras
from engine.source.sources import expand_sources, tell_of_repeats

LIVE = LiveConfig()


def camera(uri: str, live: LiveConfig = LIVE, **keys: object) -> Camera:
    (found,) = expand_sources([SourceConfig(uri=uri, **keys)], live)
    assert isinstance(found, Camera)
    return found


def write_credentials(path, line="admin:hunter2", mode=0o600):
    path.write_text(f"{line}\n")
    path.chmod(mode)
    return str(path)


def test_order_and_names_over_both_kinds(tmp_path):
    for name in ("b.mp4", "a.mp4"):
        (tmp_path / name).write_bytes(b"x")
    uris = [
        "rtsp://10.0.0.5/cam1",
        str(tmp_path),
        "/dev/video0",
        "rtsp://u:p@10.0.0.5/cam1?channel=2",
        "rtsp://10.0.0.5/cam1?x=2",
    ]
    found = expand_sources([*(SourceConfig(uri=uri) for uri in uris), SourceConfig(uri="http://h/x", name="a")], LIVE)
    names = ["10.0.0.5_cam1", "a-2", "b", "video0", "10.0.0.5_cam1_channel2", "10.0.0.5_cam1-2", "a"]
    assert [stream.name for stream in found] == names
    assert [type(stream) for stream in found] == [Camera, Recording, Recording, Camera, Camera, Camera, Camera]


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("rtsp://10.0.0.5/cam1", "10.0.0.5_cam1"),
        ("rtsp://10.0.0.5:554/cam1/", "10.0.0.5_cam1"),
        ("rtsp://10.0.0.5:8554/Streaming/Channels/101", "10.0.0.5_8554_101"),
        ("rtsp://10.0.0.5/cam/realmonitor?channel=2&subtype=0", "10.0.0.5_channel2_subtype0"),
        ("rtsp://10.0.0.5/axis-media/media.amp?videocodec=h264&camera=2", "10.0.0.5_camera2"),
        ("rtsp://10.0.0.5/profile2/media.smp?profile=Main", "10.0.0.5_profile2_media.smp_Main"),
        ("rtsp://admin:hunter2@cam.local/live.sdp?user=admin&password=hunter2&ch=3", "cam.local_live_ch3"),
        ("rtsp://10.0.0.5/user=admin&password=hunter2&channel=1/x", "10.0.0.5_x_channel1"),
        ("rtsp://10.0.0.5/user=admin_password=hunter2_channel=2_stream=0.sdp", "10.0.0.5_channel2_stream0"),
        ("rtsp://10.0.0.5/user%3Dadmin%26password%3Dhunter2/x", "10.0.0.5_x"),
        ("rtsp://cam.local/%C3%BC%20Hof", "cam.local_u_Hof"),
        ("tcp://0.0.0.0:5000?listen", "tcp_5000"),
        ("rtsp://[fe80::1]/x", "fe80_1_x"),
        ("udp://@239.0.0.1:5000", "239.0.0.1_5000"),
        ("udp://:5000", "udp_5000"),
        ("http://ä/", "a"),
        ("rtsp://h/" + "x" * 200, "h_" + "x" * 62),
        ("/dev/video12", "video12"),
        ("/dev/v4l/by-id/usb-046d_HD_Webcam-video-index0", "usb-046d_HD_Webcam-video-index0"),
    ],
)
def test_a_name_comes_from_host_and_path_or_device(uri, name):
    found = camera(uri)
    assert found.name == name == check_stream_name(name)
    assert "hunter2" not in f"{found.name} {found.shown} {found!r}"


def test_two_streams_with_one_name_are_refused(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"x")
    sources = [SourceConfig(uri=uri, name="door") for uri in ("rtsp://10.0.0.5/1", str(tmp_path / "a.mp4"))]
    with pytest.raises(ConfigError, match="two streams have the name 'door'"):
        expand_sources(sources, LIVE)


def test_settings_of_the_source_win_over_those_for_all():
    live = LiveConfig(
        detect_fps=7.0, stall_seconds=20.0, hwaccel="none", max_reconnects=9, connect_seconds=3.0, stalled_after_seconds=1.5,
        reconnect_first_seconds=0.1, reconnect_cap_seconds=4.0, auth_wait_seconds=12.0, stable_seconds=33.0,
    )  # fmt: skip
    plain = camera("rtsp://h/x", live)
    assert (plain.detect_fps, plain.stall_seconds, plain.hwaccel, plain.max_reconnects) == (7.0, 20.0, "none", 9)
    assert (plain.connect_seconds, plain.stalled_after_seconds, plain.reconnect_first_seconds) == (3.0, 1.5, 0.1)
    assert (plain.reconnect_cap_seconds, plain.auth_wait_seconds, plain.stable_seconds) == (4.0, 12.0, 33.0)
    assert (plain.transport, plain.silent_by_design, plain.options) == ("tcp", False, {})
    own = camera(
        "rtsp://h/x", live, detect_fps=2.0, stall_seconds=5.0, hwaccel="vaapi", max_reconnects=0, transport="udp",
        silent_by_design=True, options={"buffer_size": "65536"},
    )  # fmt: skip
    assert (own.detect_fps, own.stall_seconds, own.hwaccel, own.max_reconnects) == (2.0, 5.0, "vaapi", 0)
    assert (own.transport, own.silent_by_design, own.options) == ("udp", True, {"buffer_size": "65536"})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("credentials", "x"), ("transport", "udp"), ("stall_seconds", 3.0), ("silent_by_design", True), ("max_reconnects", 0),
        ("hwaccel", "auto"), ("detect_fps", 5.0), ("options", {"a": "b"}),
    ],
)  # fmt: skip
def test_a_recording_has_no_camera_keys(tmp_path, key, value):
    (tmp_path / "a.mp4").write_bytes(b"x")
    with pytest.raises(ConfigError, match=f"is a recording, `{key}` is for cameras"):
        expand_sources([SourceConfig(uri=str(tmp_path / "a.mp4"), **{key: value})], LIVE)
    with pytest.raises(ConfigError, match=f"`{key}` is for cameras"):
        expand_sources([SourceConfig(uri=f"file://{tmp_path}/a.mp4", **{key: value})], LIVE)


def test_credentials_come_from_the_file_and_are_not_shown(tmp_path):
    found = camera("rtsp://10.0.0.5/cam1", credentials=write_credentials(tmp_path / "c", "ad min:hu/nt@er:2%#ä"))
    assert found.url == "rtsp://ad%20min:hu%2Fnt%40er%3A2%25%23%C3%A4@10.0.0.5/cam1"
    assert found.shown == "rtsp://10.0.0.5/cam1"
    assert "nt" not in repr(found)


def test_wrong_credentials_say_what_to_do(tmp_path):
    path = write_credentials(tmp_path / "c")
    for uri, keys, fault in [
        ("rtsp://admin:hunter2@10.0.0.5/cam1", {"credentials": path}, "in its address and in `credentials`: give them once"),
        ("udp://10.0.0.5:5000", {"credentials": path}, "udp has no user names"),
        ("/dev/video0", {"credentials": path}, "`credentials` is for network cameras"),
        ("/dev/video0", {"transport": "udp"}, "`transport` is for network cameras"),
        ("rtsps://10.0.0.5/cam1", {"transport": "udp"}, "for rtsp:// only"),
        ("rtsp://10.0.0.5/cam1", {"credentials": str(tmp_path / "none")}, "cannot be read"),
        ("rtsp://10.0.0.5/cam1", {"credentials": write_credentials(tmp_path / "d", "u:" + "ä" * 30)}, "FFmpeg takes 127"),
        ("rtmp://10.0.0.5/cam1", {"credentials": write_credentials(tmp_path / "e", "u:hunter2#")}, "choose another password"),
        ("rtsp://admin:hunter2%@10.0.0.5/cam1", {}, "write it as %25"),
    ]:
        with pytest.raises(ConfigError, match=fault) as caught:
            camera(uri, **keys)
        assert "hunter2" not in str(caught.value)


def test_a_password_that_all_may_read_is_warned_of(tmp_path):
    warnings: list[str] = []
    source = SourceConfig(uri="rtsp://10.0.0.5/cam1", credentials=write_credentials(tmp_path / "c", mode=0o644))
    expand_sources([source], LIVE, warnings.append)
    assert len(warnings) == 1
    assert "chmod 600" in warnings[0]


@pytest.mark.parametrize("device", ["/dev/null", "/dev/zero"])
def test_other_devices_are_no_cameras(device, tmp_path):
    link = tmp_path / "cam"
    link.symlink_to(device)
    for uri in (device, str(link)):
        with pytest.raises(ConfigError, match=r"is not a camera: give a video device .* to a file first"):
            camera(uri)


def test_a_link_to_a_video_device_is_followed_unless_it_is_one_of_udev(tmp_path, monkeypatch):
    monkeypatch.setattr(cameras, "_V4L_MAJOR", os.major(os.stat("/dev/null").st_rdev))
    link = tmp_path / "front"
    link.symlink_to("/dev/null")
    assert (camera(str(link)).url, camera(str(link)).name, camera(str(link)).is_device) == ("/dev/null", "front", True)
    assert camera("/dev/null").shown == "/dev/null"


def test_ffmpeg_sends_the_credentials_as_they_were_meant(tmp_path):
    for line in ("admin:p@s/w%#:ä ?", "a+b:%41", "u:" + "x" * 125):
        sent: list[str] = []
        with socket.create_server(("127.0.0.1", 0)) as listener:
            server = threading.Thread(target=refuse_twice, args=(listener, sent))
            server.start()
            path = write_credentials(tmp_path / "c", line)
            found = camera(f"rtsp://127.0.0.1:{listener.getsockname()[1]}/x", credentials=path)
            with pytest.raises(av.error.HTTPNotFoundError):
                av.open(found.url, timeout=5.0)
            server.join(5.0)
        assert sent == [line]


def refuse_twice(listener: socket.socket, sent: list[str]) -> None:
    """Ask for a password, note the one that comes, and have nothing to show."""
    connection, _ = listener.accept()
    with connection, connection.makefile("r", encoding="ascii", newline="\r\n") as lines:
        connection.settimeout(5.0)
        header: dict[str, str] = {}
        for line in lines:
            name, _, value = line.strip().partition(": ")
            header[name.lower()] = value
            if name:
                continue
            answer = '401 Unauthorized\r\nWWW-Authenticate: Basic realm="x"'
            if "authorization" in header:
                sent.append(base64.b64decode(header["authorization"].split()[1]).decode())
                answer = "404 Not Found"
            connection.sendall(f"RTSP/1.0 {answer}\r\nCSeq: {header['cseq']}\r\n\r\n".encode())
            if sent:
                return


@pytest.mark.parametrize(
    "keys",
    [{"video_stream": 1}, {"start_time": "2026-03-01"}, {"clock_from": "none"}, {"fps": 5.0}],
    ids=lambda keys: next(iter(keys)),
)
@pytest.mark.parametrize("uri", ["rtsp://admin:hunter2@10.0.0.5/cam1", "/dev/video7"])
def test_a_camera_has_no_use_for_the_keys_of_recordings(uri, keys):
    with pytest.raises(ConfigError, match=f"is a camera, `{next(iter(keys))}` is for recordings") as caught:
        camera(uri, **keys)
    assert "hunter2" not in str(caught.value)


def test_how_pictures_look_goes_to_recordings_and_cameras_alike(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"x")
    keys = {"rotate": "mirror", "deinterlace": "off", "aspect": "16:9"}
    (recording,) = expand_sources([SourceConfig(uri=str(tmp_path / "a.mp4"), **keys)], LIVE)
    assert (
        recording.reading.appearance == camera("rtsp://10.0.0.5/cam1", **keys).appearance == Appearance("mirror", "off", "16:9")
    )


@pytest.mark.parametrize("aspect", ["4x3", "4:0", "0:3", "1.78", ":", "four:three", "4:3:2", " 4:3"])
@pytest.mark.parametrize("uri", ["rtsp://10.0.0.5/cam1", "a.mp4"])
def test_what_is_no_aspect_is_said(tmp_path, monkeypatch, uri, aspect):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.mp4").write_bytes(b"x")
    with pytest.raises(ConfigError, match="give two numbers, such as 4:3"):
        expand_sources([SourceConfig(uri=uri, aspect=aspect)], LIVE)


def repeats(*sources: SourceConfig) -> list[str]:
    told: list[str] = []
    tell_of_repeats(expand_sources(sources, LIVE), told.append)
    return told


@pytest.mark.parametrize("other", ["a.mkv", "./a.mkv", "sub/../a.mkv", "soft.mkv", "hard.mkv", ".", "a*.mkv"])
def test_a_recording_that_is_given_several_times_is_told(tmp_path, monkeypatch, other):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.mkv").write_bytes(b"x")
    (tmp_path / "sub").mkdir()
    (tmp_path / other).symlink_to("a.mkv") if other == "soft.mkv" else None
    os.link("a.mkv", other) if other == "hard.mkv" else None
    (told,) = repeats(SourceConfig(uri="a.mkv"), SourceConfig(uri=other))
    assert told.startswith("a.mkv is given 2 times (")


def test_what_is_another_recording_is_not_given_twice(tmp_path):
    for name in ("a.mkv", "b.mkv", "1.png", "2.png"):
        (tmp_path / name).write_bytes(b"x")
    both = [SourceConfig(uri=str(tmp_path / "a.mkv"), video_stream=number) for number in (0, 1)]
    pictures = [SourceConfig(uri=str(tmp_path / name)) for name in ("*.png", "1.png")]
    cameras = [SourceConfig(uri=f"rtsp://192.0.2.{host}/1") for host in (1, 2)]
    assert repeats(*both, *pictures, *cameras, SourceConfig(uri=str(tmp_path / "b.mkv"))) == []


def test_a_camera_that_is_given_several_times_is_told():
    uri, other = "rtsp://10.0.0.5/1", "rtsp://10.0.0.5/2"
    (told,) = repeats(SourceConfig(uri=uri, name="door"), SourceConfig(uri=other), SourceConfig(uri=uri, name="gate"))
    assert told == f"{uri} is given 2 times (door, gate), and read as often: its faces count as often"
