"""What break-glass cards have opened at controllers that can record nothing now, one by one.

A controller tells each opening in its report until its storage works again; then it comes as an
event like any other, and is told no more here. A report is read defensively.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import cast

from msgspec import Struct

from console.cards.break_glass_queries import break_glass_cards
from console.controllers import queries
from console.controllers.said import Json, part
from console.database import Connection
from console.web import times
from console.words import Text
from sync.credential import entry
from sync.ids import ControllerId, SiteDigest
from sync.rights import Reason

TOLD_MAX = 40
"""A report has no more. Source: edge/recorder.py."""

NAME_CHARACTERS_MAX = 40
TIME_MS_MAX = 4_102_444_800_000
"""The year 2100."""


class Opening(Struct, frozen=True):
    """`at` None: the controller doesn't know the time. `name`: of the card, as the controller has
    it. `has_opened` False: the relay did not move.
    """

    point: str
    name: str
    at: datetime | None
    has_opened: bool


async def unrecorded(
    conn: Connection, controller: str, report: Json | None, now: datetime
) -> list[str]:
    """A sentence for each opening that this controller tells, the newest first."""
    told = openings(report)
    if not told:
        return []
    people: dict[str, str] = {}
    known = await queries.controller(conn, controller=ControllerId(controller))
    if known is not None and known.entry_key is not None:
        for card in await break_glass_cards(conn):
            name = entry(known.entry_key, SiteDigest(card.site_digest)).hex()
            label = f" (“{card.label}”)" if card.label else ""
            people[name] = f"{card.name or card.username}{label}"
    names = await queries.door_names(conn)
    lines = [_sentence(one, people, names, now) for one in reversed(told)]
    more = part(report, "state", "break_glass").get("unrecorded")
    if isinstance(more, int) and more > len(told):
        lines.append(
            Text("{n} earlier openings, which come as events once it can", n=more - len(told))
        )
    return lines


def openings(report: Json | None) -> list[Opening]:
    """What a report tells, the oldest first."""
    found = part(report, "state", "break_glass").get("openings")
    rows = cast("list[object]", found)[:TOLD_MAX] if isinstance(found, list) else []
    return [_opening(cast("Json", row)) for row in rows if isinstance(row, dict)]


def _opening(row: Json) -> Opening:
    ms = row.get("time_ms")
    is_known = row.get("clock") == "trusted" and isinstance(ms, int) and 0 < ms < TIME_MS_MAX
    at = (
        datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=cast("int", ms))
        if is_known
        else None
    )
    return Opening(
        point=str(row.get("point", ""))[:NAME_CHARACTERS_MAX],
        name=str(row.get("entry", ""))[:NAME_CHARACTERS_MAX],
        at=at,
        has_opened=row.get("reason") == Reason.ALLOWED,
    )


def _sentence(
    one: Opening, people: Mapping[str, str], names: Mapping[str, str], now: datetime
) -> str:
    who = people.get(one.name) or Text("Break-glass card {name}", name=one.name[:8])
    place = names.get(one.point, one.point)
    when = Text("at an unknown time") if one.at is None else times.within_sentence(one.at, now)
    if one.has_opened:
        return Text("{who} opened {place} {when}", who=who, place=place, when=when)
    return Text(
        "{who} was let in, but did not get through at {place} {when}",
        who=who,
        place=place,
        when=when,
    )
