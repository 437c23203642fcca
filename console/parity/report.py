"""Reads everything in one moment of the database, compares, and words the outcome."""

import json
from collections.abc import Sequence

from msgspec import Struct

from console.database import Database
from console.parity import queries
from console.parity.comparison import Difference, Someone, World, differences
from console.parity.old_rule import OldMoment
from console.rights import people_queries
from console.rights import queries as rights_queries
from sync.ids import AccountRef

HEADINGS = ("PERSON", "DOOR OR TOOL", "OLD", "OURS", "WHY")


class Report(Struct, frozen=True):
    """The differences, and how much was compared. `compared` counts pairs of person and place."""

    people: int
    doors: int
    tools: int
    differences: Sequence[Difference]

    @property
    def compared(self) -> int:
        """Every person at every door and tool."""
        return self.people * (self.doors + self.tools)


async def compare(database: Database, *, now_ms: int) -> Report:
    """Asks both rules about everybody and everything. Raises: DatabaseUnavailable."""
    world = await read_world(database, now_ms=now_ms)
    return Report(
        people=len(world.people),
        doors=len(world.doors),
        tools=len(world.tools),
        differences=list(differences(world)),
    )


async def read_world(database: Database, *, now_ms: int) -> World:
    """What both rules look at, in one snapshot of the database."""
    async with database.reading() as conn, conn.transaction():
        await conn.execute("set transaction isolation level repeatable read, read only")
        old_people = await queries.old_people(conn, now_ms=now_ms)
        offset_ms = await queries.offset_ms(conn, now_ms=now_ms)
        people = await people_queries.people(conn, account=None, ended_after_ms=now_ms)
        doors = await rights_queries.doors(conn)
        tools = await rights_queries.tools(conn)
        door_names = await queries.door_names(conn)
        tool_names = await queries.tool_names(conn)
    ours = {person.account: person for person in people}
    return World(
        moment=OldMoment(now_ms, offset_ms),
        people=[Someone(old, ours.get(AccountRef(old.account))) for old in old_people],
        doors=[(door, door_names[door.key]) for door in doors],
        tools=[(tool, tool_names[tool.id]) for tool in tools],
    )


def as_text(report: Report) -> str:
    """A table of the differences, and a line that sums up."""
    rows = [_row(difference) for difference in report.differences]
    lines = []
    if rows:
        widths = [max(map(len, column)) for column in zip(HEADINGS, *rows, strict=True)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in (HEADINGS, *rows)
        ]
        lines.append("")
    lines.append(
        f"{report.people} people, {report.doors} doors, {report.tools} tools: "
        f"{report.compared} compared, {len(rows)} differences."
    )
    return "\n".join(lines)


def as_json(report: Report) -> str:
    """The same for a program."""
    return json.dumps(
        {
            "people": report.people,
            "doors": report.doors,
            "tools": report.tools,
            "compared": report.compared,
            "differences": [
                {
                    "account": difference.account,
                    "username": difference.username,
                    "kind": difference.place.kind,
                    "key": difference.place.key,
                    "name": difference.place.name,
                    "old": difference.old,
                    "ours": difference.ours,
                    "why": list(difference.why),
                }
                for difference in report.differences
            ],
        },
        indent=2,
        ensure_ascii=False,
    )


def _row(difference: Difference) -> tuple[str, ...]:
    place = difference.place
    return (
        _shown(difference.username or "everybody"),
        f"{place.kind} {_shown(place.name)} ({place.key})",
        difference.old,
        difference.ours,
        ", ".join(difference.why),
    )


def _shown(text: str) -> str:
    """Names come from people: what could move the terminal's cursor is not shown."""
    return "".join(character if character.isprintable() else "?" for character in text)
