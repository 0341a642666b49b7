import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as some

from engine.contracts.address import is_loopback

PORTS = some.one_of(some.just("*"), some.integers(0, 65535).map(str))


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.255.255.254", "127.1.2.3", "localhost", "LocalHost", "[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]"],
)
def test_what_stays_on_this_machine(host):
    assert is_loopback(f"tcp://{host}:5556")


@pytest.mark.parametrize(
    "endpoint",
    [
        "tcp://*:5556", "tcp://0.0.0.0:5556", "tcp://[::]:5556", "tcp://[::ffff:0.0.0.0]:5556", "tcp://[::ffff:10.0.0.1]:5556",
        "tcp://eth0:5556", "tcp://lo:5556", "tcp://camera-host:5556", "tcp://127.example.org:5556", "tcp://localhost.example:5556",
        "tcp://127.0.0.1.example:5556", "tcp://10.0.0.1:5556", "tcp://[fe80::1%eth0]:5556", "tcp://128.0.0.1:5556",
        "tcp://0127.0.0.1:5556", "tcp://0x7f.0.0.1:5556", "tcp://::1:5556", "tcp://[127.0.0.1]:5556", "tcp://:5556", "tcp://",
        "tcp://127.0.0.1", "tcp://10.0.0.1;127.0.0.1:5556", "tcp://127.0.0.1;10.0.0.1:5556", "tcp:// 127.0.0.1:5556",
        "TCP://127.0.0.1:5556", "ws://127.0.0.1:5556", "pgm://127.0.0.1:5556", "127.0.0.1:5556", "",
    ],
)  # fmt: skip
def test_what_may_be_reached_from_elsewhere_or_is_not_understood(endpoint):
    assert not is_loopback(endpoint)


@pytest.mark.parametrize("endpoint", ["ipc:///run/faces", "ipc://@faces", "inproc://faces"])
def test_what_is_no_network(endpoint):
    assert is_loopback(endpoint)


@given(some.ip_addresses(v=4), PORTS)
def test_of_all_addresses_127_alone_stays_here(address, port):
    assert is_loopback(f"tcp://{address}:{port}") == (address in ipaddress.ip_network("127.0.0.0/8"))


@given(some.one_of(some.ip_addresses(v=6), some.just(ipaddress.IPv6Address(1))), PORTS)
def test_of_the_longer_addresses_one_alone_stays_here(address, port):
    mapped = address.ipv4_mapped
    assert is_loopback(f"tcp://[{address}]:{port}") == (int(address) == 1 or bool(mapped and mapped.is_loopback))


@given(some.text(max_size=30), PORTS)
def test_a_host_that_is_no_address_is_never_taken_for_one(host, port):
    """Whatever is said to stay here is one of the forms above."""
    if is_loopback(f"tcp://{host}:{port}"):
        bare = host.removeprefix("[").removesuffix("]")
        assert host.lower() == "localhost" or ipaddress.ip_address(bare).is_loopback or "ffff:" in bare.lower()
