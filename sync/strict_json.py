"""JSON objects of the wire, read strictly: one mistake and the whole message is refused.

Duplicate keys, NaN, and numbers that are no integers are refused. `close()` refuses keys that
nobody asked for; readers of messages that can only inform, and never let anybody in, leave it out.
"""

import json
import re
from collections.abc import Mapping
from typing import cast

from sync.errors import Malformed

U53 = 2**53 - 1
"""Largest integer on the wire: the largest that every JSON reader holds exactly (RFC 8259 §6)."""

HEX = r"(?:[0-9a-f]{2})*"


def dump(value: Mapping[str, object]) -> bytes:
    """Compact UTF-8 without newlines, keys sorted."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()


class Fields:
    """The keys of one JSON object. Every method raises Malformed, naming the key."""

    def __init__(self, values: Mapping[str, object], where: str) -> None:
        """`where` names the object in errors."""
        self._values = values
        self._where = where
        self._asked: set[str] = set()

    @classmethod
    def parse(cls, data: bytes, where: str) -> "Fields":
        """Reads an object from its bytes. The caller has limited their number."""
        try:
            value: object = json.loads(
                data, object_pairs_hook=_unique, parse_float=_refuse, parse_constant=_refuse
            )
        except (ValueError, RecursionError) as error:
            raise Malformed(f"{where}: not the JSON expected: {_mistake(data, error)}") from error
        return cls(_object(value, where), where)

    def has(self, key: str) -> bool:
        """Whether the key is there and not null: for keys that may be absent."""
        self._asked.add(key)
        return self._values.get(key) is not None

    def text(self, key: str, pattern: str) -> str:
        """A text that fully matches `pattern`. It may be a secret, so no error repeats it."""
        value = self._get(key)
        if not isinstance(value, str) or not re.fullmatch(pattern, value, re.DOTALL):
            raise Malformed(f"{self._where}: {key} is no text that matches {pattern}")
        return value

    def data(self, key: str, length: int) -> bytes:
        """Bytes, written as lower-case hex digits."""
        value = self._get(key)
        digits = length * 2
        if not isinstance(value, str) or not re.fullmatch(f"[0-9a-f]{{{digits}}}", value):
            raise Malformed(f"{self._where}: {key} is not {digits} digits of 0-9 and a-f")
        return bytes.fromhex(value)

    def integer(self, key: str, least: int = 0, most: int = U53) -> int:
        """A whole number from `least` to `most`."""
        value = self._get(key)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            if least == most:
                raise Malformed(f"{self._where}: {key} is not {least}")
            raise Malformed(f"{self._where}: {key} is no whole number from {least} to {most}")
        return value

    def flag(self, key: str) -> bool:
        """True or false."""
        value = self._get(key)
        if not isinstance(value, bool):
            raise Malformed(f"{self._where}: {key} is neither true nor false")
        return value

    def fields(self, key: str) -> "Fields":
        """The object below `key`."""
        return Fields(self.mapping(key), f"{self._where}.{key}")

    def mapping(self, key: str) -> Mapping[str, object]:
        """The object below `key`, unread."""
        return _object(self._get(key), f"{self._where}.{key}")

    def items(self, key: str, most: int) -> list[object]:
        """A list of at most `most` values."""
        value = self._get(key)
        if not isinstance(value, list) or len(cast("list[object]", value)) > most:
            raise Malformed(f"{self._where}: {key} is no list of at most {most}")
        return cast("list[object]", value)

    def rows(self, key: str, most: int) -> list["Fields"]:
        """A list of at most `most` objects."""
        where = f"{self._where}.{key}"
        return [Fields(_object(row, where), where) for row in self.items(key, most)]

    def close(self) -> None:
        """Refuses keys that nobody asked for: they might have restricted something."""
        unknown = self._values.keys() - self._asked
        if unknown:
            raise Malformed(f"{self._where}: unknown key {min(unknown)[:40]}")

    def _get(self, key: str) -> object:
        self._asked.add(key)
        if key not in self._values:
            raise Malformed(f"{self._where}: {key} is missing")
        return self._values[key]


def _object(value: object, where: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise Malformed(f"{where}: not an object")
    return cast("dict[str, object]", value)


def _mistake(data: bytes, error: Exception) -> str:
    """In a few words, and without a word of what stands there: it may be a secret."""
    match error:
        case json.JSONDecodeError():
            return f"line {error.lineno}: {error.msg}" if data.strip() else "it is empty"
        case UnicodeDecodeError():
            return f"byte {error.start} is no UTF-8"
        case RecursionError():
            return "nested too deeply"
        case _Unfit():
            return str(error)
        case _:  # the limit of Python's own int()
            return "a number has too many digits"


class _Unfit(ValueError):
    """JSON, but not for the wire."""


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise _Unfit("a key stands there twice")
    return values


def _refuse(_text: str) -> object:
    raise _Unfit("a number is not a whole one")
