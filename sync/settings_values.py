"""What a single value of a settings file may be: each reads one, from TOML or the environment.

None: it is something else. Pure; which keys there are is said where the settings are.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]")


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a TCP port (0 to 65535; 0 lets the system choose)."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return self.host in {"localhost", "[::1]"} or self.host.startswith("127.")


def read_matching(raw: object, pattern: str) -> str | None:
    """The text, if it fully matches."""
    return raw if isinstance(raw, str) and re.fullmatch(pattern, raw) else None


def read_networks(raw: object) -> tuple[IPv4Network | IPv6Network, ...] | None:
    """Addresses and networks: an array, or a text with commas."""
    rows = raw.split(",") if isinstance(raw, str) else raw
    if not isinstance(rows, list):
        return None
    try:
        return tuple(ip_network(str(row).strip()) for row in cast("list[object]", rows))
    except ValueError:
        return None


def read_path(raw: object) -> Path | None:
    """A path; nobody expands a `~`."""
    return Path(raw) if isinstance(raw, str) and re.fullmatch(r"[^~\0][^\0]*", raw) else None


def read_flag(raw: object) -> bool | None:
    """`true` or `false`, also as a text."""
    if isinstance(raw, str):
        return {"true": True, "false": False}.get(raw)
    return raw if isinstance(raw, bool) else None


def read_integer(raw: object, least: int, most: int) -> int | None:
    """A whole number, also as a text."""
    if isinstance(raw, str) and re.fullmatch(r"-?[0-9]{1,18}", raw):
        raw = int(raw)
    if isinstance(raw, bool) or not isinstance(raw, int):
        return None
    return raw if least <= raw <= most else None


def read_address(raw: object) -> Address | None:
    """`"HOST:PORT"`."""
    if not isinstance(raw, str):
        return None
    host, colon, port = raw.rpartition(":")
    if not colon or not _HOST.fullmatch(host) or not re.fullmatch(r"[0-9]{1,5}", port):
        return None
    return Address(host, int(port)) if int(port) <= 65535 else None


def read_url(raw: object, schemes: tuple[str, ...], *, needs_host: bool) -> str | None:
    """A URL with one of `schemes`."""
    if not isinstance(raw, str):
        return None
    try:
        parts = urlsplit(raw)
        port_is_sound = parts.port is None or parts.port > 0
    except ValueError:
        return None
    has_host = bool(parts.hostname) or not needs_host
    return raw if parts.scheme in schemes and has_host and port_is_sound else None


def found(raw: object, *, is_shown: bool) -> str:
    """A value as mistakes name it. A text may hold a password: it is shown only where it can't."""
    match raw:
        case bool():
            return str(raw).lower()
        case int() if abs(raw) >= 10**40:  # Python writes no number of more than 4,300 digits
            return "a number that is far too large"
        case int() | float():
            return str(raw)[:40]
        case str():
            return f'"{raw[:40]}"' if is_shown else "another text"
        case list():
            return "an array"
        case dict():
            return "a table"
        case _:
            return "a date"
