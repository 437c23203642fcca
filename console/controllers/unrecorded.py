"""What break-glass cards have opened at controllers that can record nothing now, one by one.

A controller tells each opening in its report until its storage works again; then it comes as an
event like any other, and is told no more here. What it told and lost with its power, before it
could record it, stays for a month. A report is read defensively.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import cast

from msgspec import Struct

from console.cards.break_glass_queries import break_glass_cards
from console.controllers import opening_queries, queries
from console.controllers.opening_queries import Opening
from console.controllers.said import Json, part
from console.database import Connection
from console.web import times
from console.words import Text
from sync.credential import entry
from sync.ids import ControllerId, SiteDigest, TapId
from sync.rights import Reason

TOLD_MAX = 40
"""A report has no more. Source: edge/recorder.py."""

NAME_CHARACTERS_MAX = 40
TAP = re.compile("[0-9a-f]{32}")
TIME_MS_MAX = 4_102_444_800_000
"""The year 2100."""


class Line(Struct, frozen=True):
    """`is_lost`: no event will come of it."""

    says: str
    is_lost: bool


async def unrecorded(
    conn: Connection, controller: str, report: Json | None, now: datetime
) -> list[Line]:
    """A sentence for each opening that this controller tells or told, the newest first."""
    told = openings(report)
    boot = str((report or {}).get("boot", ""))
    lost = await opening_queries.lost(
        conn, controller=controller, boot=boot, now=now, limit=TOLD_MAX
    )
    if not told and not lost:
        return []
    people: dict[str, str] = {}
    known = await queries.controller(conn, controller=ControllerId(controller))
    if known is not None and known.entry_key is not None:
        for card in await break_glass_cards(conn):
            name = entry(known.entry_key, SiteDigest(card.site_digest)).hex()
            label = f" (“{card.label}”)" if card.label else ""
            people[name] = f"{card.name or card.username}{label}"
    names = await queries.door_names(conn)
    lines = [Line(_sentence(one, people, names, now), is_lost=False) for one in reversed(told)]
    more = part(report, "state", "break_glass").get("unrecorded")
    if isinstance(more, int) and more > len(told):
        earlier = Text("{n} earlier openings, which come as events once it can", n=more - len(told))
        lines.append(Line(earlier, is_lost=False))
    return [*lines, *(Line(_sentence(one, people, names, now), is_lost=True) for one in lost)]


def openings(report: Json | None) -> list[Opening]:
    """What a report tells, the oldest first."""
    found = part(report, "state", "break_glass").get("openings")
    rows = cast("list[object]", found)[:TOLD_MAX] if isinstance(found, list) else []
    return [
        _opening(cast("Json", row))
        for row in rows
        if isinstance(row, dict) and TAP.fullmatch(str(cast("Json", row).get("tap", "")))
    ]


def _opening(row: Json) -> Opening:
    ms = row.get("time_ms")
    is_known = row.get("clock") == "trusted" and isinstance(ms, int) and 0 < ms < TIME_MS_MAX
    at = (
        datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=cast("int", ms))
        if is_known
        else None
    )
    return Opening(
        tap=TapId(str(row["tap"])),
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
