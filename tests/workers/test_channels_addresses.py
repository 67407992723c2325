"""Where channels connect to: private addresses can be forbidden, names are resolved once."""

import socket
from datetime import UTC, datetime

import pytest

from incidents.oncall import Channel
from workers.channels import DeliveryError, Senders
from workers.channels.addresses import PrivateAddress, connect, is_public

NOW = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "::1", "fe80::1%eth0", "fd00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::",
        "ff02::1", "::", "not an address",
    ],
)  # fmt: skip
def test_addresses_of_private_networks_are_not_public(address):
    """Loopback, private, link-local (metadata of clouds), shared, multicast, and IPv4 inside IPv6."""
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_addresses_of_the_internet_are_public(address):
    """What everybody can reach."""
    assert is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0x7f000001", "2130706433"])
@pytest.mark.parametrize(("kind", "option"), [("webhook", "url"), ("slack", "webhook_url"), ("pagerduty", "url")])
def test_addresses_that_are_private_are_refused_where_denied(message, page_sink, host, kind, option):
    """However the address is written, for each kind of channel, and nothing is sent."""
    options = {option: f"http://{host}:{page_sink.port}/pages", "routing_key": "k" * 32}
    sender = Senders(deny_private=True)(Channel(name="x", kind=kind, options=options))
    with pytest.raises(DeliveryError, match="deny_private_urls forbids") as caught:
        sender.send(message(), NOW)
    assert caught.value.permanent
    assert page_sink.received == []


def test_addresses_are_judged_before_anything_is_connected(page_sink):
    """One private address among those of a name is enough."""
    with pytest.raises(PrivateAddress):
        connect("localhost", page_sink.port, seconds=1, deny_private=True)


def test_addresses_that_do_not_answer_leave_time_for_the_next():
    """A name with several addresses has one time-out over all of them."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        connect("localhost", listener.getsockname()[1], seconds=30) as sock,
    ):
        assert sock.getpeername()[0] == "127.0.0.1"
