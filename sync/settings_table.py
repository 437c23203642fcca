"""Reads a settings file, already parsed to a dict, and collects every mistake in it.

Both programs read one TOML file each in the same way: a key that nobody asked for is a mistake, a
scalar may be overridden by an environment variable `P2K16_SECTION_KEY`, and the person who wrote
the file hears of all mistakes at once, each with its key and what was expected. Which keys there
are is said in `console/settings.py` and `edge/settings.py`; opening the file is theirs, too.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TypeVar, cast
from urllib.parse import urlsplit

T = TypeVar("T")

ENVIRONMENT_PREFIX = "P2K16"
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]")


class SettingsError(Exception):
    """Every mistake in a settings file; `mistakes` has one line for each."""

    def __init__(self, source: str, mistakes: list[str]) -> None:
        """`source` is the file's path, as the person knows it."""
        super().__init__(f"{source}:\n" + "\n".join(f"  {mistake}" for mistake in mistakes))
        self.mistakes = mistakes


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


class SettingsTable:
    """One table of the file. Each method takes one key; `mistakes()` tells what was wrong.

    After a mistake a method returns its default (or an empty value), so that reading goes on.
    """

    def __init__(self, values: Mapping[str, object], environ: Mapping[str, str]) -> None:
        """`environ` is the process's environment; `{}` for none."""
        self._path = ""
        self._values = values
        self._environ = environ
        self._asked: set[str] = set()
        self._children: list[SettingsTable] = []
        self._mistakes: list[str] = []

    def table(self, key: str) -> "SettingsTable":
        """The table below `key`; an empty one where it is absent."""
        value = self._values.get(key, {})
        self._asked.add(key)
        if not isinstance(value, dict):
            self._expected(key, "a table", value)
            value = {}
        return self._child(key, cast("dict[str, object]", value), self._environ)

    def tables(self, key: str) -> list["SettingsTable"]:
        """The tables of an array `[[key]]`, in the order of the file."""
        value: object = self._values.get(key)
        self._asked.add(key)
        if value is None:
            return []
        rows = cast("list[object]", value if isinstance(value, list) else [None])
        if not all(isinstance(row, dict) for row in rows):
            self._expected(key, f"an array of tables: [[{key}]]", self._values[key])
            return []
        # The environment has no names for the rows of an array.
        return [
            self._child(f"{key}[{number}]", cast("dict[str, object]", row), {})
            for number, row in enumerate(rows, start=1)
        ]

    def text(self, key: str, *, default: str | None = None, pattern: str = r".{1,1000}") -> str:
        """A text that fully matches `pattern`. Without a default the key is required."""
        expected = "a text" if pattern == r".{1,1000}" else f"a text that matches {pattern}"
        return self._read(key, lambda raw: _matching(raw, pattern), expected, default, "")

    def optional_text(self, key: str, *, pattern: str = r".{1,1000}") -> str | None:
        """A text that fully matches `pattern`, or None where the key is absent."""
        return self._optional(key, lambda raw: _matching(raw, pattern), "a text")

    def networks(self, key: str) -> tuple[IPv4Network | IPv6Network, ...]:
        """An array of addresses and networks such as `"10.0.0.0/8"`; empty where it is absent."""
        return self._read(
            key, _networks, 'an array of addresses or networks, such as ["10.1.2.3"]', (), ()
        )

    def choice(self, key: str, choices: tuple[str, ...], *, default: str | None = None) -> str:
        """One of `choices`. Without a default the key is required."""
        return self._read(
            key,
            lambda raw: raw if isinstance(raw, str) and raw in choices else None,
            "one of " + ", ".join(f'"{choice}"' for choice in choices),
            default,
            choices[0],
        )

    def path(self, key: str, *, default: Path | None = None) -> Path:
        """A path; `~` is not expanded. Without a default the key is required."""
        return self._read(key, _path, "a path", default, Path())

    def optional_path(self, key: str) -> Path | None:
        """A path, or None where the key is absent."""
        return self._optional(key, _path, "a path")

    def flag(self, key: str, *, default: bool) -> bool:
        """`true` or `false`."""
        return self._read(key, _flag, "true or false", default, default)

    def integer(self, key: str, *, least: int, most: int, default: int | None = None) -> int:
        """A whole number from `least` to `most`. Without a default the key is required."""
        return self._read(
            key,
            lambda raw: _integer(raw, least, most),
            f"a whole number from {least} to {most}",
            default,
            least,
        )

    def optional_integer(self, key: str, *, least: int, most: int) -> int | None:
        """A whole number from `least` to `most`, or None where the key is absent."""
        return self._optional(
            key, lambda raw: _integer(raw, least, most), f"a whole number from {least} to {most}"
        )

    def address(self, key: str, *, default: Address) -> Address:
        """`"HOST:PORT"`."""
        return self._read(key, _address, f'"HOST:PORT", such as "{default}"', default, default)

    def optional_url(
        self, key: str, *, schemes: tuple[str, ...], needs_host: bool = True
    ) -> str | None:
        """A URL with one of `schemes`, or None where the key is absent.

        `needs_host` False allows `postgresql:///name?host=/run/postgresql`.
        """
        return self._optional(
            key,
            lambda raw: _url(raw, schemes, needs_host=needs_host),
            "a URL such as " + " or ".join(f"{scheme}://HOST" for scheme in schemes),
        )

    def name_of(self, key: str) -> str:
        """How mistakes call a key of this table."""
        return self._name(key)

    def refuse(self, key: str, mistake: str) -> None:
        """Notes a mistake that only the caller can see: keys that exclude each other, say."""
        self._mistakes.append(f"{self._name(key)}: {mistake}")

    def mistakes(self) -> list[str]:
        """What was wrong in this table and those below; call it after everything was asked for."""
        unknown = [
            f"{self._name(key)}: there is no such setting; known here: "
            + ", ".join(sorted(self._asked))
            for key in self._values
            if key not in self._asked
        ]
        below = [mistake for child in self._children for mistake in child.mistakes()]
        return self._mistakes + unknown + below

    def _child(
        self, key: str, values: Mapping[str, object], environ: Mapping[str, str]
    ) -> "SettingsTable":
        child = SettingsTable(values, environ)
        child._path = self._name(key)
        self._children.append(child)
        return child

    def _read(
        self,
        key: str,
        convert: Callable[[object], T | None],
        expected: str,
        default: T | None,
        placeholder: T,
    ) -> T:
        raw = self._raw(key)
        if raw is None:
            if default is None:
                self._mistakes.append(f"{self._name(key)}: missing; expected {expected}")
                return placeholder
            return default
        value = convert(raw)
        if value is None:
            self._expected(key, expected, raw)
            return placeholder if default is None else default
        return value

    def _optional(self, key: str, convert: Callable[[object], T | None], expected: str) -> T | None:
        raw = self._raw(key)
        if raw is None:
            return None
        value = convert(raw)
        if value is None:
            self._expected(key, expected, raw)
        return value

    def _raw(self, key: str) -> object:
        self._asked.add(key)
        variable = "_".join([ENVIRONMENT_PREFIX, *self._name(key).split(".")]).upper()
        return self._environ.get(variable, self._values.get(key))

    def _name(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key

    def _expected(self, key: str, expected: str, raw: object) -> None:
        # A value may hold a password (a URL's): what was found is named by its type only.
        found = "another text" if isinstance(raw, str) else _TOML_NAMES.get(type(raw), "a date")
        self._mistakes.append(f"{self._name(key)}: expected {expected}; got {found}")


_TOML_NAMES: dict[type, str] = {
    bool: "a boolean",
    int: "a number",
    float: "a number",
    list: "an array",
    dict: "a table",
}


def _matching(raw: object, pattern: str) -> str | None:
    return raw if isinstance(raw, str) and re.fullmatch(pattern, raw) else None


def _networks(raw: object) -> tuple[IPv4Network | IPv6Network, ...] | None:
    rows = raw.split(",") if isinstance(raw, str) else raw
    if not isinstance(rows, list):
        return None
    try:
        return tuple(ip_network(str(row).strip()) for row in cast("list[object]", rows))
    except ValueError:
        return None


def _path(raw: object) -> Path | None:
    return Path(raw) if isinstance(raw, str) and raw and "\0" not in raw else None


def _flag(raw: object) -> bool | None:
    if isinstance(raw, str):
        return {"true": True, "false": False}.get(raw)
    return raw if isinstance(raw, bool) else None


def _integer(raw: object, least: int, most: int) -> int | None:
    if isinstance(raw, str) and re.fullmatch(r"-?[0-9]{1,18}", raw):
        raw = int(raw)
    if isinstance(raw, bool) or not isinstance(raw, int):
        return None
    return raw if least <= raw <= most else None


def _address(raw: object) -> Address | None:
    if not isinstance(raw, str):
        return None
    host, colon, port = raw.rpartition(":")
    if not colon or not _HOST.fullmatch(host) or not re.fullmatch(r"[0-9]{1,5}", port):
        return None
    return Address(host, int(port)) if int(port) <= 65535 else None


def _url(raw: object, schemes: tuple[str, ...], *, needs_host: bool) -> str | None:
    if not isinstance(raw, str):
        return None
    try:
        parts = urlsplit(raw)
        port_is_sound = parts.port is None or parts.port > 0
    except ValueError:
        return None
    has_host = bool(parts.hostname) or not needs_host
    return raw if parts.scheme in schemes and has_host and port_is_sound else None
