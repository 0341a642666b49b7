import contextlib
import re
import socket as stdlib_socket
import stat

import pytest
import zmq

from engine.errors import ConfigError, PublishError
from engine.publish.endpoint import bind
from tests.publish.samples import context
from tests.servers.ipv6 import needs_ipv6


@pytest.fixture
def sockets():
    opened = context()
    with contextlib.ExitStack() as closing:
        yield lambda: closing.enter_context(opened.socket(zmq.PUSH))
    opened.term()


def test_a_free_port_is_told(sockets):
    bound = bind(sockets(), "tcp://127.0.0.1:*", "publish.endpoint")
    assert int(bound.removeprefix("tcp://127.0.0.1:")) > 0


def test_a_taken_port_is_one_sentence(sockets):
    bound = bind(sockets(), "tcp://127.0.0.1:*", "publish.endpoint")
    with pytest.raises(PublishError, match="is in use, by another process or by another key of this conf"):
        bind(sockets(), bound, "publish.endpoint")


@pytest.mark.parametrize(
    "host", [*(pytest.param(host, marks=needs_ipv6) for host in ("[::1]", "[::]")), "127.0.0.1", "*", "0.0.0.0"]
)
def test_an_address_of_either_protocol_is_bound(sockets, host):
    """IPv6 was told that this machine has no such address."""
    assert re.fullmatch(r"tcp://\S+:\d+", bind(sockets(), f"tcp://{host}:*", "publish.endpoint"))


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "5556",
        "tcp://",
        "tcp://127.0.0.1",
        "tcp://127.0.0.1:99999",
        "tcp://127.0.0.1:http",
        "http://a:1",
        "ipc://",
        "udp://x:1",
    ],
)
def test_what_is_no_endpoint_is_refused(sockets, endpoint):
    with pytest.raises(ConfigError, match=r"publish.replay: .* is not a ZeroMQ endpoint: use tcp://"):
        bind(sockets(), endpoint, "publish.replay")


def test_an_address_of_another_machine_is_refused(sockets):
    with pytest.raises(PublishError, match=r"this machine has no address as in tcp://192\.0\.2\.1:5556"):
        bind(sockets(), "tcp://192.0.2.1:5556", "publish.endpoint")


def test_a_missing_ipc_directory_is_made_for_the_owner_only(sockets, tmp_path):
    bind(sockets(), f"ipc://{tmp_path}/run/faces", "publish.endpoint")
    assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o700


def test_a_living_ipc_socket_is_not_taken_over(sockets, tmp_path):
    endpoint = f"ipc://{tmp_path}/faces"
    bind(sockets(), endpoint, "publish.endpoint")
    with pytest.raises(PublishError, match="is in use, by another process"):
        bind(sockets(), endpoint, "publish.endpoint")


def test_a_stale_ipc_socket_is_replaced(sockets, tmp_path):
    with stdlib_socket.socket(stdlib_socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "faces"))
    assert (tmp_path / "faces").is_socket()
    bind(sockets(), f"ipc://{tmp_path}/faces", "publish.endpoint")
    with stdlib_socket.socket(stdlib_socket.AF_UNIX) as probe:
        probe.connect(str(tmp_path / "faces"))


def test_a_file_in_the_way_is_kept(sockets, tmp_path):
    (tmp_path / "faces").write_text("mine")
    with pytest.raises(PublishError, match="exists and is not a socket"):
        bind(sockets(), f"ipc://{tmp_path}/faces", "publish.endpoint")
    assert (tmp_path / "faces").read_text() == "mine"


def test_a_directory_that_cannot_be_made_is_one_sentence(sockets, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PublishError, match=r"cannot make a socket in .*/file/run for ipc://.*: Not a directory"):
        bind(sockets(), f"ipc://{tmp_path}/file/run/faces", "publish.endpoint")


def test_a_path_too_long_for_a_socket_is_refused(sockets, tmp_path):
    path = f"{tmp_path}/{'x' * 120}"
    with pytest.raises(ConfigError) as error:
        bind(sockets(), f"ipc://{path}", "publish.endpoint")
    told = f"the path in ipc://{path} is too long for a socket: {len(path)} bytes, 107 at most"
    assert str(error.value) == f"publish.endpoint: {told}"
