"""Reads a settings file, already parsed to a dict, and collects every mistake in it.

Both programs read one TOML file each in the same way: a key that nobody asked for is a mistake, a
scalar may be overridden by an environment variable `P2K16_SECTION_KEY`, and the person who wrote
the file hears of all mistakes at once, each with its key and what was expected. Which keys there
are is said in `console/settings.py` and `edge/settings.py`; opening the file is theirs, too.
"""

from collections.abc import Callable, Mapping
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import TypeVar, cast

from sync.settings_values import (
    Address,
    found,
    read_address,
    read_flag,
    read_integer,
    read_matching,
    read_networks,
    read_path,
    read_url,
)

T = TypeVar("T")

ENVIRONMENT_PREFIX = "P2K16"
_ANY = r".{1,1000}"
_PATH = 'a path, such as "/var/lib/x"; nobody expands a ~'


class SettingsError(Exception):
    """Every mistake in a settings file; `mistakes` has one line for each."""

    def __init__(self, source: str, mistakes: list[str]) -> None:
        """`source` is the file's path, as the person knows it."""
        # A text or a key from the file may hold what ends a line, or moves the cursor.
        self.mistakes = [
            "".join(letter if letter.isprintable() else "?" for letter in mistake)
            for mistake in mistakes
        ]
        super().__init__("\n".join(f"{source}: {mistake}" for mistake in self.mistakes))
        self.source = source


