"""Who gets a directory: a program at an address of the list, with the token. Pure."""

import hmac
from collections.abc import Iterable
from enum import StrEnum, auto
from ipaddress import ip_address

from console.settings import LegacySettings, Network


class Refused(StrEnum):
    """Why not."""

    OFF = auto()
    """The settings have no token, so nobody gets it."""
    ADDRESS = auto()
    TOKEN = auto()


def refused(settings: LegacySettings, *, address: str, authorization: str) -> Refused | None:
    """None: here it is. An address that isn't listed learns nothing about the token.

    `authorization`: the header's text, empty where it is missing.
    """
    if settings.directory_token is None:
        return Refused.OFF
    if not _is_listed(address, settings.directory_allow):
        return Refused.ADDRESS
    scheme, _, token = authorization.partition(" ")
    given = token.strip().encode("utf-8", "surrogateescape")
    is_right = hmac.compare_digest(given, settings.directory_token.encode())
    return None if is_right and scheme.lower() == "bearer" else Refused.TOKEN


def _is_listed(address: str, networks: Iterable[Network]) -> bool:
    try:
        there = ip_address(address)
    except ValueError:  # the address isn't known
        return False
    return any(there in network for network in networks)
