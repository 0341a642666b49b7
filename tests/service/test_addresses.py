"""Whether a camera may be asked for at an address."""

from __future__ import annotations

import pytest

from engine.contracts.networks import Networks
from engine.errors import ConfigError
from engine.service.addresses import AllowedNetworks, look_up
from engine.service.refusal import Refusal

INSIDE = [
    "127.0.0.1", "127.1.2.3", "10.0.0.1", "172.16.3.4", "172.31.255.255", "192.168.0.1", "169.254.169.254", "0.0.0.0",
    "100.64.0.1", "224.0.0.1", "239.1.2.3", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1",
    "::1", "::", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
    "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001:db8::1", "fec0::1",
]  # fmt: skip
OUTSIDE = ["93.184.215.14", "8.8.8.8", "2606:4700::1111", "::ffff:93.184.215.14", "64:ff9b::808:808", "2002:808:808::1"]


@pytest.mark.parametrize("address", INSIDE)
def test_what_is_nobody_elses_is_refused(address: str) -> None:
    assert not Networks(["public"]).allows(address)
    networks = AllowedNetworks(["public"], lambda host: [host])
    with pytest.raises(Refusal, match="is in no network in which cameras may be added"):
        networks.check(address, "source.uri")


@pytest.mark.parametrize("address", OUTSIDE)
def test_the_internet_is_allowed_as_public(address: str) -> None:
    assert Networks(["public"]).allows(address)
    assert not Networks(["private", "loopback", "192.168.7.0/24"]).allows(address)


@pytest.mark.parametrize(
    ("allowed", "address", "expected"),
    [
        (["private"], "192.168.7.9", True),
        (["private"], "::ffff:192.168.7.9", True),
        (["private"], "fd00::7", True),
        (["private"], "169.254.169.254", False),
        (["private"], "127.0.0.1", False),
        (["loopback"], "127.0.0.5", True),
        (["loopback"], "::1", True),
        (["loopback"], "::ffff:127.0.0.1", True),
        (["192.168.7.0/24"], "192.168.7.9", True),
        (["192.168.7.0/24"], "192.168.8.9", False),
        (["fd00:1::/32"], "fd00:1::9", True),
        ([], "8.8.8.8", False),
    ],
)
def test_what_is_allowed(allowed: list[str], address: str, expected: bool) -> None:
    assert Networks(allowed).allows(address) is expected


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost", "[::1]", "[::ffff:7f00:1]"])
def test_other_ways_to_write_this_machine(host: str) -> None:
    """As the system reads them, and so FFmpeg."""
    with pytest.raises(Refusal):
        AllowedNetworks(["public", "private"], look_up).check(host, "source.uri")


def test_one_address_of_several_is_enough_to_refuse() -> None:
    networks = AllowedNetworks(["public"], lambda host: ["93.184.215.14", "10.0.0.7"])
    with pytest.raises(Refusal, match=r"both\.example, which is 10\.0\.0\.7,"):
        networks.check("both.example", "source.uri")


@pytest.mark.parametrize("wrong", ["everything", "10.0.0.0/99", "10.0.0.1/8", "", "http://a"])
def test_what_is_no_network_is_told(wrong: str) -> None:
    with pytest.raises(ConfigError, match=r"serve\.cameras_in: .* is not a network"):
        AllowedNetworks([wrong])
