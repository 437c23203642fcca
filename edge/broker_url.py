"""The broker's address as a bundle names it. Pure."""

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

PORTS: Mapping[str, int] = MappingProxyType({"mqtt": 1883, "mqtts": 8883})
"""Where none is named. Source: IANA, Service Name and Transport Protocol Port Number Registry."""


def read_broker_url(url: str) -> tuple[str, str, int]:
    """Scheme, host and port. Raises: ValueError, which says what is expected."""
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS[parts.scheme]
        host = parts.hostname
        if not host:
            raise ValueError("no host")
    except (ValueError, KeyError) as error:
        raise ValueError(
            f"the bundle's broker URL {url} can't be read: expected a host, and a port from 1 to "
            "65535. Enrol again with --broker"
        ) from error
    return parts.scheme, host, port
