"""SQL of the doors."""

from collections.abc import Collection
from datetime import datetime

from msgspec import Struct
from psycopg.rows import class_row

from console.database import Connection
from console.doors.driver import Driver
from console.rights.facts import NOTHING_SPECIAL
from sync.ids import ControllerId, PointKey

Json = dict[str, object]


class DoorRow(Struct, frozen=True):
    """A door, its controller's latest report, and the newest snapshot (serial 0: none yet).

    `controller` None: none of ours moves it, but `driver` does; `topic` as in `Driver`.
    `unlocked_until`: the end of the latest order, where it was to unlock for everybody; None as
    well for a door with weekly hours, which may hold it unlocked for longer. `order`: the
    operation of the latest order but openings, by whom and when.
    """

    key: str
    name: str
    controller: str | None
    open_seconds: int
    circles: list[str]
    enrolled_at: datetime | None
    quarantined_at: datetime | None
    received_at: datetime | None
    report: Json | None
    serial: int
    digest: bytes | None
    last_opened_at: datetime | None
    driver: str = Driver.CONTROLLER
    topic: str | None = None
    soft_seconds: int = NOTHING_SPECIAL.soft_seconds
    hard_seconds: int = NOTHING_SPECIAL.hard_seconds
    requires_fresh: bool = False
    min_assurance: int = 0
    unlocked_until: datetime | None = None
    order: str | None = None
    ordered_by: str | None = None
    ordered_at: datetime | None = None


async def doors(conn: Connection, *, key: str | None = None) -> list[DoorRow]:
    """All doors that are not retired, by name, or the one with this key."""
    async with conn.cursor(row_factory=class_row(DoorRow)) as cursor:
        await cursor.execute(
            """
            select d.key, d.name, d.controller, d.driver, d.topic, d.open_seconds,
                   d.soft_seconds, d.hard_seconds, d.requires_fresh, d.min_assurance,
                   array(select c.name::text from access.door_circle m
                           join circle c on c.id = m.circle
                          where m.door = d.key order by access.alphabetic(c.name)) as circles,
                   c.enrolled_at, c.quarantined_at, r.received_at, r.report,
                   coalesce(s.serial, 0) as serial, s.digest,
                   greatest(
                     (select e.happened_at from access.event e
                       where e.point = d.key
                         and (e.kind = 'access_granted'
                              or (e.kind = 'command_executed'
                                  and exists (select from access.command o
                                               where o.id = e.command
                                                 and o.operation = 'open')))
                       order by e.happened_at desc limit 1),
                     (select o.issued_at from access.command o
                       where o.point = d.key and o.controller is null and o.result = 'executed'
                       order by o.issued_at desc limit 1)
                   ) as last_opened_at,
                   case when o.operation = 'unlock_until'
                         and not exists (select from access.open_hours h where h.door = d.key)
                        then o.given_at + make_interval(secs => o.seconds)
                   end as unlocked_until,
                   o.operation as order, o.given_by as ordered_by, o.given_at as ordered_at
              from access.door d
              left join access.controller c on c.id = d.controller
              left join access.controller_report r on r.controller = c.id
              left join lateral (
                select serial, digest
                  from access.snapshot
                 where controller = c.id
                 order by epoch desc, serial desc
                 limit 1
              ) s on true
              left join lateral access.latest_order(d.controller, d.key) o on true
             where d.retired_at is null and (%(key)s::text is null or d.key = %(key)s)
             order by access.alphabetic(d.name), d.key
            """,
            {"key": key},
        )
        return await cursor.fetchall()


async def circle_ids(conn: Connection, *, names: Collection[str]) -> dict[str, int]:
    """The circles with these names, by name."""
    cursor = await conn.execute(
        "select name, id from circle where name = any(%(names)s::text[])", {"names": list(names)}
    )
    return {str(row[0]): int(row[1]) for row in await cursor.fetchall()}


async def add_door(
    conn: Connection,
    *,
    key: PointKey,
    name: str,
    controller: ControllerId | None,
    open_seconds: int,
    circles: Collection[int],
    driver: Driver = Driver.CONTROLLER,
    topic: str | None = None,
) -> bool:
    """Makes a door; False: there is one with this key."""
    cursor = await conn.execute(
        """
        insert into access.door (key, name, controller, open_seconds, driver, topic)
        values (%(key)s, %(name)s, %(controller)s, %(open_seconds)s, %(driver)s, %(topic)s)
        on conflict (key) do nothing
        """,
        {
            "key": key,
            "name": name,
            "controller": controller,
            "open_seconds": open_seconds,
            "driver": driver,
            "topic": topic,
        },
    )
    if cursor.rowcount != 1:
        return False
    await conn.execute(
        """
        insert into access.door_circle (door, circle)
        select %(key)s, circle from unnest(%(circles)s::bigint[]) as given (circle)
        """,
        {"key": key, "circles": list(circles)},
    )
    return True
