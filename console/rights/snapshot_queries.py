"""SQL of the snapshots: what was published, and what controllers have applied."""

from datetime import datetime

from msgspec import Struct
from psycopg.rows import class_row

from console.database import Connection
from sync.ids import ControllerId, Epoch, Serial


class Published(Struct, frozen=True):
    """A snapshot as it was signed. `envelope` is what goes to the broker."""

    controller: str
    epoch: int
    serial: int
    digest: bytes
    content_digest: bytes
    made_at: datetime
    envelope: bytes


class LatestVersion(Struct, frozen=True):
    """The newest snapshot's number, and what the controller says it has applied (None: nothing)."""

    controller: str
    epoch: int
    serial: int
    digest: bytes | None
    content_digest: bytes | None
    applied_epoch: int | None
    applied_serial: int | None
    applied_digest: str | None


async def versions(
    conn: Connection, *, controller: ControllerId | None = None
) -> dict[ControllerId, LatestVersion]:
    """What was published last to each controller, or to the one; serial 0: nothing yet."""
    async with conn.cursor(row_factory=class_row(LatestVersion)) as cursor:
        await cursor.execute(
            """
            select c.id as controller,
                   coalesce(s.epoch, 0) as epoch,
                   coalesce(s.serial, 0) as serial,
                   s.digest,
                   s.content_digest,
                   (r.report #>> '{applied,epoch}')::bigint as applied_epoch,
                   (r.report #>> '{applied,serial}')::bigint as applied_serial,
                   r.report #>> '{applied,digest}' as applied_digest
              from access.controller c
              left join lateral (
                select epoch, serial, digest, content_digest
                  from access.snapshot
                 where controller = c.id
                 order by epoch desc, serial desc
                 limit 1
              ) s on true
              left join access.controller_report r on r.controller = c.id
             where c.enrolled_at is not null
               and (%(controller)s::text is null or c.id = %(controller)s)
            """,
            {"controller": controller},
        )
        return {ControllerId(row.controller): row for row in await cursor.fetchall()}


async def lock_controller(conn: Connection, *, controller: ControllerId) -> bool:
    """Keeps others from numbering this controller's snapshots until the transaction ends.

    False: it may get none (any more).
    """
    cursor = await conn.execute(
        """
        select id
          from access.controller
         where id = %(controller)s and enrolled_at is not null
           for no key update
        """,
        {"controller": controller},
    )
    return await cursor.fetchone() is not None


async def latest(conn: Connection, *, controller: ControllerId) -> Published | None:
    """The newest snapshot of a controller; None before the first."""
    async with conn.cursor(row_factory=class_row(Published)) as cursor:
        await cursor.execute(
            """
            select controller, epoch, serial, digest, content_digest, made_at, envelope
              from access.snapshot
             where controller = %(controller)s
             order by epoch desc, serial desc
             limit 1
            """,
            {"controller": controller},
        )
        return await cursor.fetchone()


async def add_snapshot(
    conn: Connection,
    *,
    controller: ControllerId,
    epoch: Epoch,
    serial: Serial,
    digest: bytes,
    content_digest: bytes,
    made_at: datetime,
    envelope: bytes,
) -> None:
    """Keeps a signed snapshot."""
    await conn.execute(
        """
        insert into access.snapshot
          (controller, epoch, serial, digest, content_digest, made_at, envelope)
        values
          (%(controller)s, %(epoch)s, %(serial)s, %(digest)s, %(content_digest)s, %(made_at)s,
           %(envelope)s)
        """,
        {
            "controller": controller,
            "epoch": epoch,
            "serial": serial,
            "digest": digest,
            "content_digest": content_digest,
            "made_at": made_at,
            "envelope": envelope,
        },
    )


async def prune_snapshots(conn: Connection, *, days: int) -> int:
    """Deletes snapshots that another one replaced more than `days` ago; how many.

    So a controller's newest one is never deleted, and any tap of the last `days` can be explained.
    """
    cursor = await conn.execute(
        """
        delete from access.snapshot s
         where exists (
           select from access.snapshot n
            where n.controller = s.controller
              and (n.epoch, n.serial) > (s.epoch, s.serial)
              and n.made_at < now() - make_interval(days => %(days)s)
         )
        """,
        {"days": days},
    )
    return cursor.rowcount
