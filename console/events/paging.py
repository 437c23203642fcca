"""Lists of events go on in the next page behind the last row of this one."""

import re
from collections.abc import Mapping
from datetime import datetime

from aiohttp import web
from msgspec import Struct

from console.events.queries import RecentRow
from console.web.requests import ID


class Before(Struct, frozen=True):
    """Where a list goes on: behind the row of this moment and event."""

    at: datetime
    event_id: int


def read_before(request: web.Request) -> Before | None:
    """Where the address says that the list goes on; what says nothing begins at the latest."""
    event = request.query.get("event", "")
    try:
        at = datetime.fromisoformat(request.query.get("before", ""))
    except ValueError:
        return None
    if at.tzinfo is None or not re.fullmatch(f"-?{ID}", event):
        return None
    return Before(at, int(event))


def before_fields(last: RecentRow) -> Mapping[str, str]:
    """For the address of the page after this row."""
    return {"before": last.at.isoformat(), "event": str(last.event_id)}
