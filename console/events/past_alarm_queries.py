"""SQL of alarms that nobody has looked into, and of looks. Which they are: `past_alarms.py`."""

from collections.abc import Mapping
from datetime import datetime
from typing import LiteralString

from msgspec import Struct
from psycopg.rows import class_row, scalar_row

from console.database import Connection
from console.events.past_alarms import FAULTS, HELD_MINUTES, LOOKED_BACK_DAYS, AlarmKey

LISTED_MAX = 50


class WaitingRow(Struct, frozen=True):
    """Alarms that nobody has looked into. `path`: of the place's page; None: it has none any more.

    `is_late`: the last one's time is that of its arrival.
    """

    point: str
    kind: str
    reason: str
    alarms: int
    last_event: int
    last_at: datetime
    is_late: bool
    place: str
    path: str | None

    @property
    def key(self) -> AlarmKey:
        """Which they are."""
        return AlarmKey(self.point, self.kind, self.reason)


class LookRow(Struct, frozen=True):
    """A look. `who` None: her account is gone. `path`: as for `WaitingRow`."""

    point: str
    kind: str
    reason: str
    alarms: int
    last_event: int
    last_at: datetime
    looked_at: datetime
    account_id: int
    who: str | None
    comment: str
    place: str
    path: str | None

    @property
    def key(self) -> AlarmKey:
        """At what."""
        return AlarmKey(self.point, self.kind, self.reason)


class Look(Struct, frozen=True):
    """What somebody says: that she has looked into these alarms, up to this event."""

    key: AlarmKey
    last_event: int
    actor_id: int
    comment: str


WAITING: LiteralString = """
            with alarm as (
              select e.id, e.point, e.kind, e.clock_trusted,
                case when e.kind = 'fault_began' then e.reason else '' end as reason,
                e.happened_at as at
              from access.event e
              where e.kind in ('door_forced', 'door_held_open', 'tamper_began', 'fault_began')
                and e.received_at > now() - make_interval(days => %(days)s)
                and e.point is not null
                and (e.kind <> 'fault_began' or e.reason = any (%(faults)s))
                and not (e.kind = 'door_held_open' and e.clock_trusted and exists (
                  select from access.event c
                  where c.point = e.point and c.kind = 'door_closed' and c.clock_trusted
                    and c.happened_at between e.happened_at
                      and e.happened_at + make_interval(mins => %(minutes)s)
                    and c.id > e.id))
            ), waiting as (
              select * from alarm a
              where not exists (
                select from access.alarm_look l
                where l.point = a.point and l.kind = a.kind and l.reason = a.reason
                  and a.id between l.first_event and l.last_event)
            )
            """
"""The beginning of a query: alarms that nobody has looked into, as `waiting`. The kinds stand there
as in the index `event_alarm`, or it would not be used."""
_CALLED: LiteralString = """
              coalesce(d.name, t.name, w.point) as place,
              case when d.key is not null and d.retired_at is null then '/doors/' || d.key
                when d.key is null and t.id is not null and r.tool is null
                  then '/tools/' || t.id end as path
            """
_PLACES: LiteralString = """
            left join access.door d on d.key = w.point
            left join access.tool_point p on p.key = w.point
            left join tool_description t on t.id = p.tool
            left join access.retired_tool r on r.tool = t.id
            """


async def waiting(conn: Connection) -> list[WaitingRow]:
    """What nobody has looked into, the latest first."""
    async with conn.cursor(row_factory=class_row(WaitingRow)) as cursor:
        await cursor.execute(
            WAITING  # noqa: S608 all parts are constants
            + """
            , line as (
              select point, kind, reason, count(*) as alarms, max(id) as last_event,
                max(at) as last_at, not (array_agg(clock_trusted order by at desc, id desc))[1]
                  as is_late
              from waiting
              group by point, kind, reason
            )
            select w.*, """
            + _CALLED
            + " from line w "
            + _PLACES
            + " order by w.last_at desc, w.last_event desc limit %(limit)s",
            {**_known(), "limit": LISTED_MAX},
        )
        return await cursor.fetchall()


async def looks(conn: Connection, *, point: str | None, limit: int) -> list[LookRow]:
    """The latest looks, everywhere (None) or at one door or tool."""
    async with conn.cursor(row_factory=class_row(LookRow)) as cursor:
        await cursor.execute(
            """
            with w as (
              select * from access.alarm_look
              where %(point)s::text is null or point = %(point)s
              order by looked_at desc, last_event desc
              limit %(limit)s
            )
            select w.point, w.kind, w.reason, w.alarms, w.last_event, w.last_at, w.looked_at,
              coalesce(nullif(a.name, ''), a.username) as who, w.looked_by as account_id,
              w.comment, """  # noqa: S608 all parts are constants
            + _CALLED
            + " from w left join account a on a.id = w.looked_by "
            + _PLACES
            + " order by w.looked_at desc, w.last_event desc",
            {"point": point, "limit": limit},
        )
        return await cursor.fetchall()


async def add_look(conn: Connection, look: Look) -> bool:
    """Writes it down, and announces it as `access_looked`. False: there was nothing to look into.

    What came after the event that she was shown goes on waiting.
    """
    cursor = await conn.execute(
        WAITING  # noqa: S608 both parts are constants
        + """
            insert into access.alarm_look
              (point, kind, reason, first_event, last_event, alarms, last_at, looked_by,
               comment)
            select point, kind, reason, min(id), max(id), count(*), max(at), %(actor)s,
              %(comment)s
            from waiting
            where point = %(point)s and kind = %(kind)s and reason = %(reason)s
              and id <= %(last_event)s
            group by point, kind, reason
            on conflict do nothing
            returning pg_notify('access_looked', point)
            """,
        {
            **_known(),
            "point": look.key.point,
            "kind": look.key.kind,
            "reason": look.key.reason,
            "last_event": look.last_event,
            "actor": look.actor_id,
            "comment": look.comment,
        },
    )
    return cursor.rowcount == 1


async def looker(conn: Connection, *, key: AlarmKey, event_id: int) -> int | None:
    """Whose look it is at the alarm of this event; None: nobody's."""
    async with conn.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(
            """
            select looked_by from access.alarm_look
            where point = %(point)s and kind = %(kind)s and reason = %(reason)s
              and %(event_id)s between first_event and last_event
            order by last_event limit 1
            """,
            {"point": key.point, "kind": key.kind, "reason": key.reason, "event_id": event_id},
        )
        found: int | None = await cursor.fetchone()
        return found


def _known() -> Mapping[str, object]:
    return {"days": LOOKED_BACK_DAYS, "faults": list(FAULTS), "minutes": HELD_MINUTES}
