"""SQL of the controllers: enrolment, and the state that they report."""

from dataclasses import dataclass, field
from datetime import datetime

from psycopg.rows import class_row

from console.database import Connection
from sync.ids import ControllerId

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class ControllerRow:
    """What we know of a controller. The keys are None until it is enrolled."""

    id: str
    public_key: bytes | None
    entry_key: bytes | None = field(repr=False)
    enrolled_at: datetime | None
    quarantined_at: datetime | None
    quarantine_reason: str | None
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReportRow:
    """The latest report of a controller, as it came."""

    received_at: datetime
    report: Json


@dataclass(frozen=True, slots=True)
class ListedController:
    """A controller for the list. `serial` and `digest` are of the newest snapshot; 0: none yet."""

    id: str
    enrolled_at: datetime | None
    quarantined_at: datetime | None
    quarantine_reason: str | None
    received_at: datetime | None
    report: Json | None
    epoch: int
    serial: int
    digest: bytes | None
    made_at: datetime | None
    doors: list[str]
    tools: list[str]


async def controller(conn: Connection, *, controller: ControllerId) -> ControllerRow | None:
    """One controller; None: never heard of."""
    async with conn.cursor(row_factory=class_row(ControllerRow)) as cursor:
        await cursor.execute(
            """
            select id, public_key, entry_key, enrolled_at, quarantined_at, quarantine_reason,
                   retired_at
              from access.controller
             where id = %(controller)s
            """,
            {"controller": controller},
        )
        return await cursor.fetchone()


async def add_controller(conn: Connection, *, controller: ControllerId) -> bool:
    """Makes one that is not enrolled yet; False: it was there."""
    cursor = await conn.execute(
        "insert into access.controller (id) values (%(controller)s) on conflict do nothing",
        {"controller": controller},
    )
    return cursor.rowcount == 1


async def is_retired(conn: Connection, *, controller: ControllerId) -> bool:
    """Whether it is retired, or isn't there; that stays so until the transaction ends."""
    cursor = await conn.execute(
        """
        select from access.controller
         where id = %(controller)s and retired_at is null
           for share
        """,
        {"controller": controller},
    )
    return cursor.rowcount == 0


async def usable(conn: Connection) -> list[str]:
    """Those that are not retired, by name: doors and tools may hang there."""
    cursor = await conn.execute(
        "select id from access.controller where retired_at is null order by id"
    )
    return [str(row[0]) for row in await cursor.fetchall()]


async def enrol(
    conn: Connection,
    *,
    controller: ControllerId,
    public_key: bytes,
    entry_key: bytes,
    broker_password_hash: str,
    replace: bool,
) -> bool:
    """Gives a controller its keys, lifts a quarantine, brings a retired one back.

    False: it has keys already. With `replace` the old ones are worth nothing from the commit
    on.
    """
    cursor = await conn.execute(
        """
        update access.controller
           set public_key = %(public_key)s, entry_key = %(entry_key)s,
               broker_password_hash = %(broker_password_hash)s, enrolled_at = now(),
               quarantined_at = null, quarantine_reason = null, retired_at = null
         where id = %(controller)s and (enrolled_at is null or %(replace)s)
        """,
        {
            "controller": controller,
            "public_key": public_key,
            "entry_key": entry_key,
            "broker_password_hash": broker_password_hash,
            "replace": replace,
        },
    )
    return cursor.rowcount == 1


async def forget_report(conn: Connection, *, controller: ControllerId) -> None:
    """Deletes what a controller has reported: it was another device."""
    await conn.execute(
        "delete from access.controller_report where controller = %(controller)s",
        {"controller": controller},
    )


async def broker_password_hash(conn: Connection, *, controller: str) -> str | None:
    """Of the password with which it logs in to the broker; None: it isn't enrolled."""
    cursor = await conn.execute(
        "select broker_password_hash from access.controller where id = %(controller)s",
        {"controller": controller},
    )
    row = await cursor.fetchone()
    return None if row is None or row[0] is None else str(row[0])


