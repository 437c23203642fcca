"""How the old web app spelled its answers: JSON with sorted keys, moments, and whose row it is.

Source: the contract of its API, §1 and §4.
"""

import json
from datetime import datetime
from decimal import Decimal

from aiohttp import web
from msgspec import Struct

Json = dict[str, object]

OBJECT_NOT_FOUND = "Object not found"


class Audit(Struct, frozen=True):
    """Who made a row, and who changed it last; people by their user names."""

    id: int
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str

    def spelled(self) -> Json:
        """The five keys that every object has."""
        return {
            "id": self.id,
            "createdAt": moment(self.created_at),
            "createdBy": self.created_by,
            "updatedAt": moment(self.updated_at),
            "updatedBy": self.updated_by,
        }


def moment(at: datetime) -> str:
    """ISO 8601 with the offset."""
    return at.isoformat()


def moment_or_none(at: datetime | None) -> str | None:
    """The same for a moment that may be missing."""
    return None if at is None else moment(at)


def answer(value: object, *, status: int = 200) -> web.Response:
    """A JSON answer; numbers of the database become floats. The type names no charset."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=_number)
    body = f"{text}\n".encode("ascii")
    return web.Response(body=body, status=status, content_type="application/json")


def done() -> web.Response:
    """What a change without a result of its own answers."""
    return answer({})


def object_not_found() -> web.HTTPNotFound:
    """For a lookup by number or name that found nothing."""
    return web.HTTPNotFound(text=OBJECT_NOT_FOUND)


def _number(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