class SettingsTable:
    """One table of the file. Each method takes one key; `mistakes()` tells what was wrong.

    After a mistake a method returns its default (or an empty value), so that reading goes on.
    """

    def __init__(self, values: Mapping[str, object], environ: Mapping[str, str]) -> None:
        """`environ` is the process's environment; `{}` for none."""
        self._path = ""
        self._top: SettingsTable = self
        self._for = ""
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
            self._expected(key, f"a table, as in {key}.… = …", value)
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
            self._expected(key, f"[[{key}]], in two pairs of brackets", self._values[key])
            return []
        # The environment has no names for the rows of an array.
        return [
            self._child(f"{key}[{number}]", cast("dict[str, object]", row), {})
            for number, row in enumerate(rows, start=1)
        ]

    def text(
        self, key: str, *, default: str | None = None, pattern: str = _ANY, words: str = ""
    ) -> str:
        """A text that fully matches `pattern`. Without a default the key is required.

        `words` say the same for people; they are for texts that hold no secret.
        """
        expected = words or ("a text" if pattern == _ANY else f"a text that matches {pattern}")
        return self._read(
            key,
            lambda raw: read_matching(raw, pattern),
            expected,
            default,
            "",
            is_shown=bool(words),
        )

    def optional_text(self, key: str, *, pattern: str = _ANY) -> str | None:
        """A text that fully matches `pattern`, or None where the key is absent."""
        return self._optional(key, lambda raw: read_matching(raw, pattern), "a text")

    def networks(self, key: str) -> tuple[IPv4Network | IPv6Network, ...]:
        """An array of addresses and networks such as `"10.0.0.0/8"`; empty where it is absent."""
        return self._read(
            key, read_networks, 'an array of addresses or networks, such as ["10.1.2.3"]', (), ()
        )

    def choice(self, key: str, choices: tuple[str, ...], *, default: str | None = None) -> str:
        """One of `choices`. Without a default the key is required."""
        return self._read(
            key,
            lambda raw: raw if isinstance(raw, str) and raw in choices else None,
            "one of " + ", ".join(f'"{choice}"' for choice in choices),
            default,
            choices[0],
            is_shown=True,
        )

    def path(self, key: str, *, default: Path | None = None) -> Path:
        """A path; nobody expands a `~`. Without a default the key is required."""
        return self._read(key, read_path, _PATH, default, Path(), is_shown=True)

    def optional_path(self, key: str) -> Path | None:
        """A path, or None where the key is absent."""
        return self._optional(key, read_path, _PATH, is_shown=True)

    def flag(self, key: str, *, default: bool) -> bool:
        """`true` or `false`."""
        return self._read(key, read_flag, "true or false", default, default, is_shown=True)

    def integer(self, key: str, *, least: int, most: int, default: int | None = None) -> int:
        """A whole number from `least` to `most`. Without a default the key is required."""
        return self._read(
            key,
            lambda raw: read_integer(raw, least, most),
            f"a whole number from {least} to {most}",
            default,
            least,
            is_shown=True,
        )

    def optional_integer(self, key: str, *, least: int, most: int) -> int | None:
        """A whole number from `least` to `most`, or None where the key is absent."""
        return self._optional(
            key,
            lambda raw: read_integer(raw, least, most),
            f"a whole number from {least} to {most}",
            is_shown=True,
        )

    def address(self, key: str, *, default: Address) -> Address:
        """`"HOST:PORT"`."""
        return self._read(key, read_address, f'"HOST:PORT", such as "{default}"', default, default)

    def optional_url(
        self, key: str, *, schemes: tuple[str, ...], needs_host: bool = True
    ) -> str | None:
        """A URL with one of `schemes`, or None where the key is absent.

        `needs_host` False allows `postgresql:///name?host=/run/postgresql`.
        """
        return self._optional(
            key,
            lambda raw: read_url(raw, schemes, needs_host=needs_host),
            "a URL such as " + " or ".join(f"{scheme}://HOST" for scheme in schemes),
        )

    def name_of(self, key: str) -> str:
        """How mistakes call a key of this table."""
        return self._name(key)

    @property
    def keys(self) -> frozenset[str]:
        """What stands in it, right or wrong."""
        return frozenset(self._values)

    def belongs_to(self, name: str) -> None:
        """Which settings there are depends on another one, called so in mistakes."""
        self._for = f" with {name}"

    def refuse(self, key: str, mistake: str) -> None:
        """Notes a mistake that only the caller can see: keys that exclude each other, say."""
        self._mistakes.append(f"{self._name(key)}: {mistake}")

    def mistakes(self) -> list[str]:
        """What was wrong in this table and those below; call it after everything was asked for."""
        unknown = [self._unknown(key) for key in self._values if key not in self._asked]
        below = [mistake for child in self._children for mistake in child.mistakes()]
        return self._mistakes + unknown + below

    def _child(
        self, key: str, values: Mapping[str, object], environ: Mapping[str, str]
    ) -> "SettingsTable":
        child = SettingsTable(values, environ)
        child._path = self._name(key)
        child._top = self._top
        self._children.append(child)
        return child

    def _read(
        self,
        key: str,
        convert: Callable[[object], T | None],
        expected: str,
        default: T | None,
        placeholder: T,
        *,
        is_shown: bool = False,
    ) -> T:
        raw = self._raw(key)
        if raw is None:
            if default is None:
                self._mistakes.append(f"{self._name(key)}: missing; expected {expected}")
                return placeholder
            return default
        value = convert(raw)
        if value is None:
            self._expected(key, expected, raw, is_shown=is_shown)
            return placeholder if default is None else default
        return value

    def _optional(
        self,
        key: str,
        convert: Callable[[object], T | None],
        expected: str,
        *,
        is_shown: bool = False,
    ) -> T | None:
        raw = self._raw(key)
        if raw is None:
            return None
        value = convert(raw)
        if value is None:
            self._expected(key, expected, raw, is_shown=is_shown)
        return value

    def _raw(self, key: str) -> object:
        self._asked.add(key)
        return self._environ.get(self._variable(key), self._values.get(key))

    def _variable(self, key: str) -> str:
        return "_".join([ENVIRONMENT_PREFIX, *self._name(key).split(".")]).upper()

    def _name(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key

    def _expected(self, key: str, expected: str, raw: object, *, is_shown: bool = False) -> None:
        got = found(raw, is_shown=is_shown)
        if self._variable(key) in self._environ:
            got += f", from {self._variable(key)}"
        self._mistakes.append(f"{self._name(key)}: expected {expected}; got {got}")

    def _unknown(self, key: str) -> str:
        mistake = f"{self._name(key)}: there is no such setting{self._for}"
        if self._top is not self and key in self._top._asked:
            return f"{mistake} here; expected above the first line in [brackets]"
        # Not at the top: a daemon whose settings are right has no use for it in memory.
        from difflib import get_close_matches

        meant = get_close_matches(key, sorted(self._asked), 1)
        guess = f"did you mean {meant[0]}? " if meant else ""
        return f"{mistake}; {guess}known here: {', '.join(sorted(self._asked))}"