async def broker_password_hashes(conn: Connection) -> dict[ControllerId, str]:
    """Those of all enrolled controllers, in the form of Mosquitto's password file."""
    cursor = await conn.execute(
        "select id, broker_password_hash from access.controller where enrolled_at is not null"
    )
    return {ControllerId(row[0]): str(row[1]) for row in await cursor.fetchall()}


async def lock_report(conn: Connection, *, controller: ControllerId) -> ReportRow | None:
    """The latest report, which nobody else replaces until the transaction ends; None: none yet."""
    async with conn.cursor(row_factory=class_row(ReportRow)) as cursor:
        await cursor.execute(
            """
            select received_at, report
              from access.controller_report
             where controller = %(controller)s
               for update
            """,
            {"controller": controller},
        )
        return await cursor.fetchone()


async def put_report(
    conn: Connection, *, controller: ControllerId, received_at: datetime, report: str, tell: bool
) -> None:
    """Stores a report (JSON); with `tell`, announces it as `access_report`."""
    await conn.execute(
        """
        with put as (
          insert into access.controller_report (controller, received_at, report)
          values (%(controller)s, %(received_at)s, %(report)s::jsonb)
          on conflict (controller) do update
            set received_at = excluded.received_at, report = excluded.report
          returning controller
        )
        select case when %(tell)s then pg_notify('access_report', controller) end from put
        """,
        {"controller": controller, "received_at": received_at, "report": report, "tell": tell},
    )


async def heard_since(conn: Connection, *, since: datetime) -> set[str]:
    """Controllers whose latest report is not older."""
    cursor = await conn.execute(
        "select controller from access.controller_report where received_at >= %(since)s",
        {"since": since},
    )
    return {str(row[0]) for row in await cursor.fetchall()}


async def announce(conn: Connection, *, controller: str) -> None:
    """Says `access_report`: what pages show of this controller has changed."""
    await conn.execute(
        "select pg_notify('access_report', %(controller)s)", {"controller": controller}
    )


async def door_names(conn: Connection) -> dict[str, str]:
    """Names of doors by their keys."""
    cursor = await conn.execute("select key, name from access.door")
    return {str(key): str(name) for key, name in await cursor.fetchall()}


async def reports(conn: Connection) -> list[tuple[str, Json]]:
    """Controllers and their latest reports, by name."""
    cursor = await conn.execute(
        "select controller, report from access.controller_report order by controller"
    )
    return [(str(controller), report) for controller, report in await cursor.fetchall()]


async def listed(
    conn: Connection, *, controller: ControllerId | None = None
) -> list[ListedController]:
    """All controllers that are not retired, by name, or the one."""
    async with conn.cursor(row_factory=class_row(ListedController)) as cursor:
        await cursor.execute(
            """
            select c.id, c.enrolled_at, c.quarantined_at, c.quarantine_reason,
                   r.received_at, r.report,
                   coalesce(s.epoch, 0) as epoch, coalesce(s.serial, 0) as serial,
                   s.digest, s.made_at,
                   array(select d.name from access.door d
                          where d.controller = c.id and d.retired_at is null
                          order by access.alphabetic(d.name)) as doors,
                   array(select t.name::text from access.tool_point p
                           join tool_description t on t.id = p.tool
                          where p.controller = c.id
                            and t.id not in (select tool from access.retired_tool)
                          order by access.alphabetic(t.name)) as tools
              from access.controller c
              left join access.controller_report r on r.controller = c.id
              left join lateral (
                select epoch, serial, digest, made_at
                  from access.snapshot
                 where controller = c.id
                 order by epoch desc, serial desc
                 limit 1
              ) s on true
             where c.retired_at is null
               and (%(controller)s::text is null or c.id = %(controller)s)
             order by c.id
            """,
            {"controller": controller},
        )
        return await cursor.fetchall()
