"""Reads the JSON body of a request to the old API: which keys, of which types, how long.

Decides the wording of what is wrong: the key and what was expected. Every text that is to be stored
gets its limit from the caller, so that nothing that the database would refuse gets there.
"""

import json
import re
from typing import cast

from aiohttp import web

from console.errors import BadRequest
from console.web.requests import BODY_BYTES_MAX, read_all

TEXT_CHARACTERS_MAX = BODY_BYTES_MAX
"""Of what is only looked up: all that a body can hold. What is stored has a limit of its own."""
SHOWN_CHARACTERS_MAX = 200
ID_MAX = 2**63 - 1
DIGITS_MAX = 100
"""More would be slow to read; leading zeros count."""

_OF_NO_TEXT = re.compile("[\0\ud800-\udfff]")
"""JSON has them, PostgreSQL's texts don't."""


class Body:
    """A JSON object. Each method takes one key and raises BadRequest that names it."""

    def __init__(self, values: dict[str, object]) -> None:
        self._values = values

    def has(self, key: str) -> bool:
        """Whether the key is there, be it with null."""
        return key in self._values

    def has_value(self, key: str) -> bool:
        """Whether the key is there with something other than null."""
        return self._values.get(key) is not None

    def as_given(self, key: str) -> str:
        """What the key stands for, for a message; its beginning where it is long."""
        return f"{self._values.get(key)}"[:40]

    def only(self, *keys: str) -> None:
        """Refuses every other key."""
        for key in self._values:
            if key not in keys:
                raise BadRequest(f"{key[:40]}: there is no such key here; known: {', '.join(keys)}")

    def text(self, key: str, *, least: int = 0, most: int = TEXT_CHARACTERS_MAX) -> str:
        """A text of `least` to `most` characters, without NUL."""
        value = self._required(key)
        if not isinstance(value, str):
            raise BadRequest(f"{key}: a text is expected")
        if len(value) < least:
            least_words = "may not be empty" if least == 1 else f"needs at least {least} characters"
            raise BadRequest(f"{key}: {least_words}")
        if len(value) > most:
            raise BadRequest(f"{key}: at most {most} characters")
        if _OF_NO_TEXT.search(value):
            raise BadRequest(f"{key}: holds characters that are no text")
        return value

    def optional_text(
        self, key: str, *, least: int = 0, most: int = TEXT_CHARACTERS_MAX
    ) -> str | None:
        """The same, or None where the key is absent; null is a mistake."""
        return self.text(key, least=least, most=most) if key in self._values else None

    def nullable_text(self, key: str, *, most: int = TEXT_CHARACTERS_MAX) -> str | None:
        """The same, or None where it is null; the key is required."""
        return None if self._required(key) is None else self.text(key, most=most)

    def number(self, key: str, *, or_text: bool = False) -> int:
        """An id: a whole number, 0 for one that no row has (it is out of bounds, or has a part).

        `or_text`: digits in a text are one, too.
        """
        value = self._required(key)
        if or_text and isinstance(value, str) and value.isascii() and value.isdigit():
            value = int(value) if len(value) <= DIGITS_MAX else 0
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadRequest(f"{key}: a number is expected")
        if isinstance(value, float) and not value.is_integer():
            return 0
        return int(value) if 0 < value <= ID_MAX else 0

    def whole_number(self, key: str) -> int:
        """An id as above, but a number with a part is a mistake."""
        value = self._required(key)
        if isinstance(value, float) and not value.is_integer():
            raise BadRequest(f"{key}: a whole number is expected")
        return self.number(key)

    def flag(self, key: str) -> bool:
        """`true` or `false`."""
        value = self._required(key)
        if not isinstance(value, bool):
            raise BadRequest(f"{key}: true or false is expected")
        return value

    def texts(self, key: str, *, most: int) -> list[str]:
        """An array of at most `most` texts, with U+FFFD for characters that are none."""
        value = self._required(key)
        if not isinstance(value, list):
            raise BadRequest(f"{key}: an array is expected")
        rows = cast("list[object]", value)
        if len(rows) > most:
            raise BadRequest(f"{key}: at most {most} at once")
        if not all(isinstance(row, str) for row in rows):
            raise BadRequest(f"{key}: texts are expected")
        return [_OF_NO_TEXT.sub("\ufffd", cast("str", row)) for row in rows]

    def _required(self, key: str) -> object:
        if key not in self._values:
            raise BadRequest(f"{key}: is missing")
        return self._values[key]


def shown(text: str) -> str:
    """What was sent, for a message; its beginning where it is long."""
    if len(text) <= SHOWN_CHARACTERS_MAX:
        return text
    return f"{text[:SHOWN_CHARACTERS_MAX]}…"


async def read_body(request: web.Request) -> Body:
    """The JSON object of a request. Raises: BadRequest; HTTPRequestEntityTooLarge over 64 kB."""
    if request.content_type != "application/json" and not request.content_type.endswith("+json"):
        raise BadRequest("A JSON object is expected, with Content-Type: application/json")
    try:
        values: object = json.loads(await read_all(request))
    except (ValueError, RecursionError) as error:
        raise BadRequest("The body is not JSON") from error
    if not isinstance(values, dict):
        raise BadRequest("A JSON object is expected")
    return Body(cast("dict[str, object]", values))
