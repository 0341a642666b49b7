"""The password of a file goes only to the hosts that are listed beside it, at each attempt anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.contracts.camera import Camera
from engine.errors import ConfigError, SourceError
from engine.source.cameras import renewed
from tests.decode.watching import watching
from tests.rtsp.script import Behaviour
from tests.rtsp.scripted import ScriptedServer


class Files:
    """A file with a password, and the hosts that it is for."""

    def __init__(self, folder: Path) -> None:
        self.login, self.hosts = folder / "door.txt", folder / "door.txt.hosts"
        self.settings = {"credentials": str(self.login), "credentials_hosts": str(self.hosts), "auth_wait_seconds": 0.05}

    def write(self, hosts: str, login: str) -> None:
        self.hosts.write_text(hosts)
        self.login.write_text(login)


@pytest.mark.parametrize("cut", ["refused", "dropped", "before"])
def test_it_is_sent_to_no_host_that_is_allowed_no_longer(clip, tmp_path, cut):
    """Both files were written for another camera, and this one was sent the new password once it had refused the old."""
    files = Files(tmp_path)
    asks_for = Behaviour(credentials="admin:other" if cut == "refused" else "admin:old", auth="basic")
    with ScriptedServer(clip, asks_for) as server:
        files.write(f"127.0.0.1:{server.port}\n", "admin:old")
        with watching(server.url(credentials="admin:old"), max_reconnects=2, **files.settings) as watch:
            if cut != "before":
                watch.until(lambda w: w.order[-1] == "frame" or w.states[-1].reason == "auth")
            files.write("192.0.2.10\n127.0.0.1:9\n", "bob:s3cret")
            server.drop()
            before = server.counts.requests.copy()
            watch.until(lambda w: w.count("failed") == 1)
        assert server.counts.requests == before, "it was not asked at all"
    last = watch.states[-1]
    assert (last.reason, f"write 127.0.0.1:{server.port} into {files.hosts}" in last.detail) == ("permission", True)
    assert "s3cret" not in str(watch.states)


def test_a_camera_goes_on_when_its_host_is_allowed_again(clip, tmp_path):
    files = Files(tmp_path)
    files.write("", "admin:right")
    with ScriptedServer(clip, Behaviour(credentials="admin:right")) as server:
        with watching(server.url(credentials="admin:old"), **files.settings) as watch:
            watch.until(lambda w: w.states[-1].reason == "permission")
            files.hosts.write_text("127.0.0.1\n")
            watch.until(lambda w: w.order[-1] == "frame")
        assert server.counts.refused_passwords == 0


@pytest.mark.parametrize(
    ("url", "hosts", "is_allowed"),
    [
        ("rtsp://192.0.2.10/x", "192.0.2.10", True), ("rtsp://192.0.2.10/x", "192.0.2.10:554", True),
        ("rtsp://Camera.Example/x", "camera.example:554", True), ("rtsp://[2001:db8::1]/x", "[2001:DB8::1]:554", True),
        ("https://192.0.2.10/x", "192.0.2.10:443", True), ("rtsp://[2001:db8::1]:8554/x", "2001:db8::1", True),
        ("rtsp://192.0.2.10/x", "\ufeff192.0.2.10\r\n", True),
        ("rtsp://192.0.2.10/x", None, False), ("rtsp://192.0.2.10/x", "", False),
        ("rtsp://[2001:db8::2]/x", "2001:db8::1", False),
        ("rtsp://192.0.2.10:8554/x", "192.0.2.10:554", False), ("https://192.0.2.10/x", "192.0.2.10:80", False),
        ("rtsp://192.0.2.1/x", "192.0.2.10", False), ("rtsp://192.0.2.10@198.51.100.66/x", "192.0.2.10", False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("login", ["admin:new", ""])
def test_which_hosts_are_meant(tmp_path, url, hosts, is_allowed, login):
    files = Files(tmp_path)
    files.write(hosts or "", login or "no colon")
    if hosts is None:
        files.hosts.unlink()
    main = Camera("cam", "rtsp://192.0.2.99/sub", "", crop_url=url, crop_shown=url, **files.settings).main
    assert main is not None
    if not is_allowed:
        with pytest.raises(SourceError, match=r"may not be sent the user and password of door.txt: write .* into"):
            renewed(main)
    elif login:
        assert "//admin:new@" in renewed(main).url
    else:
        with pytest.raises(ConfigError, match="user:password"):
            renewed(main)
