"""Whom a request comes from, with and without a proxy in front."""

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from console.web.requests import client_address


class Transport:
    """A connection from one address."""

    def __init__(self, address: str) -> None:
        self._address = address

    def get_extra_info(self, name: str) -> object:
        return (self._address, 40000) if name == "peername" else None


def address(peer: str, *forwarded: str, has_proxy: bool = False) -> str:
    headers = CIMultiDict([("X-Forwarded-For", value) for value in forwarded])
    request = make_mocked_request("GET", "/", headers, transport=Transport(peer))
    return client_address(request, has_proxy=has_proxy)


def test_without_a_proxy_the_header_is_not_believed() -> None:
    assert address("192.0.2.7", "10.0.0.1") == "192.0.2.7"
    assert address("127.0.0.1", "10.0.0.1") == "127.0.0.1"


def test_only_a_proxy_on_this_machine_is_believed() -> None:
    assert address("192.0.2.7", "10.0.0.1", has_proxy=True) == "192.0.2.7"
    assert address("127.0.0.1", "10.0.0.1", has_proxy=True) == "10.0.0.1"


def test_what_the_proxy_appended_counts_not_what_the_visitor_made_up() -> None:
    assert address("127.0.0.1", "6.6.6.6, 10.0.0.1", has_proxy=True) == "10.0.0.1"
    assert address("127.0.0.1", "6.6.6.6", "10.0.0.1", has_proxy=True) == "10.0.0.1"


@pytest.mark.parametrize("nonsense", ["", "unknown", "x" * 500, "10.0.0.1:80"])
def test_nonsense_is_the_proxys_own_address(nonsense: str) -> None:
    assert address("127.0.0.1", nonsense, has_proxy=True) == "127.0.0.1"


def test_an_ipv4_address_in_ipv6_clothes_is_that_ipv4_address() -> None:
    assert address("2001:db8::ffff") == "2001:db8::ffff"
    assert address("::ffff:192.0.2.7") == "192.0.2.7"
